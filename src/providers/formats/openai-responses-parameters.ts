import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type FieldChange, leaveOut, unless } from './field-rules.ts'
import { isInlinePdf } from './media-types.ts'
import { itemsOf, partsOf } from './openai-responses-items.ts'
import { chatSettingsOf } from './openai-responses-request.ts'
import {
  changesOfKeys,
  isOneOf,
  type ParameterTable,
  unsupportedKeys,
  unsupportedParts,
} from './parameters.ts'
import { type Supported, showsImage } from './supported.ts'

const isEmpty = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0

const isDirect = (caller: unknown): boolean => isJsonObject(caller) && caller.type === 'direct'

/** All others are carried out by OpenAI's servers, or are of forms that only its models know. */
const functionTool: ParameterTable = {
  carried: ['name', 'description', 'parameters', 'strict'],
  harmless: [],
  onlyWhen: {
    type: isOneOf('function'),
    defer_loading: isOneOf(false),
    async: isOneOf(false),
    allowed_callers: value => Array.isArray(value) && value.every(isOneOf('direct')),
  },
}

const areFunctions = (tools: unknown): tools is readonly JsonObject[] =>
  Array.isArray(tools) &&
  tools.every(tool => isJsonObject(tool) && unsupportedKeys(tool, functionTool).length === 0)

const isKnownToolChoice = (choice: unknown): boolean =>
  isJsonObject(choice) ? choice.type === 'function' : isOneOf('auto', 'none', 'required')(choice)

const isForced = (choice: unknown): boolean => choice === 'required' || isJsonObject(choice)

/** What only OpenAI's hosted tools could add is missing without them; the reasoning is in the answer anyway. */
const asksForLogprobs = (include: unknown): boolean =>
  Array.isArray(include) && include.includes('message.output_text.logprobs')

const formatTypes = isOneOf('text', 'json_object')

/** The tables of one request; the rules of models read it in the terms of chat completions. */
const tablesOf = (supported: Supported, chat: JsonObject) => {
  const text: ParameterTable = {
    carried: [],
    harmless: [],
    rules: { verbosity: unless(isOneOf('medium'), leaveOut) },
    onlyWhen: {
      format: format =>
        isJsonObject(format) &&
        (formatTypes(format.type) ||
          (format.type === 'json_schema' && supported.jsonSchema(chat.response_format, chat))),
    },
  }
  const reasoning: ParameterTable = {
    carried: [],
    // How the thought is told: it comes as the model tells it.
    harmless: ['summary', 'generate_summary'],
    rules: {
      effort: supported.effort,
      context: unless(isOneOf('auto'), leaveOut),
      mode: unless(isOneOf('standard'), leaveOut),
    },
    onlyWhen: {},
  }
  const holds = (table: ParameterTable) => (value: unknown) =>
    isJsonObject(value) && unsupportedKeys(value, table).length === 0
  const body: ParameterTable = {
    carried: ['model', 'input', 'instructions'],
    // What it costs, how it arrives, and how often tools of OpenAI's own are called.
    harmless: [
      ...['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'stream_options'],
      'max_tool_calls',
    ],
    rules: {
      temperature: supported.temperature,
      top_p: supported.topP,
      max_output_tokens: supported.maxTokens,
      user: supported.user,
      safety_identifier: supported.user,
      // Labels, storage and speed at the provider that was asked first, and what it does with too long a prompt.
      metadata: unless(isEmpty, leaveOut),
      store: unless(isOneOf(false), leaveOut),
      service_tier: unless(isOneOf('auto', 'default'), leaveOut),
      truncation: unless(isOneOf('disabled'), leaveOut),
    },
    onlyWhen: {
      parallel_tool_calls: value => value !== false || supported.oneToolOnly,
      tools: value =>
        areFunctions(value) && (supported.strictTools || !value.some(({ strict }) => strict === true)),
      tool_choice: value => isKnownToolChoice(value) && (supported.forcedTools || !isForced(value)),
      text: holds(text),
      reasoning: holds(reasoning),
      include: value => !asksForLogprobs(value),
      background: isOneOf(false),
      stream: isOneOf(true, false),
      top_logprobs: isOneOf(0),
    },
  }
  return { body, text, reasoning }
}

const item = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  // As replayed answers bring them along.
  harmless: ['id', 'status', 'phase'],
  onlyWhen: { caller: isDirect, async: isOneOf(false) },
})

