import { isJsonObject, type JsonObject } from './json.ts'
import { isOneOf, lostKeys, lostParts, type ParameterTable } from './parameters.ts'
import type { Reach } from './reach.ts'

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

const outputConfig: ParameterTable = { carried: ['effort', 'format'], harmless: [], onlyWhen: {} }

const bodyTable = (reach: Reach): ParameterTable => ({
  carried: ['model', 'messages', 'system', 'max_tokens', ...(reach.topK ? ['top_k'] : [])],
  // Labels, billing and caching of the provider that was asked first. A `metadata.user_id` among them: Anthropic's
  // clients send longer ones than the 64 characters OpenAI takes.
  harmless: ['metadata', 'service_tier', 'cache_control', 'user_profile_id', 'workspace_id'],
  onlyWhen: {
    temperature: reach.temperature,
    top_p: reach.topP,
    stop_sequences: value => Array.isArray(value) && reach.stops(value),
    tools: value =>
      areCustomTools(value) && (reach.strictTools || !value.some(({ strict }) => strict === true)),
    tool_choice: value => reach.oneToolOnly || !asksForOneTool(value),
    output_config: value => isJsonObject(value) && lostKeys(value, outputConfig).length === 0,
    // A budget in tokens has no counterpart; to think as much as the model sees fit, or not at all, asks for nothing.
    thinking: value => isJsonObject(value) && isOneOf('adaptive', 'disabled')(value.type),
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

const hasSource =
  (...types: string[]) =>
  (source: unknown): boolean =>
    isJsonObject(source) && types.includes(String(source.type))

const text: ParameterTable = { ...part('text'), harmless: ['cache_control', 'citations'] }

const image = (reach: Reach): ParameterTable => ({
  ...part(),
  onlyWhen: {
    source: source =>
      hasSource('base64')(source) ||
      (hasSource('url')(source) && reach.imageUrl(String((source as JsonObject).url))),
  },
})

const isWithoutCitations = (citations: unknown): boolean => isJsonObject(citations) && !citations.enabled

/** A PDF goes inline only; plain text goes as text. */
const documentPart = (reach: Reach): ParameterTable => ({
  ...part('title', 'context'),
  onlyWhen: {
    source: reach.pdf ? hasSource('base64', 'text') : hasSource('text'),
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

/** Names what the models within `reach` cannot be given of a messages request. */
export const lostFromMessages = (request: JsonObject, reach: Reach): string[] => {
  const parts = partTables(reach)
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
  ]
  const list = Array.isArray(request.messages) ? request.messages.filter(isJsonObject) : []
  return [
    ...new Set([
      ...lostKeys(request, bodyTable(reach)),
      ...lostParts(request.system, { text }, 'system.'),
      ...list.flatMap(lostFromMessage),
    ]),
  ]
}
