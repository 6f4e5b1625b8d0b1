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
import { UntranslatableError } from './edge.ts'
import { imageTypeOf, type Reach, type Wishes } from './reach.ts'

export type ChatRequest = ChatCompletionCreateParamsNonStreaming

type Part = ChatCompletionContentPart | ChatCompletionContentPartRefusal
type Content = string | readonly Part[] | null | undefined
type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart

/** For models without a JSON mode. */
const jsonInstruction = 'Answer with one JSON object and nothing else.'

const dataUrl = /^data:([^;,]+);base64,(.*)$/s

const fileOf = (url: string, mediaType: string): LanguageModelV4FilePart => {
  const inline = dataUrl.exec(url)
  if (inline) return { type: 'file', mediaType: inline[1]!, data: { type: 'data', data: inline[2]! } }
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

/** Empty texts are left out: Anthropic rejects them. */
const partsOf = (content: Content): UserPart[] => {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : (content ?? [])
  return parts.map(partOf).filter(part => part.type !== 'text' || part.text !== '')
}

const textPartsOf = (content: Content): LanguageModelV4TextPart[] =>
  partsOf(content).map(part => {
    if (part.type !== 'text') throw new UntranslatableError('messages.content')
    return part
  })

const textOf = (content: Content): string =>
  textPartsOf(content)
    .map(part => part.text)
    .join('\n')

const toolCallOf = (call: ChatCompletionMessageToolCall, reach: Reach) => {
  if (call.type !== 'function') throw new UntranslatableError('messages.tool_calls')
  return {
    type: 'tool-call' as const,
    toolCallId: reach.toolCallId(call.id),
    toolName: call.function.name,
    // A call without parameters is sent with empty arguments by some models.
    input: JSON.parse(call.function.arguments || '{}') as unknown,
  }
}

const assistantOf = (message: ChatCompletionAssistantMessageParam, reach: Reach): LanguageModelV4Message => ({
  role: 'assistant',
  content: [
    ...textPartsOf(message.content),
    ...textPartsOf(message.refusal),
    ...(message.tool_calls ?? []).map(call => toolCallOf(call, reach)),
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

/** The results of calls that were made together belong together: Gemini takes as many in a turn as it made calls. */
const pushResult = (turns: LanguageModelV4Message[], result: LanguageModelV4ToolResultPart): void => {
  const last = turns.at(-1)
  if (last?.role === 'tool') last.content.push(result)
  else turns.push({ role: 'tool', content: [result] })
}

/** Instructions are gathered at the head: only the newest Claude models take them in mid-conversation. */
const promptOf = ({ messages, response_format }: ChatRequest, reach: Reach): LanguageModelV4Message[] => {
  const toolNames = toolNamesOf(messages)
  const instructions: string[] = []
  const turns: LanguageModelV4Message[] = []
  for (const message of messages) {
    switch (message.role) {
      case 'system':
      case 'developer':
        instructions.push(textOf(message.content))
        break
      case 'user':
        turns.push({ role: 'user', content: partsOf(message.content) })
        break
      case 'assistant':
        turns.push(assistantOf(message, reach))
        break
      case 'tool':
        pushResult(turns, {
          type: 'tool-result',
          toolCallId: reach.toolCallId(message.tool_call_id),
          toolName: toolNames.get(message.tool_call_id) ?? 'unknown',
          output: { type: 'text', value: textOf(message.content) },
        })
        break
      default:
        throw new UntranslatableError('messages.role')
    }
  }
  if (response_format?.type === 'json_object' && !reach.jsonMode) instructions.push(jsonInstruction)
  if (instructions.length > 0) turns.unshift({ role: 'system', content: instructions.join('\n') })
  return turns.filter(turn => turn.content.length > 0)
}

const toolOf = (tool: ChatCompletionTool) => {
  if (tool.type !== 'function') throw new UntranslatableError('tools')
  const { name, description, parameters, strict } = tool.function
  return {
    type: 'function' as const,
    name,
    ...(description ? { description } : {}),
    inputSchema: { type: 'object' as const, properties: {}, ...parameters },
    // Not being strict is the default everywhere, and some models may not be told.
    ...(strict ? { strict } : {}),
  }
}

const toolChoiceOf = (choice: ChatRequest['tool_choice']): LanguageModelV4CallOptions['toolChoice'] => {
  if (choice == null) return undefined
  if (typeof choice === 'string') return { type: choice }
  if (choice.type !== 'function') throw new UntranslatableError('tool_choice')
  return { type: 'tool', toolName: choice.function.name }
}

const responseFormatOf = (
  format: ChatRequest['response_format'],
  reach: Reach,
): LanguageModelV4CallOptions['responseFormat'] => {
  if (format?.type === 'json_object' && reach.jsonMode) return { type: 'json' }
  if (format?.type !== 'json_schema') return undefined
  const { name, description, schema } = format.json_schema
  return { type: 'json', name, schema: schema ?? {}, ...(description ? { description } : {}) }
}

const wishesOf = (body: ChatRequest): Wishes => ({
  oneToolOnly: body.parallel_tool_calls === false,
  userId: body.safety_identifier ?? body.user ?? undefined,
  strictSchema: body.response_format?.type === 'json_schema' && !!body.response_format.json_schema.strict,
})

/** Throws where the body does not have the shape of a chat completion request, or holds what `lostFromChat` names. */
export const chatToCallOptions = (
  body: ChatRequest,
  reach: Reach,
  maxOutputTokens: number | undefined,
): LanguageModelV4CallOptions => ({
  prompt: promptOf(body, reach),
  maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? maxOutputTokens,
  temperature: body.temperature ?? undefined,
  topP: body.top_p ?? undefined,
  seed: body.seed ?? undefined,
  // 0 says nothing, and models without penalties may not be told even that.
  presencePenalty: body.presence_penalty || undefined,
  frequencyPenalty: body.frequency_penalty || undefined,
  stopSequences: body.stop == null ? undefined : [body.stop].flat(),
  tools: body.tools?.map(toolOf),
  toolChoice: toolChoiceOf(body.tool_choice),
  responseFormat: responseFormatOf(body.response_format, reach),
  reasoning: body.reasoning_effort ?? undefined,
  providerOptions: reach.options(wishesOf(body)),
})