const items: Readonly<Record<string, ParameterTable>> = {
  message: item('role', 'content'),
  function_call: item('call_id', 'name', 'arguments', 'extra_content'),
  function_call_output: { ...item('call_id', 'output'), harmless: ['id', 'status', 'name'] },
  // Earlier reasoning belongs to the model that made it; the answer stands without.
  reasoning: item('summary', 'content', 'encrypted_content'),
}

const part = (...carried: string[]): ParameterTable => ({
  carried: ['type', ...carried],
  harmless: ['annotations', 'logprobs', 'prompt_cache_breakpoint'],
  onlyWhen: {},
})

const partTables = (supported: Supported): Readonly<Record<string, ParameterTable>> => ({
  input_text: part('text'),
  output_text: part('text'),
  refusal: part('refusal'),
  input_image: {
    ...part(),
    onlyWhen: { image_url: url => showsImage(supported, String(url)) },
    rules: { detail: unless(isOneOf('auto'), leaveOut) },
  },
  input_file: {
    ...part('filename'),
    onlyWhen: { file_data: data => supported.pdf && isInlinePdf(data) },
    rules: { detail: unless(isOneOf('auto'), leaveOut) },
  },
})

/** Content comes with messages, and with the results of tools. */
const contentOf = ({ content, output }: JsonObject): readonly JsonObject[] => [
  ...partsOf(content),
  ...partsOf(output),
]

const roles = isOneOf('user', 'assistant', 'system', 'developer')

const isToolItem = ({ type }: JsonObject): boolean =>
  type === 'function_call' || type === 'function_call_output'

/** Names the fields of a Responses request that are not supported. */
export const unsupportedInResponses = (request: JsonObject, supported: Supported): string[] => {
  const parts = partTables(supported)
  const { input_text, input_image } = parts
  const isToolless = supported.needsTools && !(Array.isArray(request.tools) && request.tools.length > 0)
  const lostFromItem = (entry: JsonObject): string[] => [
    ...(isToolless && isToolItem(entry) ? [`input.${entry.type}`] : []),
    ...unsupportedParts([entry], items, 'input.'),
    ...(entry.type === 'message' && !roles(entry.role) ? ['input.role'] : []),
    ...(entry.type === 'message' ? unsupportedParts(entry.content, parts, 'input.content.') : []),
    ...unsupportedParts(entry.output, { input_text, input_image } as typeof parts, 'input.output.'),
  ]
  return [
    ...new Set([
      ...unsupportedKeys(request, tablesOf(supported, chatSettingsOf(request)).body),
      ...itemsOf(request).flatMap(lostFromItem),
    ]),
  ]
}

/** What they can be given of it only otherwise. */
export const changesInResponses = (request: JsonObject, supported: Supported): FieldChange[] => {
  const chat = chatSettingsOf(request)
  const { body, text, reasoning } = tablesOf(supported, chat)
  const parts = partTables(supported)
  const changesWithin = (name: 'text' | 'reasoning', table: ParameterTable): FieldChange[] => {
    const owner = request[name]
    return isJsonObject(owner) ? changesOfKeys(owner, table, chat, `${name}.`) : []
  }
  const changesInPart = (entry: JsonObject): FieldChange[] => {
    const table = parts[String(entry.type)]
    return table ? changesOfKeys(entry, table, chat, `input.content.${entry.type}.`) : []
  }
  return [
    ...changesOfKeys(request, body, chat),
    ...changesWithin('text', text),
    ...changesWithin('reasoning', reasoning),
    ...itemsOf(request).flatMap(contentOf).flatMap(changesInPart),
  ]
}
