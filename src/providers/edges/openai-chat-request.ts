import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
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

export type ChatRequest = ChatCompletionCreateParamsNonStreaming

type Part = ChatCompletionContentPart | ChatCompletionContentPartRefusal
type Content = string | readonly Part[] | null | undefined
type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart

/** Anthropic has no JSON mode without a schema. */
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
      return fileOf(part.image_url.url, 'image/*')
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

/** Ids made by other providers may hold characters that Anthropic rejects; call and result change alike. */
const toolIdOf = (id: string): string => id.replaceAll(/[^\w-]/g, '_')

const toolCallOf = (call: ChatCompletionMessageToolCall) => {
  if (call.type !== 'function') throw new UntranslatableError('messages.tool_calls')
  return {
    type: 'tool-call' as const,
    toolCallId: toolIdOf(call.id),
    toolName: call.function.name,
    // A call without parameters is sent with empty arguments by some models.
    input: JSON.parse(call.function.arguments || '{}') as unknown,
  }
}

const assistantOf = (message: ChatCompletionAssistantMessageParam): LanguageModelV4Message => ({
  role: 'assistant',
  content: [
    ...textPartsOf(message.content),
    ...textPartsOf(message.refusal),
    ...(message.tool_calls ?? []).map(toolCallOf),
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

/** Instructions are gathered at the head: only the newest Claude models take them in mid-conversation. */
const promptOf = ({ messages, response_format }: ChatRequest): LanguageModelV4Message[] => {
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
        turns.push(assistantOf(message))
        break
      case 'tool': {
        const toolCallId = toolIdOf(message.tool_call_id)
        const toolName = toolNames.get(message.tool_call_id) ?? 'unknown'
        const output = { type: 'text' as const, value: textOf(message.content) }
        turns.push({ role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] })
        break
      }
      default:
        throw new UntranslatableError('messages.role')
    }
  }
  if (response_format?.type === 'json_object') instructions.push(jsonInstruction)
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
    ...(strict == null ? {} : { strict }),
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
): LanguageModelV4CallOptions['responseFormat'] => {
  if (format?.type !== 'json_schema') return undefined
  const { name, description, schema } = format.json_schema
  return { type: 'json', name, schema: schema ?? {}, ...(description ? { description } : {}) }
}

const anthropicOptionsOf = (body: ChatRequest) => {
  const userId = body.safety_identifier ?? body.user
  return {
    ...(body.parallel_tool_calls === false ? { disableParallelToolUse: true } : {}),
    ...(userId ? { metadata: { userId } } : {}),
  }
}

/** Throws where the body does not have the shape of a chat completion request, or holds what `lostFromChat` names. */
export const chatToCallOptions = (
  body: ChatRequest,
  maxOutputTokens: number,
): LanguageModelV4CallOptions => ({
  prompt: promptOf(body),
  maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? maxOutputTokens,
  temperature: body.temperature ?? undefined,
  topP: body.top_p ?? undefined,
  stopSequences: body.stop == null ? undefined : [body.stop].flat(),
  tools: body.tools?.map(toolOf),
  toolChoice: toolChoiceOf(body.tool_choice),
  responseFormat: responseFormatOf(body.response_format),
  reasoning: body.reasoning_effort ?? undefined,
  providerOptions: { anthropic: anthropicOptionsOf(body) },
})
