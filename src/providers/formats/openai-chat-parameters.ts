import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type FieldChange, type FieldRule, leaveOut, unless } from './field-rules.ts'
import { isInlinePdf } from './media-types.ts'
import {
  changesOfKeys,
  isOneOf,
  type ParameterTable,
  unsupportedKeys,
  unsupportedParts,
} from './parameters.ts'
import { type Supported, showsImage } from './supported.ts'

const isEmpty = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0

const isStrict = (tool: unknown): boolean =>
  isJsonObject(tool) && isJsonObject(tool.function) && tool.function.strict === true

const areFunctions = (tools: unknown): tools is readonly unknown[] =>
  Array.isArray(tools) && tools.every(tool => isJsonObject(tool) && tool.type === 'function')

const isForced = (choice: unknown): boolean => choice === 'required' || isJsonObject(choice)

const isKnownToolChoice = (choice: unknown): boolean =>
  isJsonObject(choice) ? choice.type === 'function' : isOneOf('auto', 'none', 'required')(choice)

const hasKnownType =
  (...types: string[]) =>
  (value: unknown): boolean =>
    isJsonObject(value) && types.includes(String(value.type))

const isZero = isOneOf(0)

/** Where it is limited twice, the one that counts is judged. */
const effectiveLimit =
  (rule: FieldRule): FieldRule =>
  (value, body) =>
    body.max_completion_tokens === null || body.max_completion_tokens === undefined ? rule(value, body) : null

/** Sampling and thought, as single vendors have added to OpenAI's format. */
const extensions = ['min_p', 'top_a', 'repetition_penalty', 'thinking', 'enable_thinking', 'reasoning']

const rulesOf = (supported: Supported): Readonly<Record<string, FieldRule>> => ({
  temperature: supported.temperature,
  top_p: supported.topP,
  top_k: supported.topK,
  seed: supported.seed,
  presence_penalty: unless(isZero, supported.penalty),
  frequency_penalty: unless(isZero, supported.penalty),
  logit_bias: unless(isEmpty, leaveOut),
  reasoning_effort: supported.effort,
  max_tokens: effectiveLimit(supported.maxTokens),
  max_completion_tokens: supported.maxTokens,
  user: supported.user,
  safety_identifier: supported.user,
  // Labels, storage and speed at the provider that was asked first.
  metadata: unless(isEmpty, leaveOut),
  store: unless(isOneOf(false), leaveOut),
  service_tier: unless(isOneOf('auto', 'default'), leaveOut),
  verbosity: unless(isOneOf('medium'), leaveOut),
  prediction: leaveOut,
  ...Object.fromEntries(extensions.map(name => [name, leaveOut])),
})

const bodyTable = (supported: Supported): ParameterTable => ({
  carried: ['model', 'messages'],
  // What it costs, and how it arrives.
  harmless: ['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'stream_options'],
  rules: rulesOf(supported),
  onlyWhen: {
    stop: value => supported.stops([value].flat()),
    parallel_tool_calls: value => value !== false || supported.oneToolOnly,
    tools: value => areFunctions(value) && (supported.strictTools || !value.some(isStrict)),
    tool_choice: value => isKnownToolChoice(value) && (supported.forcedTools || !isForced(value)),
    response_format: (value, body) =>
      hasKnownType('text', 'json_object')(value) ||
      (hasKnownType('json_schema')(value) && supported.jsonSchema(value, body)),
    stream: isOneOf(true, false),
    n: isOneOf(1),
    logprobs: isOneOf(false),
    top_logprobs: isZero,
    modalities: value => Array.isArray(value) && value.every(isOneOf('text')),
  },
})

const plain = (...carried: string[]): ParameterTable => ({
  carried: ['role', 'content', ...carried],
  harmless: [],
  onlyWhen: {},
  // Who among several speaks: a hint, for which no other format has a place.
  rules: { name: leaveOut },
})

const messages: Readonly<Record<string, ParameterTable>> = {
  system: plain(),
  developer: plain(),
  user: plain(),
  assistant: {
    ...plain('refusal', 'reasoning_content', 'reasoning', 'thinking_blocks'),
    // Replayed answers bring these along.
    harmless: ['annotations', 'reasoning_details'],
    onlyWhen: {
      tool_calls: calls => Array.isArray(calls) && calls.every(hasKnownType('function')),
    },
  },
  // The function's name, which some clients repeat here, stands in the call already.
  tool: { ...plain('tool_call_id'), harmless: ['name'], rules: {} },
}

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['prompt_cache_breakpoint', 'cache_control'],
  onlyWhen: {},
})

const asksForDetail = (image: unknown): boolean =>
  isJsonObject(image) && ![null, undefined, 'auto'].includes(image.detail as null)

const partTables = (supported: Supported): Readonly<Record<string, ParameterTable>> => ({
  text: part('text'),
  refusal: part('refusal'),
  image_url: {
    ...part(),
    onlyWhen: { image_url: image => showsImage(supported, isJsonObject(image) ? String(image.url) : '') },
  },
  file: {
    ...part(),
    onlyWhen: { file: file => supported.pdf && isJsonObject(file) && isInlinePdf(file.file_data) },
  },
})

const detail: FieldChange = { field: 'messages.content.image_url.detail', action: 'left_out' }

const detailsIn = (content: unknown): FieldChange[] =>
  Array.isArray(content) && content.some(entry => isJsonObject(entry) && asksForDetail(entry.image_url))
    ? [detail]
    : []

const messagesOf = ({ messages: list }: JsonObject): JsonObject[] =>
  Array.isArray(list) ? list.filter(isJsonObject) : []

const tableOf = ({ role }: JsonObject): ParameterTable | undefined =>
  Object.hasOwn(messages, String(role)) ? messages[String(role)] : undefined

const isToolTurn = ({ role, tool_calls: calls }: JsonObject): boolean =>
  role === 'tool' || (Array.isArray(calls) && calls.length > 0)

/** Names the fields of a chat completion request that are not supported. */
export const unsupportedInChat = (request: JsonObject, supported: Supported): string[] => {
  const parts = partTables(supported)
  const isToolless = supported.needsTools && !(Array.isArray(request.tools) && request.tools.length > 0)
  const lostFromMessage = (message: JsonObject): string[] => {
    const table = tableOf(message)
    if (!table) return ['messages.role']
    return [
      ...(isToolless && isToolTurn(message) ? ['messages.tool_calls'] : []),
      ...unsupportedKeys(message, table, 'messages.'),
      ...unsupportedParts(message.content, parts, 'messages.content.'),
    ]
  }
  return [
    ...new Set([
      ...unsupportedKeys(request, bodyTable(supported)),
      ...messagesOf(request).flatMap(lostFromMessage),
    ]),
  ]
}

/** What they can be given of it only otherwise. */
export const changesInChat = (request: JsonObject, supported: Supported): FieldChange[] => {
  const changesInMessage = (message: JsonObject): FieldChange[] => {
    const table = tableOf(message)
    if (!table) return []
    return [...changesOfKeys(message, table, request, 'messages.'), ...detailsIn(message.content)]
  }
  return [
    ...changesOfKeys(request, bodyTable(supported), request),
    ...messagesOf(request).flatMap(changesInMessage),
  ]
}
