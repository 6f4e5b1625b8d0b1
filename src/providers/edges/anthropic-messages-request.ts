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
import { UntranslatableError } from './edge.ts'
import { imageTypeOf, type Reach } from './reach.ts'

/** Together with the parameters that the newest version of the API, which the SDK types, no longer has. */
export type MessagesRequest = MessageCreateParamsNonStreaming & {
  temperature?: number
  top_p?: number
  top_k?: number
}

type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart
type AssistantPart = LanguageModelV4TextPart | LanguageModelV4ToolCallPart

const blocksOf = <Block>(content: string | readonly Block[]): readonly (Block | TextBlockParam)[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

const imageOf = ({ source }: ImageBlockParam): LanguageModelV4FilePart => {
  switch (source.type) {
    case 'base64':
      return { type: 'file', mediaType: source.media_type, data: { type: 'data', data: source.data } }
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

const assistantPartsOf = (block: ContentBlockParam, reach: Reach): AssistantPart[] => {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }]
    case 'tool_use':
      return [
        {
          type: 'tool-call',
          toolCallId: reach.toolCallId(block.id),
          toolName: block.name,
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

const toolResultOf = (block: ToolResultBlockParam, toolName: string, reach: Reach) => {
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
    toolCallId: reach.toolCallId(block.tool_use_id),
    toolName,
    output: { type: block.is_error ? 'error-text' : 'text', value: texts.join('\n') },
  }
  return { result, images }
}

/** One user turn of Anthropic: tool results become a turn of their own before the rest, as OpenAI wants them. */
const userTurnsOf = (
  blocks: readonly ContentBlockParam[],
  toolNames: ReadonlyMap<string, string>,
  reach: Reach,
): LanguageModelV4Message[] => {
  const results: LanguageModelV4ToolResultPart[] = []
  const content: UserPart[] = []
  for (const block of blocks) {
    if (block.type === 'tool_result') {
      const { result, images } = toolResultOf(block, toolNames.get(block.tool_use_id) ?? 'unknown', reach)
      results.push(result)
      content.push(...images)
    } else content.push(...userPartsOf(block))
  }
  return [
    { role: 'tool', content: results },
    { role: 'user', content },
  ]
}

const textOf = (content: string | readonly ContentBlockParam[]): string =>
  blocksOf(content)
    .map(block => {
      if (block.type !== 'text') throw new UntranslatableError('system')
      return block.text
    })
    .join('\n')

const promptOf = ({ system, messages }: MessagesRequest, reach: Reach): LanguageModelV4Message[] => {
  const toolNames = new Map<string, string>()
  const turns: LanguageModelV4Message[] = []
  if (system) turns.push({ role: 'system', content: textOf(system) })
  for (const { role, content } of messages) {
    const blocks = blocksOf(content)
    for (const block of blocks) if (block.type === 'tool_use') toolNames.set(block.id, block.name)
    if (role === 'user') turns.push(...userTurnsOf(blocks, toolNames, reach))
    else if (role === 'assistant')
      turns.push({ role, content: blocks.flatMap(block => assistantPartsOf(block, reach)) })
    else if (role === 'system') turns.push({ role, content: textOf(content) })
    else throw new UntranslatableError('messages.role')
  }
  return turns.filter(turn => turn.content.length > 0)
}

const toolOf = (tool: ToolUnion) => {
  if (!('input_schema' in tool)) throw new UntranslatableError('tools')
  const { name, description, input_schema, strict } = tool
  return {
    type: 'function' as const,
    name,
    ...(description ? { description } : {}),
    inputSchema: input_schema,
    ...(strict == null ? {} : { strict }),
  }
}

const toolChoiceOf = (choice: ToolChoice | undefined): LanguageModelV4CallOptions['toolChoice'] => {
  switch (choice?.type) {
    case undefined:
      return undefined
    case 'any':
      return { type: 'required' }
    case 'tool':
      return { type: 'tool', toolName: choice.name }
    case 'auto':
    case 'none':
      return { type: choice.type }
    default:
      throw new UntranslatableError('tool_choice')
  }
}

const allowsOneToolOnly = (choice: ToolChoice | undefined): boolean =>
  choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use === true

/** Throws where the body does not have the shape of a messages request, or holds what `lostFromMessages` names. */
export const messagesToCallOptions = (body: MessagesRequest, reach: Reach): LanguageModelV4CallOptions => {
  const { format, effort } = body.output_config ?? {}
  return {
    prompt: promptOf(body, reach),
    maxOutputTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    stopSequences: body.stop_sequences,
    tools: body.tools?.map(toolOf),
    toolChoice: toolChoiceOf(body.tool_choice),
    responseFormat: format ? { type: 'json', schema: format.schema } : undefined,
    reasoning: effort ?? undefined,
    providerOptions: reach.options({
      oneToolOnly: allowsOneToolOnly(body.tool_choice),
      userId: undefined,
      strictSchema: true,
    }),
  }
}
