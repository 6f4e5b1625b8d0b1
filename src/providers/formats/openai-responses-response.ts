import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4ToolCall,
} from '@ai-sdk/provider'
import type {
  Response,
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
  ResponseUsage,
} from 'openai/resources/responses/responses'
import { repeatedRequest } from '../../domain/repeated-request.ts'
import { type ThinkingBlock, thinkingBlockOf } from './earlier-reasoning.ts'
import type { AnswerFacts } from './format-adapter.ts'
import { signatureOf } from './openai-chat-response.ts'
import { reasoningOfBlock } from './openai-responses-reasoning.ts'

/** Without a member that OpenAI's clients add, and one that only OpenAI has. */
export type TranslatedResponse = Omit<Response, 'output_text' | 'access_programs' | 'usage'> & {
  readonly usage: ResponseUsage | null
  readonly store: false
}

type Ended = 'completed' | 'incomplete'
type Ending = LanguageModelV4GenerateResult['finishReason']

/** A turn of Claude that wants to be gone on with is not done: the nearest is an answer cut off. */
const incompleteFor = ({ raw, unified }: Ending): Response.IncompleteDetails | null => {
  if (unified === 'length' || raw === 'pause_turn') return { reason: 'max_output_tokens' }
  return unified === 'content-filter' ? { reason: 'content_filter' } : null
}

const usageOf = ({ inputTokens, outputTokens }: LanguageModelV4GenerateResult['usage']): ResponseUsage => {
  const input = inputTokens.total ?? 0
  const output = outputTokens.total ?? 0
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: inputTokens.cacheRead ?? 0,
      cache_write_tokens: inputTokens.cacheWrite ?? 0,
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: outputTokens.reasoning ?? 0 },
    total_tokens: input + output,
  }
}

/** The facts of one answer in hand, the ids of its items are the same however they are put together. */
const idOf = (prefix: string, { id }: AnswerFacts, index?: number): string =>
  `${prefix}_${id.replaceAll('-', '')}${index ?? ''}`

export const textPart = (text: string) => ({
  type: 'output_text' as const,
  text,
  annotations: [],
  logprobs: [],
})

export const messageItem = (
  facts: AnswerFacts,
  index: number,
  status: 'in_progress' | Ended,
  text: string | null,
): ResponseOutputMessage => ({
  id: idOf('msg', facts, index),
  type: 'message',
  role: 'assistant',
  status,
  content: text === null ? [] : [textPart(text)],
})

export const reasoningItem = (
  facts: AnswerFacts,
  index: number,
  block: ThinkingBlock,
): ResponseReasoningItem => ({ id: idOf('rs', facts, index), type: 'reasoning', ...reasoningOfBlock(block) })

export type Call = Pick<LanguageModelV4ToolCall, 'toolCallId' | 'toolName' | 'input' | 'providerMetadata'>

export const callItem = (
  facts: AnswerFacts,
  index: number,
  call: Call,
  status: 'in_progress' | Ended = callStatusOf(call.input),
): ResponseFunctionToolCall => ({
  id: idOf('fc', facts, index),
  type: 'function_call',
  status,
  call_id: call.toolCallId,
  name: facts.toolNames.original(call.toolName),
  arguments: call.input,
  ...signatureOf(call),
})

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A call that was cut off has arguments that are not whole. */
export const callStatusOf = (input: string): Ended => (isJson(input) ? 'completed' : 'incomplete')

/** Texts that come one after the other are one message. An answer that was cut off was so in its last item. */
const outputOf = (content: readonly LanguageModelV4Content[], facts: AnswerFacts, ended: Ended) => {
  const output: ResponseOutputItem[] = []
  const texts: string[] = []
  const endMessage = (status: Ended): void => {
    const text = texts.splice(0).join('')
    if (text !== '') output.push(messageItem(facts, output.length, status, text))
  }
  for (const part of content) {
    if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'reasoning' || part.type === 'tool-call') {
      endMessage('completed')
      output.push(
        part.type === 'tool-call'
          ? callItem(facts, output.length, { ...part, input: part.input || '{}' })
          : reasoningItem(facts, output.length, thinkingBlockOf(part.text, part.providerMetadata)),
      )
    }
  }
  endMessage(ended)
  return output
}

/** A response as it is before, while and after its answer comes. */
export const responseOf = (
  facts: AnswerFacts,
  status: 'in_progress' | Ended,
  output: ResponseOutputItem[],
): TranslatedResponse => ({
  id: idOf('resp', facts),
  object: 'response',
  created_at: facts.created,
  status,
  background: false,
  error: null,
  incomplete_details: null,
  model: facts.model,
  output,
  ...(repeatedRequest(facts.request) as Pick<
    Response,
    'instructions' | 'metadata' | 'parallel_tool_calls' | 'temperature' | 'tool_choice' | 'tools' | 'top_p'
  >),
  // Nothing is kept that a later request could name.
  store: false,
  usage: null,
})

/** How a response ends, beside its output. */
export const endingOf = (
  facts: AnswerFacts,
  { finishReason, usage }: Pick<LanguageModelV4GenerateResult, 'finishReason' | 'usage'>,
) => {
  const incomplete = incompleteFor(finishReason)
  return {
    status: incomplete === null ? ('completed' as const) : ('incomplete' as const),
    completed_at: incomplete === null ? facts.created : null,
    incomplete_details: incomplete,
    usage: usageOf(usage),
  }
}

export const noPlaceForFiles = (): Error => new Error('a response has no place for a file')

/** The result as a response. Sources have no place in it and are left out. Throws where a file was made. */
export const responseFromResult = (
  { content, ...ended }: LanguageModelV4GenerateResult,
  facts: AnswerFacts,
): TranslatedResponse => {
  if (content.some(part => part.type === 'file')) throw noPlaceForFiles()
  const ending = endingOf(facts, ended)
  const output = outputOf(content, facts, ending.status)
  return { ...responseOf(facts, ending.status, output), ...ending }
}
