import type { LanguageModelV4Content, LanguageModelV4GenerateResult } from '@ai-sdk/provider'
import type {
  ContentBlock,
  Message,
  StopReason,
  ToolUseBlock,
  Usage,
} from '@anthropic-ai/sdk/resources/messages'
import { thinkingBlockOf } from './earlier-reasoning.ts'
import { type AnswerFacts, MalformedAnswerError } from './format-adapter.ts'
import type { ToolNames } from './tool-names.ts'

const stopReasons: Readonly<Record<LanguageModelV4GenerateResult['finishReason']['unified'], StopReason>> = {
  // Which stop sequence it was, if one, OpenAI does not say.
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  error: 'end_turn',
  interrupted: 'end_turn',
  other: 'end_turn',
}

/**
 * Arguments that the limit of length cut off are left out: Anthropic's clients know from the stop reason that
 * a call at the end of such an answer is not whole, and half of its values would be worse than none.
 */
export const inputOf = (text: string, isCut: boolean): unknown => {
  try {
    // A call without parameters comes with empty arguments, or none, from some models.
    return JSON.parse(text || '{}') ?? {}
  } catch {
    if (isCut) return {}
    throw new MalformedAnswerError('arguments that are no JSON')
  }
}

export const toolUseOf = (id: string, name: string, input: unknown): ToolUseBlock => ({
  type: 'tool_use',
  id,
  name,
  input,
  caller: { type: 'direct' },
})

const blockOf = (part: LanguageModelV4Content, isCut: boolean, names: ToolNames): ContentBlock[] => {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, citations: null }]
    case 'reasoning':
      return [thinkingBlockOf(part.text, part.providerMetadata)]
    case 'tool-call': {
      return [toolUseOf(part.toolCallId, names.original(part.toolName), inputOf(part.input, isCut))]
    }
    case 'file':
      throw noPlaceForFiles()
    default:
      return []
  }
}

/** OpenAI says `stop` after a call that `tool_choice` forced. */
export const stopReasonOf = (
  { unified }: LanguageModelV4GenerateResult['finishReason'],
  callsTool: boolean,
): StopReason => (unified === 'stop' && callsTool ? 'tool_use' : stopReasons[unified])

export const usageOf = ({ inputTokens, outputTokens }: LanguageModelV4GenerateResult['usage']): Usage => ({
  input_tokens: inputTokens.noCache ?? 0,
  output_tokens: outputTokens.total ?? 0,
  cache_creation_input_tokens: inputTokens.cacheWrite ?? 0,
  cache_read_input_tokens: inputTokens.cacheRead ?? 0,
  cache_creation: null,
  inference_geo: null,
  output_tokens_details: outputTokens.reasoning ? { thinking_tokens: outputTokens.reasoning } : null,
  server_tool_use: null,
  service_tier: null,
  speed: null,
})

const noTokens: LanguageModelV4GenerateResult['usage'] = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
}

/** A message of which nothing has come yet. */
export const emptyMessage = (id: string | undefined, facts: AnswerFacts): Message => ({
  id: id ?? `msg_${facts.id}`,
  type: 'message',
  role: 'assistant',
  model: facts.model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
  container: null,
  diagnostics: null,
  usage: usageOf(noTokens),
})

export const noPlaceForFiles = (): Error => new Error('a message has no place for a file')

/**
 * The result as an Anthropic message. Throws MalformedAnswerError where a tool call's arguments are no JSON
 * although it is done.
 */
export const messageFromResult = (
  { content, finishReason, usage, response }: LanguageModelV4GenerateResult,
  facts: AnswerFacts,
): Message => {
  const blocks = content.flatMap(part => blockOf(part, finishReason.unified === 'length', facts.toolNames))
  const callsTool = blocks.some(block => block.type === 'tool_use')
  return {
    ...emptyMessage(response?.id, facts),
    content: blocks,
    stop_reason: stopReasonOf(finishReason, callsTool),
    usage: usageOf(usage),
  }
}
