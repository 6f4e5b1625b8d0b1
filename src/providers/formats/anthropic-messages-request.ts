import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider'
import type {
  ContentBlockParam,
  DocumentBlockParam,
  ImageBlockParam,
  MessageCreateParamsNonStreaming,
  TextBlockParam,
  ToolChoice,
  ToolResultBlockParam,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages'
import { reasoningParts } from './earlier-reasoning.ts'
import { effortOf } from './effort.ts'
import { type PreparedCall, UntranslatableError } from './format-adapter.ts'
import { mediaTypeOf } from './media-types.ts'
import { resultText } from './openai-chat-request.ts'
import { imageTypeOf, type ProviderHints, type Supported } from './supported.ts'
import { ToolCallIds } from './tool-call-ids.ts'
import { ToolNames } from './tool-names.ts'

/** Together with the parameters that the newest version of the API, which the SDK types, no longer has. */
export type MessagesRequest = MessageCreateParamsNonStreaming & {
  temperature?: number
  top_p?: number
  top_k?: number
}

type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart
type AssistantPart = LanguageModelV4TextPart | LanguageModelV4ToolCallPart

/** What a request's turns share. */
interface Conversation {
  readonly supported: Supported
  readonly ids: ToolCallIds
  readonly names: ToolNames
  /** The names of calls, by their ids. */
  readonly called: Map<string, string>
}

const blocksOf = <Block>(content: string | readonly Block[]): readonly (Block | TextBlockParam)[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

const imageOf = ({ source }: ImageBlockParam): LanguageModelV4FilePart => {
  switch (source.type) {
    case 'base64':
      return {
        type: 'file',
        mediaType: mediaTypeOf(source.media_type, source.data.slice(0, 32)),
        data: { type: 'data', data: source.data },
      }
    case 'url':
      if (!URL.canParse(source.url)) throw new UntranslatableError('messages.content.image')
      return {
        type: 'file',
        mediaType: imageTypeOf(source.url),
        data: { type: 'url', url: new URL(source.url) },
      }
    default:
      throw new UntranslatableError('messages.content.image')
  }
}

const documentOf = ({ source, title, context }: DocumentBlockParam): UserPart[] => {
  const labels = [title, context].filter(label => typeof label === 'string' && label !== '')
  switch (source.type) {
    case 'text':
      return [{ type: 'text', text: [...labels, source.data].join('\n\n') }]
    case 'base64': {
      const data = { type: 'data' as const, data: source.data }
      const file = { type: 'file' as const, mediaType: source.media_type, data }
      const named = title ? { ...file, filename: title } : file
      return context ? [{ type: 'text', text: context }, named] : [named]
    }
    default:
      throw new UntranslatableError('messages.content.document')
  }
}

const userPartsOf = (block: ContentBlockParam): UserPart[] => {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }]
    case 'image':
      return [imageOf(block)]
    case 'document':
      return documentOf(block)
    default:
      throw new UntranslatableError(`messages.content.${block.type}`)
  }
}

const assistantPartsOf = (block: ContentBlockParam, { ids, names }: Conversation): AssistantPart[] => {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }]
    case 'tool_use':
      return [
        {
          type: 'tool-call',
          toolCallId: ids.call(block.id),
          toolName: names.sent(block.name),
          input: block.input,
        },
      ]
    case 'thinking':
    case 'redacted_thinking':
      return []
    default:
      throw new UntranslatableError(`messages.content.${block.type}`)
  }
}

/** A tool message of OpenAI holds text only, so its images follow in the user's turn. */
const imagesFollow = 'The result is the image in the next message.'

const toolResultOf = (block: ToolResultBlockParam, { supported, ids, names, called }: Conversation) => {
  const texts: string[] = []
  const images: LanguageModelV4FilePart[] = []
  for (const part of blocksOf(block.content ?? '')) {
    if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'image') images.push(imageOf(part))
    else throw new UntranslatableError(`messages.content.tool_result.content.${part.type}`)
  }
  if (images.length > 0) texts.push(imagesFollow)
  const result: LanguageModelV4ToolResultPart = {
    type: 'tool-result',
    toolCallId: ids.result(block.tool_use_id),
    toolName: names.sent(called.get(block.tool_use_id) ?? 'unknown'),
    output: { type: block.is_error ? 'error-text' : 'text', value: resultText(texts.join('\n'), supported) },
  }
  return { result, images }
}

/**
 * One user turn of Anthropic: tool results become a turn of their own before the rest, as OpenAI wants them.
 */
const userTurnsOf = (
  blocks: readonly ContentBlockParam[],
  conversation: Conversation,
): LanguageModelV4Message[] => {
  const results: LanguageModelV4ToolResultPart[] = []
  const content: UserPart[] = []
  for (const block of blocks) {
    if (block.type === 'tool_result') {
      const { result, images } = toolResultOf(block, conversation)
      results.push(result)
      content.push(...images)
    } else content.push(...userPartsOf(block))
  }
  return [
    { role: 'tool', content: results },
    { role: 'user', content: content.filter(part => saysSomething(part, conversation.supported)) },
  ]
}

