import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { mediaTypeOf } from './media-types.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable, steeredKeys } from './parameters.ts'
import type { Reach } from './reach.ts'
import { type FieldChange, leftOut, type Steering, unless } from './steering.ts'

const tool: ParameterTable = {
  carried: ['name', 'description', 'input_schema', 'strict'],
  harmless: ['cache_control', 'eager_input_streaming'],
  onlyWhen: {
    // Everything else is a tool that Anthropic's servers carry out.
    type: isOneOf('custom'),
    defer_loading: isOneOf(false),
    allowed_callers: value => Array.isArray(value) && value.every(isOneOf('direct')),
  },
}

const areCustomTools = (tools: unknown): tools is readonly JsonObject[] =>
  Array.isArray(tools) && tools.every(entry => isJsonObject(entry) && lostKeys(entry, tool).length === 0)

const asksForOneTool = (choice: unknown): boolean =>
  isJsonObject(choice) && choice.disable_parallel_tool_use === true

const outputConfig = (reach: Reach, body: JsonObject): ParameterTable => ({
  carried: [],
  harmless: [],
  steering: { effort: reach.effort },
  onlyWhen: { format: value => reach.jsonSchema(value, body) },
})

const isForced = (choice: unknown): boolean => isJsonObject(choice) && isOneOf('any', 'tool')(choice.type)

const isEmpty = (value: unknown): boolean => isJsonObject(value) && typeof value.user_id !== 'string'

const steeringOf = (reach: Reach): Readonly<Record<string, Steering>> => ({
  temperature: reach.temperature,
  top_p: reach.topP,
  top_k: reach.topK,
  max_tokens: reach.maxTokens,
  thinking: reach.thinking,
  metadata: unless(isEmpty, reach.user),
  service_tier: unless(isOneOf('auto', 'standard_only', 'standard'), leftOut),
})

const bodyTable = (reach: Reach): ParameterTable => ({
  carried: ['model', 'messages', 'system'],
  // Billing and caching of the provider that was asked first.
  harmless: ['cache_control', 'user_profile_id', 'workspace_id'],
  steering: steeringOf(reach),
  onlyWhen: {
    stop_sequences: value => Array.isArray(value) && reach.stops(value),
    tools: value =>
      areCustomTools(value) && (reach.strictTools || !value.some(({ strict }) => strict === true)),
    tool_choice: value =>
      (reach.oneToolOnly || !asksForOneTool(value)) && (reach.forcedTools || !isForced(value)),
    output_config: (value, body) =>
      isJsonObject(value) && lostKeys(value, outputConfig(reach, body)).length === 0,
    stream: isOneOf(false),
    speed: isOneOf('standard'),
  },
})

const message: ParameterTable = { carried: ['role', 'content'], harmless: [], onlyWhen: {} }

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['cache_control'],
  onlyWhen: {},
})

const isSource = (source: unknown, ...types: string[]): source is JsonObject =>
  isJsonObject(source) && types.includes(String(source.type))

const isShown = (source: unknown, reach: Reach): boolean => {
  if (isSource(source, 'url')) return URL.canParse(String(source.url)) && reach.imageUrl(String(source.url))
  if (!isSource(source, 'base64')) return false
  return reach.imageTypes.includes(mediaTypeOf(String(source.media_type), String(source.data).slice(0, 32)))
}

const text: ParameterTable = { ...part('text'), harmless: ['cache_control', 'citations'] }

const image = (reach: Reach): ParameterTable => ({
  ...part(),
  onlyWhen: { source: source => isShown(source, reach) },
})

const isWithoutCitations = (citations: unknown): boolean => isJsonObject(citations) && !citations.enabled

/** A PDF goes inline only; plain text goes as text. */
const documentPart = (reach: Reach): ParameterTable => ({
  ...part('title', 'context'),
  onlyWhen: {
    source: source => isSource(source, 'text') || (reach.pdf && isSource(source, 'base64')),
    citations: isWithoutCitations,
  },
})

const toolUse: ParameterTable = {
  ...part('id', 'name', 'input'),
  onlyWhen: { caller: value => isJsonObject(value) && value.type === 'direct' },
}

const partTables = (reach: Reach): Readonly<Record<string, ParameterTable>> => ({
  text,
  image: image(reach),
  document: documentPart(reach),
  tool_use: toolUse,
  tool_result: part('tool_use_id', 'content', 'is_error'),
  // Earlier reasoning belongs to the model that signed it; no other can read it, and the answer stands without.
  thinking: part('thinking', 'signature'),
  redacted_thinking: part('data'),
})

const messagesOf = ({ messages }: JsonObject): JsonObject[] =>
  Array.isArray(messages) ? messages.filter(isJsonObject) : []

const hasTypes = (content: unknown, ...types: string[]): boolean =>
  Array.isArray(content) && content.some(entry => isJsonObject(entry) && types.includes(String(entry.type)))

/** Names what the models within `reach` cannot be given of a messages request. */
export const lostFromMessages = (request: JsonObject, reach: Reach): string[] => {
  const parts = partTables(reach)
  const isToolless = reach.needsTools && !(Array.isArray(request.tools) && request.tools.length > 0)
  const resultParts = { text, image: image(reach) }
  const lostFromToolResults = (content: unknown): string[] =>
    Array.isArray(content)
      ? content
          .filter(entry => isJsonObject(entry) && entry.type === 'tool_result')
          .flatMap(result => lostParts(result.content, resultParts, 'messages.content.tool_result.content.'))
      : []
  const lostFromMessage = (entry: JsonObject): string[] => [
    ...lostKeys(entry, message, 'messages.'),
    ...lostParts(entry.content, parts, 'messages.content.'),
    ...lostFromToolResults(entry.content),
    ...(isToolless && hasTypes(entry.content, 'tool_use', 'tool_result')
      ? ['messages.content.tool_use']
      : []),
  ]
  return [
    ...new Set([
      ...lostKeys(request, bodyTable(reach)),
      ...lostParts(request.system, { text }, 'system.'),
      ...messagesOf(request).flatMap(lostFromMessage),
    ]),
  ]
}

/** What they can be given of it only otherwise. */
export const steeredInMessages = (request: JsonObject, reach: Reach): FieldChange[] => [
  ...steeredKeys(request, bodyTable(reach), request),
  ...(isJsonObject(request.output_config)
    ? steeredKeys(request.output_config, outputConfig(reach, request), request, 'output_config.')
    : []),
]
