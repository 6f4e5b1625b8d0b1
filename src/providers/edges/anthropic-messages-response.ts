import type { LanguageModelV4Content, LanguageModelV4GenerateResult } from '@ai-sdk/provider'
import type { ContentBlock, Message, StopReason, Usage } from '@anthropic-ai/sdk/resources/messages'
import type { AnswerFacts } from './edge.ts'

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

const blockOf = (part: LanguageModelV4Content): ContentBlock[] => {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, citations: null }]
    case 'tool-call': {
      // Throws on arguments that a model has left incomplete: such an answer is of no use to the client.
      const input: unknown = JSON.parse(part.input || '{}')
      return [
        { type: 'tool_use', id: part.toolCallId, name: part.toolName, input, caller: { type: 'direct' } },
      ]
    }
    default:
      return []
  }
}

const usageOf = ({ inputTokens, outputTokens }: LanguageModelV4GenerateResult['usage']): Usage => ({
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

/** The result as an Anthropic message. Throws where a tool call's arguments are not JSON. */
export const messageFromResult = (
  { content, finishReason, usage, response }: LanguageModelV4GenerateResult,
  facts: AnswerFacts,
): Message => {
  const blocks = content.flatMap(blockOf)
  // OpenAI says `stop` after a call that `tool_choice` forced.
  const callsTool = finishReason.unified === 'stop' && blocks.some(block => block.type === 'tool_use')
  return {
    id: response?.id ?? `msg_${facts.id}`,
    type: 'message',
    role: 'assistant',
    model: facts.model,
    content: blocks,
    stop_reason: callsTool ? 'tool_use' : stopReasons[finishReason.unified],
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: usageOf(usage),
  }
}
