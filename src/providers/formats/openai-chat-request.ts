import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider'
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionContentPart,
  ChatCompletionContentPartRefusal,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageToolCall,
  ChatCompletionTool,
} from 'openai/resources/chat/completions'
import { isJsonObject } from '../../json/json-object.ts'
import { isThinkingBlock, reasoningParts } from './earlier-reasoning.ts'
import { type Effort, effortOf } from './effort.ts'
import { type PreparedCall, UntranslatableError } from './format-adapter.ts'
import { inlineData } from './media-types.ts'
import { imageTypeOf, type ProviderHints, type Supported } from './supported.ts'
import { ToolCallIds } from './tool-call-ids.ts'
import { ToolNames } from './tool-names.ts'

export type ChatRequest = ChatCompletionCreateParamsNonStreaming

type Part = ChatCompletionContentPart | ChatCompletionContentPartRefusal
type Content = string | readonly Part[] | null | undefined
type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart

/** For models without a JSON mode. */
const jsonInstruction = 'Answer with one JSON object and nothing else.'

const fileOf = (url: string, mediaType: string): LanguageModelV4FilePart => {
  const inline = inlineData(url)
  if (inline) {
    return { type: 'file', mediaType: inline.mediaType, data: { type: 'data', data: inline.data } }
  }
  if (!URL.canParse(url)) throw new UntranslatableError('messages.content.image_url')
  return { type: 'file', mediaType, data: { type: 'url', url: new URL(url) } }
}

const partOf = (part: Part): UserPart => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'refusal':
      return { type: 'text', text: part.refusal }
    case 'image_url':
      return fileOf(part.image_url.url, imageTypeOf(part.image_url.url))
    case 'file':
      return {
        ...fileOf(part.file.file_data ?? '', 'application/pdf'),
        ...(part.file.filename ? { filename: part.file.filename } : {}),
      }
    default:
      throw new UntranslatableError(`messages.content.${part.type}`)
  }
}

/** Empty texts are left out, as Anthropic rejects them. */
const partsOf = (content: Content, { refusesBlanks }: Supported): UserPart[] => {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : (content ?? [])
  const saysSomething = (part: UserPart): boolean =>
    part.type !== 'text' || (refusesBlanks ? part.text.trim() : part.text) !== ''
  return parts.map(partOf).filter(saysSomething)
}

/** Stands for an empty tool result where the model refuses blank texts. */
export const resultText = (text: string, { refusesBlanks }: Supported): string =>
  refusesBlanks && text.trim() === '' ? '(empty)' : text

const textPartsOf = (content: Content, supported: Supported): LanguageModelV4TextPart[] =>
  partsOf(content, supported).map(part => {
    if (part.type !== 'text') throw new UntranslatableError('messages.content')
    return part
  })

const textOf = (content: Content, supported: Supported): string =>
  textPartsOf(content, supported)
    .map(part => part.text)
    .join('\n')

/** What a request's turns share. */
interface Conversation {
  readonly supported: Supported
  readonly ids: ToolCallIds
  readonly names: ToolNames
}

/** Gemini's signature of a call, in the place that Google's own imitation of this format gives it. */
const signatureOf = (call: object) => {
  const extra = 'extra_content' in call && isJsonObject(call.extra_content) ? call.extra_content.google : null
  const signature = isJsonObject(extra) ? extra.thought_signature : null
  return typeof signature === 'string'
    ? {
        providerOptions: { google: { thoughtSignature: signature }, vertex: { thoughtSignature: signature } },
      }
    : {}
}

const toolCallOf = (call: ChatCompletionMessageToolCall, { ids, names }: Conversation) => {
  if (call.type !== 'function') throw new UntranslatableError('messages.tool_calls')
  return {
    type: 'tool-call' as const,
    toolCallId: ids.call(call.id),
    toolName: names.sent(call.function.name),
    input: argumentsOf(call.function.arguments),
    ...signatureOf(call),
  }
}

const reasoningOf = (message: ChatCompletionAssistantMessageParam, supported: Supported) => {
  const blocks = 'thinking_blocks' in message ? message.thinking_blocks : []
  const callsTools = (message.tool_calls?.length ?? 0) > 0
  return reasoningParts(Array.isArray(blocks) ? blocks.filter(isThinkingBlock) : [], callsTools, supported)
}

const assistantOf = (
  message: ChatCompletionAssistantMessageParam,
  conversation: Conversation,
): LanguageModelV4Message => ({
  role: 'assistant',
  content: [
    ...reasoningOf(message, conversation.supported),
    ...textPartsOf(message.content, conversation.supported),
    ...textPartsOf(message.refusal, conversation.supported),
    ...(message.tool_calls ?? []).map(call => toolCallOf(call, conversation)),
  ],
})

const toolNamesOf = (messages: ChatRequest['messages']): Map<string, string> => {
  const names = new Map<string, string>()
  for (const message of messages) {
    if (message.role !== 'assistant') continue
    for (const call of message.tool_calls ?? []) {
      if (call.type === 'function') names.set(call.id, call.function.name)
    }
  }
  return names
}

