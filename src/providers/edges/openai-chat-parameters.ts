import { isJsonObject, type JsonObject } from './json.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable } from './parameters.ts'

/** Anthropic rejects stop sequences of white space alone. */
const hasVisibleStops = (stop: unknown): boolean =>
  [stop].flat().every(sequence => typeof sequence === 'string' && sequence.trim() !== '')

/** Anthropic takes `temperature` or `top_p`, not both; a `top_p` of 1 says nothing. */
const isAloneOrNeutral = (topP: unknown, body: JsonObject): boolean =>
  topP === 1 || body.temperature === undefined || body.temperature === null

const isEmpty = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0

const areFunctions = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.every(tool => isJsonObject(tool) && tool.type === 'function')

const isKnownToolChoice = (choice: unknown): boolean =>
  isJsonObject(choice) ? choice.type === 'function' : isOneOf('auto', 'none', 'required')(choice)

const hasKnownType =
  (...types: string[]) =>
  (value: unknown): boolean =>
    isJsonObject(value) && types.includes(String(value.type))

const body: ParameterTable = {
  carried: [
    'model',
    'messages',
    'max_tokens',
    'max_completion_tokens',
    'temperature',
    'parallel_tool_calls',
    'reasoning_effort',
    'user',
    'safety_identifier',
  ],
  // Labels, billing and caching of the provider that was asked first.
  harmless: [
    'metadata',
    'service_tier',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
    'stream_options',
  ],
  onlyWhen: {
    top_p: isAloneOrNeutral,
    stop: hasVisibleStops,
    tools: areFunctions,
    tool_choice: isKnownToolChoice,
    response_format: hasKnownType('text', 'json_object', 'json_schema'),
    stream: isOneOf(false),
    store: isOneOf(false),
    n: isOneOf(1),
    logprobs: isOneOf(false),
    top_logprobs: isOneOf(0),
    logit_bias: isEmpty,
    presence_penalty: isOneOf(0),
    frequency_penalty: isOneOf(0),
    modalities: value => Array.isArray(value) && value.every(isOneOf('text')),
    verbosity: isOneOf('medium'),
  },
}

const plain = (...carried: string[]): ParameterTable => ({
  carried: ['role', 'content', ...carried],
  harmless: [],
  onlyWhen: {},
})

const messages: Readonly<Record<string, ParameterTable>> = {
  system: plain(),
  developer: plain(),
  user: plain(),
  assistant: {
    ...plain('refusal'),
    // Replayed answers bring these along. Reasoning without Anthropic's signature cannot be replayed to Anthropic.
    harmless: ['annotations', 'reasoning', 'reasoning_content'],
    onlyWhen: {
      tool_calls: calls => Array.isArray(calls) && calls.every(hasKnownType('function')),
    },
  },
  // The function's name, which some clients repeat here, stands in the call already.
  tool: { ...plain('tool_call_id'), harmless: ['name'] },
}

const part = (carried: string): ParameterTable => ({
  carried: ['type', carried],
  harmless: ['prompt_cache_breakpoint'],
  onlyWhen: {},
})

const isInlinePdf = (file: unknown): boolean =>
  isJsonObject(file) && /^data:application\/pdf;base64,/.test(String(file.file_data))

const parts: Readonly<Record<string, ParameterTable>> = {
  text: part('text'),
  refusal: part('refusal'),
  image_url: part('image_url'),
  file: { ...part('type'), onlyWhen: { file: isInlinePdf } },
}

const lostFromMessage = (message: JsonObject): string[] => {
  const table = messages[String(message.role)]
  if (!table) return ['messages.role']
  return [...lostKeys(message, table, 'messages.'), ...lostParts(message.content, parts, 'messages.content.')]
}

/** Names what an Anthropic model cannot be given of a chat completion request. */
export const lostFromChat = (request: JsonObject): string[] => {
  const list = Array.isArray(request.messages) ? request.messages.filter(isJsonObject) : []
  return [...new Set([...lostKeys(request, body), ...list.flatMap(lostFromMessage)])]
}
