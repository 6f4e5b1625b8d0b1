import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type FieldChange, type FieldRule, leaveOut, unless } from './field-rules.ts'
import { mediaTypeOf } from './media-types.ts'
import {
  changesOfKeys,
  isOneOf,
  type ParameterTable,
  unsupportedKeys,
  unsupportedParts,
} from './parameters.ts'
import type { Supported } from './supported.ts'

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
  Array.isArray(tools) &&
  tools.every(entry => isJsonObject(entry) && unsupportedKeys(entry, tool).length === 0)

const asksForOneTool = (choice: unknown): boolean =>
  isJsonObject(choice) && choice.disable_parallel_tool_use === true

const outputConfig = (supported: Supported, body: JsonObject): ParameterTable => ({
  carried: [],
  harmless: [],
  rules: { effort: supported.effort },
  onlyWhen: { format: value => supported.jsonSchema(value, body) },
})

const isForced = (choice: unknown): boolean => isJsonObject(choice) && isOneOf('any', 'tool')(choice.type)

const isEmpty = (value: unknown): boolean => isJsonObject(value) && typeof value.user_id !== 'string'

const rulesOf = (supported: Supported): Readonly<Record<string, FieldRule>> => ({
  temperature: supported.temperature,
  top_p: supported.topP,
  top_k: supported.topK,
  max_tokens: supported.maxTokens,
  thinking: supported.thinking,
  metadata: unless(isEmpty, supported.user),
  service_tier: unless(isOneOf('auto', 'standard_only', 'standard'), leaveOut),
})

const bodyTable = (supported: Supported): ParameterTable => ({
  carried: ['model', 'messages', 'system'],
  // Billing and caching of the provider that was asked first.
  harmless: ['cache_control', 'user_profile_id', 'workspace_id'],
  rules: rulesOf(supported),
  onlyWhen: {
    stop_sequences: value => Array.isArray(value) && supported.stops(value),
    tools: value =>
      areCustomTools(value) && (supported.strictTools || !value.some(({ strict }) => strict === true)),
    tool_choice: value =>
      (supported.oneToolOnly || !asksForOneTool(value)) && (supported.forcedTools || !isForced(value)),
    output_config: (value, body) =>
      isJsonObject(value) && unsupportedKeys(value, outputConfig(supported, body)).length === 0,
    stream: isOneOf(true, false),
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

const isShown = (source: unknown, supported: Supported): boolean => {
  if (isSource(source, 'url'))
    return URL.canParse(String(source.url)) && supported.imageUrl(String(source.url))
  if (!isSource(source, 'base64')) return false
  return supported.imageTypes.includes(
    mediaTypeOf(String(source.media_type), String(source.data).slice(0, 32)),
  )
}

const text: ParameterTable = { ...part('text'), harmless: ['cache_control', 'citations'] }

const image = (supported: Supported): ParameterTable => ({
  ...part(),
  onlyWhen: { source: source => isShown(source, supported) },
})

const isWithoutCitations = (citations: unknown): boolean => isJsonObject(citations) && !citations.enabled

/** A PDF goes inline only; plain text goes as text. */
const documentPart = (supported: Supported): ParameterTable => ({
  ...part('title', 'context'),
  onlyWhen: {
    source: source => isSource(source, 'text') || (supported.pdf && isSource(source, 'base64')),
    citations: isWithoutCitations,
  },
})

const toolUse: ParameterTable = {
  ...part('id', 'name', 'input'),
  onlyWhen: { caller: value => isJsonObject(value) && value.type === 'direct' },
}

const partTables = (supported: Supported): Readonly<Record<string, ParameterTable>> => ({
  text,
  image: image(supported),
  document: documentPart(supported),
  tool_use: toolUse,
  tool_result: part('tool_use_id', 'content', 'is_error'),
  // Earlier reasoning belongs to the model that signed it; no other can read it, and the answer stands
  // without.
  thinking: part('thinking', 'signature'),
  redacted_thinking: part('data'),
})

const messagesOf = ({ messages }: JsonObject): JsonObject[] =>
  Array.isArray(messages) ? messages.filter(isJsonObject) : []

const hasTypes = (content: unknown, ...types: string[]): boolean =>
  Array.isArray(content) && content.some(entry => isJsonObject(entry) && types.includes(String(entry.type)))

/** Names the fields of a messages request that are not supported. */
export const unsupportedInMessages = (request: JsonObject, supported: Supported): string[] => {
  const parts = partTables(supported)
  const isToolless = supported.needsTools && !(Array.isArray(request.tools) && request.tools.length > 0)
  const resultParts = { text, image: image(supported) }
  const lostFromToolResults = (content: unknown): string[] =>
    Array.isArray(content)
      ? content
          .filter(entry => isJsonObject(entry) && entry.type === 'tool_result')
          .flatMap(result =>
            unsupportedParts(result.content, resultParts, 'messages.content.tool_result.content.'),
          )
      : []
  const lostFromMessage = (entry: JsonObject): string[] => [
    ...unsupportedKeys(entry, message, 'messages.'),
    ...unsupportedParts(entry.content, parts, 'messages.content.'),
    ...lostFromToolResults(entry.content),
    ...(isToolless && hasTypes(entry.content, 'tool_use', 'tool_result')
      ? ['messages.content.tool_use']
      : []),
  ]
  return [
    ...new Set([
      ...unsupportedKeys(request, bodyTable(supported)),
      ...unsupportedParts(request.system, { text }, 'system.'),
      ...messagesOf(request).flatMap(lostFromMessage),
    ]),
  ]
}

/** What they can be given of it only otherwise. */
export const changesInMessages = (request: JsonObject, supported: Supported): FieldChange[] => [
  ...changesOfKeys(request, bodyTable(supported), request),
  ...(isJsonObject(request.output_config)
    ? changesOfKeys(request.output_config, outputConfig(supported, request), request, 'output_config.')
    : []),
]