const saysSomething = (part: { type: string; text?: unknown }, { refusesBlanks }: Supported): boolean =>
  part.type !== 'text' || (refusesBlanks ? String(part.text).trim() : part.text) !== ''

const assistantOf = (
  blocks: readonly ContentBlockParam[],
  conversation: Conversation,
): LanguageModelV4Message => {
  const { supported } = conversation
  const thoughts = blocks.filter(block => block.type === 'thinking' || block.type === 'redacted_thinking')
  const callsTools = blocks.some(block => block.type === 'tool_use')
  const parts = blocks.flatMap(block => assistantPartsOf(block, conversation))
  return {
    role: 'assistant',
    content: [
      ...reasoningParts(thoughts, callsTools, supported),
      ...parts.filter(part => saysSomething(part, supported)),
    ],
  }
}

const textOf = (content: string | readonly ContentBlockParam[]): string =>
  blocksOf(content)
    .map(block => {
      if (block.type !== 'text') throw new UntranslatableError('system')
      return block.text
    })
    .join('\n')

const promptOf = (
  { system, messages }: MessagesRequest,
  conversation: Conversation,
): LanguageModelV4Message[] => {
  const turns: LanguageModelV4Message[] = []
  if (system) turns.push({ role: 'system', content: textOf(system) })
  for (const { role, content } of messages) {
    const blocks = blocksOf(content)
    for (const block of blocks) if (block.type === 'tool_use') conversation.called.set(block.id, block.name)
    if (role === 'user') turns.push(...userTurnsOf(blocks, conversation))
    else if (role === 'assistant') turns.push(assistantOf(blocks, conversation))
    else if (role === 'system') turns.push({ role, content: textOf(content) })
    else throw new UntranslatableError('messages.role')
  }
  return turns.filter(turn => turn.content.length > 0)
}

const toolOf = (tool: ToolUnion, names: ToolNames) => {
  if (!('input_schema' in tool)) throw new UntranslatableError('tools')
  const { name, description, input_schema, strict } = tool
  return {
    type: 'function' as const,
    name: names.sent(name),
    ...(description ? { description } : {}),
    inputSchema: input_schema,
    ...(strict == null ? {} : { strict }),
  }
}

const toolChoiceOf = (
  choice: ToolChoice | null | undefined,
  names: ToolNames,
): LanguageModelV4CallOptions['toolChoice'] => {
  switch (choice?.type) {
    case undefined:
      return undefined
    case 'any':
      return { type: 'required' }
    case 'tool':
      return { type: 'tool', toolName: names.sent(choice.name) }
    case 'auto':
    case 'none':
      return { type: choice.type }
    default:
      throw new UntranslatableError('tool_choice')
  }
}

const allowsOneToolOnly = (choice: ToolChoice | null | undefined): boolean =>
  choice != null && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use === true

const thinkingOf = (thinking: MessagesRequest['thinking'] | null): ProviderHints['thinking'] => {
  switch (thinking?.type) {
    case 'enabled':
      return thinking.budget_tokens
    case 'adaptive':
    case 'disabled':
      return thinking.type
    default:
      return undefined
  }
}

const hintsOf = (body: MessagesRequest, limit: number | undefined): ProviderHints => ({
  oneToolOnly: allowsOneToolOnly(body.tool_choice),
  userId: body.metadata?.user_id ?? undefined,
  strictSchema: true,
  effort: effortOf({ output_config: body.output_config }),
  thinking: thinkingOf(body.thinking),
  maxOutputTokens: body.max_tokens ?? limit,
})

/**
 * `limit`: for bodies that name none. Throws where the body does not have the shape of a messages request, or
 * holds what `lostFromMessages` names.
 */
export const messagesToCallOptions = (
  body: MessagesRequest,
  supported: Supported,
  limit: number | undefined,
): PreparedCall => {
  const format = body.output_config?.format
  const names = new ToolNames(supported.toolNames)
  const ids = new ToolCallIds(supported.toolCallIds)
  const hints = hintsOf(body, limit)
  const options: LanguageModelV4CallOptions = {
    prompt: promptOf(body, { supported, ids, names, called: new Map() }),
    maxOutputTokens: hints.maxOutputTokens,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k ?? undefined,
    stopSequences: body.stop_sequences ?? undefined,
    tools: body.tools?.map(tool => toolOf(tool, names)),
    toolChoice: toolChoiceOf(body.tool_choice, names),
    responseFormat: format ? { type: 'json', schema: format.schema } : undefined,
    ...supported.settings(hints),
  }
  return { options, toolNames: names }
}
