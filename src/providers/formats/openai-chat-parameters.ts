import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable, steeredKeys } from './parameters.ts'
import { type Reach, showsImage } from './reach.ts'
import { type FieldChange, leftOut, type Steering, unless } from './steering.ts'

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
  (steering: Steering): Steering =>
  (value, body) =>
    body.max_completion_tokens === null || body.max_completion_tokens === undefined
      ? steering(value, body)
      : null

/** Sampling and thought, as single vendors have added to OpenAI's format. */
const extensions = ['min_p', 'top_a', 'repetition_penalty', 'thinking', 'enable_thinking', 'reasoning']

const steeringOf = (reach: Reach): Readonly<Record<string, Steering>> => ({
  temperature: reach.temperature,
  top_p: reach.topP,
  top_k: reach.topK,
  seed: reach.seed,
  presence_penalty: unless(isZero, reach.penalty),
  frequency_penalty: unless(isZero, reach.penalty),
  logit_bias: unless(isEmpty, leftOut),
  reasoning_effort: reach.effort,
  max_tokens: effectiveLimit(reach.maxTokens),
  max_completion_tokens: reach.maxTokens,
  user: reach.user,
  safety_identifier: reach.user,
  // Labels, storage and speed at the provider that was asked first.
  metadata: unless(isEmpty, leftOut),
  store: unless(isOneOf(false), leftOut),
  service_tier: unless(isOneOf('auto', 'default'), leftOut),
  verbosity: unless(isOneOf('medium'), leftOut),
  prediction: leftOut,
  ...Object.fromEntries(extensions.map(name => [name, leftOut])),
})

const bodyTable = (reach: Reach): ParameterTable => ({
  carried: ['model', 'messages'],
  // What it costs, and how it arrives.
  harmless: ['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'stream_options'],
  steering: steeringOf(reach),
  onlyWhen: {
    stop: value => reach.stops([value].flat()),
    parallel_tool_calls: value => value !== false || reach.oneToolOnly,
    tools: value => areFunctions(value) && (reach.strictTools || !value.some(isStrict)),
    tool_choice: value => isKnownToolChoice(value) && (reach.forcedTools || !isForced(value)),
    response_format: (value, body) =>
      hasKnownType('text', 'json_object')(value) ||
      (hasKnownType('json_schema')(value) && reach.jsonSchema(value, body)),
    stream: isOneOf(false),
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
  steering: { name: leftOut },
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
  tool: { ...plain('tool_call_id'), harmless: ['name'], steering: {} },
}

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['prompt_cache_breakpoint', 'cache_control'],
  onlyWhen: {},
})

const isInlinePdf = (file: unknown): boolean =>
  isJsonObject(file) && /^data:application\/(?:x-)?pdf\s*;/i.test(String(file.file_data))

const asksForDetail = (image: unknown): boolean =>
  isJsonObject(image) && ![null, undefined, 'auto'].includes(image.detail as null)

const partTables = (reach: Reach): Readonly<Record<string, ParameterTable>> => ({
  text: part('text'),
  refusal: part('refusal'),
  image_url: {
    ...part(),
    onlyWhen: { image_url: image => showsImage(reach, isJsonObject(image) ? String(image.url) : '') },
  },
  file: { ...part(), onlyWhen: { file: file => reach.pdf && isInlinePdf(file) } },
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

/** Names what the models within `reach` cannot be given of a chat completion request. */
export const lostFromChat = (request: JsonObject, reach: Reach): string[] => {
  const parts = partTables(reach)
  const isToolless = reach.needsTools && !(Array.isArray(request.tools) && request.tools.length > 0)
  const lostFromMessage = (message: JsonObject): string[] => {
    const table = tableOf(message)
    if (!table) return ['messages.role']
    return [
      ...(isToolless && isToolTurn(message) ? ['messages.tool_calls'] : []),
      ...lostKeys(message, table, 'messages.'),
      ...lostParts(message.content, parts, 'messages.content.'),
    ]
  }
  return [
    ...new Set([...lostKeys(request, bodyTable(reach)), ...messagesOf(request).flatMap(lostFromMessage)]),
  ]
}

/** What they can be given of it only otherwise. */
export const steeredInChat = (request: JsonObject, reach: Reach): FieldChange[] => {
  const steeredInMessage = (message: JsonObject): FieldChange[] => {
    const table = tableOf(message)
    if (!table) return []
    return [...steeredKeys(message, table, request, 'messages.'), ...detailsIn(message.content)]
  }
  return [
    ...steeredKeys(request, bodyTable(reach), request),
    ...messagesOf(request).flatMap(steeredInMessage),
  ]
}