/**
 * The results of calls that were made together belong together: Gemini takes as many in a turn as it made
 * calls.
 */
const pushResult = (turns: LanguageModelV4Message[], result: LanguageModelV4ToolResultPart): void => {
  const last = turns.at(-1)
  if (last?.role === 'tool') last.content.push(result)
  else turns.push({ role: 'tool', content: [result] })
}

/** Instructions are gathered at the head: only the newest Claude models take them in mid-conversation. */
const promptOf = (
  { messages, response_format }: ChatRequest,
  conversation: Conversation,
): LanguageModelV4Message[] => {
  const { supported, ids, names } = conversation
  const toolNames = toolNamesOf(messages)
  const instructions: string[] = []
  const turns: LanguageModelV4Message[] = []
  for (const message of messages) {
    switch (message.role) {
      case 'system':
      case 'developer':
        instructions.push(...[textOf(message.content, supported)].filter(text => text !== ''))
        break
      case 'user':
        turns.push({ role: 'user', content: partsOf(message.content, supported) })
        break
      case 'assistant':
        turns.push(assistantOf(message, conversation))
        break
      case 'tool':
        pushResult(turns, {
          type: 'tool-result',
          toolCallId: ids.result(message.tool_call_id),
          toolName: names.sent(toolNames.get(message.tool_call_id) ?? 'unknown'),
          output: { type: 'text', value: resultText(textOf(message.content, supported), supported) },
        })
        break
      default:
        throw new UntranslatableError('messages.role')
    }
  }
  if (response_format?.type === 'json_object' && !supported.jsonMode) instructions.push(jsonInstruction)
  if (instructions.length > 0) turns.unshift({ role: 'system', content: instructions.join('\n') })
  return turns.filter(turn => turn.content.length > 0)
}

const toolOf = (tool: ChatCompletionTool, names: ToolNames) => {
  if (tool.type !== 'function') throw new UntranslatableError('tools')
  const { name, description, parameters, strict } = tool.function
  return {
    type: 'function' as const,
    name: names.sent(name),
    ...(description ? { description } : {}),
    inputSchema: { type: 'object' as const, properties: {}, ...parameters },
    // Not being strict is the default everywhere, and some models refuse the field.
    ...(strict ? { strict } : {}),
  }
}

const toolChoiceOf = (
  choice: ChatRequest['tool_choice'],
  names: ToolNames,
): LanguageModelV4CallOptions['toolChoice'] => {
  if (choice == null) return undefined
  if (typeof choice === 'string') return { type: choice }
  if (choice.type !== 'function') throw new UntranslatableError('tool_choice')
  return { type: 'tool', toolName: names.sent(choice.function.name) }
}

const responseFormatOf = (
  format: ChatRequest['response_format'],
  supported: Supported,
): LanguageModelV4CallOptions['responseFormat'] => {
  if (format?.type === 'json_object' && supported.jsonMode) return { type: 'json' }
  if (format?.type !== 'json_schema') return undefined
  const { name, description, schema } = format.json_schema
  return { type: 'json', name, schema: schema ?? {}, ...(description ? { description } : {}) }
}

const hintsOf = (body: ChatRequest, limit: number | undefined): ProviderHints => ({
  oneToolOnly: body.parallel_tool_calls === false,
  userId: body.safety_identifier ?? body.user ?? undefined,
  strictSchema: body.response_format?.type === 'json_schema' && !!body.response_format.json_schema.strict,
  effort: effortOf({ reasoning_effort: body.reasoning_effort }) as Effort | undefined,
  thinking: undefined,
  maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? limit,
})

/**
 * `limit`: for bodies that name none. Throws where the body does not have the shape of a chat completion
 * request, or holds what `lostFromChat` names.
 */
export const chatToCallOptions = (
  body: ChatRequest,
  supported: Supported,
  limit: number | undefined,
): PreparedCall => {
  const names = new ToolNames(supported.toolNames)
  const hints = hintsOf(body, limit)
  const options: LanguageModelV4CallOptions = {
    prompt: promptOf(body, { supported, ids: new ToolCallIds(supported.toolCallIds), names }),
    maxOutputTokens: hints.maxOutputTokens,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: 'top_k' in body && typeof body.top_k === 'number' ? body.top_k : undefined,
    seed: body.seed ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    stopSequences: body.stop == null ? undefined : [body.stop].flat(),
    tools: body.tools?.map(tool => toolOf(tool, names)),
    toolChoice: toolChoiceOf(body.tool_choice, names),
    responseFormat: responseFormatOf(body.response_format, supported),
    ...supported.settings(hints),
  }
  return { options, toolNames: names }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The arguments of a call that a model made in an earlier turn, as the object that most vendors insist on.
 * None are an empty object; one that was written twice is read twice; what is no JSON, as when an answer was
 * cut off, is shown as it is.
 */
const argumentsOf = (text: string): object => {
  if (text.trim() === '') return {}
  const once = parsed(text)
  const value = typeof once === 'string' ? (parsed(once) ?? once) : once
  if (isJsonObject(value)) return value
  return value === undefined ? { invalid_arguments: text } : { value }
}
