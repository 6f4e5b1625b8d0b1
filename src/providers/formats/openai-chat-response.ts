import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider'
import type { ChatCompletion, ChatCompletionMessageToolCall } from 'openai/resources/chat/completions'
import { thinkingBlockOf, unsigned } from './earlier-reasoning.ts'
import type { AnswerFacts } from './format-adapter.ts'

type FinishReason = ChatCompletion.Choice['finish_reason']

const finishReasons: Readonly<
  Record<LanguageModelV4GenerateResult['finishReason']['unified'], FinishReason>
> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  // OpenAI has no word for the rest: the answer ended, as it stands.
  error: 'stop',
  interrupted: 'stop',
  other: 'stop',
}

/**
 * A turn of Claude that wants to be gone on with is not done: the nearest that OpenAI's clients know is an
 * answer cut off.
 */
export const finishOf = ({ raw, unified }: LanguageModelV4GenerateResult['finishReason']): FinishReason =>
  raw === 'pause_turn' ? 'length' : finishReasons[unified]

export const usageOf = ({ inputTokens, outputTokens }: LanguageModelV4GenerateResult['usage']) => {
  const input = inputTokens.total ?? 0
  const output = outputTokens.total ?? 0
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: inputTokens.cacheRead ?? 0,
      cache_write_tokens: inputTokens.cacheWrite ?? 0,
    },
    completion_tokens_details: { reasoning_tokens: outputTokens.reasoning ?? 0 },
  }
}

/**
 * Reasoning as those who show it in this format write it, and beside it what a later turn needs to bring it
 * back: LiteLLM's clients know both names.
 */
export const reasoningOf = (content: readonly LanguageModelV4Content[]) => {
  const blocks = content.flatMap(part =>
    part.type === 'reasoning' ? [thinkingBlockOf(part.text, part.providerMetadata)] : [],
  )
  const text = blocks.map(block => (block.type === 'thinking' ? block.thinking : '')).join('')
  const isSigned = blocks.some(block => block.type !== 'thinking' || block.signature !== unsigned)
  return {
    ...(text === '' ? {} : { reasoning_content: text }),
    ...(isSigned ? { thinking_blocks: blocks } : {}),
  }
}

/** Gemini wants the signature of a call back; this is where Google's own imitation of this format has it. */
export const signatureOf = ({
  providerMetadata: metadata,
}: {
  readonly providerMetadata?: SharedV4ProviderMetadata
}) => {
  const signature = (metadata?.google ?? metadata?.vertex ?? metadata?.googleVertex)?.thoughtSignature
  return typeof signature === 'string' ? { extra_content: { google: { thought_signature: signature } } } : {}
}

export const noPlaceForFiles = (): Error => new Error('a chat completion has no place for a file')

/**
 * The result as a chat completion. Sources have no place in one and are left out. Throws where a file was
 * made.
 */
export const chatFromResult = (
  { content, finishReason, usage, response }: LanguageModelV4GenerateResult,
  facts: AnswerFacts,
): ChatCompletion => {
  if (content.some(part => part.type === 'file')) throw noPlaceForFiles()
  const text = content.flatMap(part => (part.type === 'text' ? [part.text] : [])).join('')
  const toolCalls = content.flatMap((part): ChatCompletionMessageToolCall[] =>
    part.type === 'tool-call'
      ? [
          {
            id: part.toolCallId,
            type: 'function',
            function: { name: facts.toolNames.original(part.toolName), arguments: part.input || '{}' },
            ...signatureOf(part),
          },
        ]
      : [],
  )
  const message = {
    role: 'assistant' as const,
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...reasoningOf(content),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  }
  return {
    id: response?.id ?? `chatcmpl-${facts.id}`,
    object: 'chat.completion',
    created: facts.created,
    model: facts.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(finishReason) }],
    usage: usageOf(usage),
  }
}
