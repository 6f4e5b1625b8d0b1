import type { Answer, AnswerContext } from './answer.ts'
import { usageOf } from './openai-answers.ts'
import { jsonAt } from './read-request.ts'
import { argumentPieces, type StreamOf, type StreamPart, tokensOf, unnamed } from './stream-parts.ts'

const done = unnamed('end', '[DONE]')

const finishOf: Record<Exclude<Answer['kind'], 'empty'>, string> = {
  text: 'stop',
  tool: 'tool_calls',
  refusal: 'content_filter',
}

/**
 * The fields that all chunks of a stream share. Who asks for the usage gets it in one more chunk, without choices, and a
 * null in all before it: https://platform.openai.com/docs/api-reference/chat-streaming
 */
function chunker(context: AnswerContext, id: string, object: string) {
  const asksForUsage = jsonAt(context.request.body, 'stream_options', 'include_usage') === true
  const shared = { id, object, created: context.createdS, model: context.request.model }
  const usage = asksForUsage ? { usage: null } : {}
  return {
    chunk: (stage: StreamPart['stage'], choice: object) =>
      unnamed(stage, { ...shared, choices: [{ index: 0, ...choice }], ...usage }),
    last: asksForUsage ? [unnamed('closing', { ...shared, choices: [], usage: usageOf(context) })] : [],
  }
}

/** What the model says, as the deltas that a chat is told in. */
function deltasOf({ answer, number }: AnswerContext): readonly object[] {
  if (answer.kind === 'text') return tokensOf(answer.text).map(content => ({ content }))
  if (answer.kind !== 'tool') return []
  const call = { id: `call_sim${number}`, type: 'function', function: { name: answer.name, arguments: '' } }
  return [call, ...argumentPieces.map(piece => ({ function: { arguments: piece } }))].map(part => ({
    tool_calls: [{ index: 0, ...part }],
  }))
}

export const chatStream: StreamOf = context => {
  const { answer, number } = context
  const { chunk, last } = chunker(context, `chatcmpl-sim${number}`, 'chat.completion.chunk')
  if (answer.kind === 'empty') return [...last, done]
  const part = (stage: StreamPart['stage'], delta: object, finish: string | null = null) =>
    chunk(stage, { delta, logprobs: null, finish_reason: finish })
  return [
    part('opening', { role: 'assistant', content: answer.kind === 'text' ? '' : null, refusal: null }),
    ...deltasOf(context).map(delta => part('content', delta)),
    part('closing', {}, finishOf[answer.kind]),
    ...last,
    done,
  ]
}

export const completionStream: StreamOf = context => {
  const { answer, number } = context
  const { chunk, last } = chunker(context, `cmpl-sim${number}`, 'text_completion')
  if (answer.kind === 'empty') return [...last, done]
  const part = (stage: StreamPart['stage'], text: string, finish: string | null = null) =>
    chunk(stage, { text, logprobs: null, finish_reason: finish })
  const texts = answer.kind === 'text' ? tokensOf(answer.text) : []
  return [
    ...texts.map(text => part('content', text)),
    // A tool is no concern of this format: its answer is an empty text, as without streaming.
    part('closing', '', finishOf[answer.kind === 'tool' ? 'text' : answer.kind]),
    ...last,
    done,
  ]
}
