import { isJsonObject, type JsonObject } from './json.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable } from './parameters.ts'

/** The most that OpenAI takes. */
const maxStopSequences = 4

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

const areCustomTools = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.every(entry => isJsonObject(entry) && lostKeys(entry, tool).length === 0)

const outputConfig: ParameterTable = { carried: ['effort', 'format'], harmless: [], onlyWhen: {} }

const body: ParameterTable = {
  carried: ['model', 'messages', 'system', 'max_tokens', 'temperature', 'top_p', 'tool_choice'],
  // Labels, billing and caching of the provider that was asked first. A `metadata.user_id` among them: Anthropic's
  // clients send longer ones than the 64 characters OpenAI takes.
  harmless: ['metadata', 'service_tier', 'cache_control', 'user_profile_id', 'workspace_id'],
  onlyWhen: {
    stop_sequences: value => Array.isArray(value) && value.length <= maxStopSequences,
    tools: areCustomTools,
    output_config: value => isJsonObject(value) && lostKeys(value, outputConfig).length === 0,
    // A budget in tokens has no counterpart; to think as much as the model sees fit, or not at all, asks for nothing.
    thinking: value => isJsonObject(value) && isOneOf('adaptive', 'disabled')(value.type),
    stream: isOneOf(false),
    speed: isOneOf('standard'),
  },
}

const message: ParameterTable = { carried: ['role', 'content'], harmless: [], onlyWhen: {} }

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['cache_control'],
  onlyWhen: {},
})

const hasSource =
  (...types: string[]) =>
  (source: unknown): boolean =>
    isJsonObject(source) && types.includes(String(source.type))

const text: ParameterTable = { ...part('text'), harmless: ['cache_control', 'citations'] }

const image: ParameterTable = { ...part(), onlyWhen: { source: hasSource('base64', 'url') } }

const isWithoutCitations = (citations: unknown): boolean => isJsonObject(citations) && !citations.enabled

/** OpenAI takes a PDF inline only; plain text goes as text. */
const documentPart: ParameterTable = {
  ...part('title', 'context'),
  onlyWhen: { source: hasSource('base64', 'text'), citations: isWithoutCitations },
}

const toolUse: ParameterTable = {
  ...part('id', 'name', 'input'),
  onlyWhen: { caller: value => isJsonObject(value) && value.type === 'direct' },
}

const toolResultParts = { text, image }

const parts: Readonly<Record<string, ParameterTable>> = {
  text,
  image,
  document: documentPart,
  tool_use: toolUse,
  tool_result: part('tool_use_id', 'content', 'is_error'),
  // Earlier reasoning belongs to the model that signed it; no other can read it, and the answer stands without.
  thinking: part('thinking', 'signature'),
  redacted_thinking: part('data'),
}

const lostFromToolResults = (content: unknown): string[] =>
  Array.isArray(content)
    ? content
        .filter(entry => isJsonObject(entry) && entry.type === 'tool_result')
        .flatMap(result =>
          lostParts(result.content, toolResultParts, 'messages.content.tool_result.content.'),
        )
    : []

const lostFromMessage = (entry: JsonObject): string[] => [
  ...lostKeys(entry, message, 'messages.'),
  ...lostParts(entry.content, parts, 'messages.content.'),
  ...lostFromToolResults(entry.content),
]

/** Names what an OpenAI chat model cannot be given of a messages request. */
export const lostFromMessages = (request: JsonObject): string[] => {
  const list = Array.isArray(request.messages) ? request.messages.filter(isJsonObject) : []
  return [
    ...new Set([
      ...lostKeys(request, body),
      ...lostParts(request.system, { text }, 'system.'),
      ...list.flatMap(lostFromMessage),
    ]),
  ]
}
