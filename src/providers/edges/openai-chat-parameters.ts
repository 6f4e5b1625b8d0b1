import { isJsonObject, type JsonObject } from './json.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable } from './parameters.ts'
import type { Reach } from './reach.ts'

const isEmpty = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0

const isStrict = (tool: unknown): boolean =>
  isJsonObject(tool) && isJsonObject(tool.function) && tool.function.strict === true

const areFunctions = (tools: unknown): tools is readonly unknown[] =>
  Array.isArray(tools) && tools.every(tool => isJsonObject(tool) && tool.type === 'function')

const isKnownToolChoice = (choice: unknown): boolean =>
  isJsonObject(choice) ? choice.type === 'function' : isOneOf('auto', 'none', 'required')(choice)

const hasKnownType =
  (...types: string[]) =>
  (value: unknown): boolean =>
    isJsonObject(value) && types.includes(String(value.type))

const bodyTable = (reach: Reach): ParameterTable => ({
  carried: [
    'model',
    'messages',
    'max_tokens',
    'max_completion_tokens',
    'reasoning_effort',
    'user',
    'safety_identifier',
    ...(reach.seed ? ['seed'] : []),
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
    temperature: reach.temperature,
    top_p: reach.topP,
    stop: value => reach.stops([value].flat()),
    presence_penalty: (value, owner) => value === 0 || reach.penalty(value, owner),
    frequency_penalty: (value, owner) => value === 0 || reach.penalty(value, owner),
    parallel_tool_calls: value => value !== false || reach.oneToolOnly,
    tools: value => areFunctions(value) && (reach.strictTools || !value.some(isStrict)),
    tool_choice: isKnownToolChoice,
    response_format: hasKnownType('text', 'json_object', 'json_schema'),
    stream: isOneOf(false),
    store: isOneOf(false),
    n: isOneOf(1),
    logprobs: isOneOf(false),
    top_logprobs: isOneOf(0),
    logit_bias: isEmpty,
    modalities: value => Array.isArray(value) && value.every(isOneOf('text')),
    verbosity: isOneOf('medium'),
  },
})

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

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['prompt_cache_breakpoint'],
  onlyWhen: {},
})

const isInlinePdf = (file: unknown): boolean =>
  isJsonObject(file) && /^data:application\/pdf;base64,/.test(String(file.file_data))

/** Whether an address holds the data itself. */
const isInline = (url: string): boolean => url.startsWith('data:')

const partTables = (reach: Reach): Readonly<Record<string, ParameterTable>> => ({
  text: part('text'),
  refusal: part('refusal'),
  image_url: {
    ...part(),
    onlyWhen: {
      image_url: image => {
        const url = isJsonObject(image) ? String(image.url) : ''
        return isInline(url) || reach.imageUrl(url)
      },
    },
  },
  file: { ...part(), onlyWhen: { file: file => reach.pdf && isInlinePdf(file) } },
})

/** Names what the models within `reach` cannot be given of a chat completion request. */
export const lostFromChat = (request: JsonObject, reach: Reach): string[] => {
  const parts = partTables(reach)
  const lostFromMessage = (message: JsonObject): string[] => {
    const table = messages[String(message.role)]
    if (!table) return ['messages.role']
    return [
      ...lostKeys(message, table, 'messages.'),
      ...lostParts(message.content, parts, 'messages.content.'),
    ]
  }
  const list = Array.isArray(request.messages) ? request.messages.filter(isJsonObject) : []
  return [...new Set([...lostKeys(request, bodyTable(reach)), ...list.flatMap(lostFromMessage)])]
}
