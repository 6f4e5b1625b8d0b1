import type { AnswerContext } from './answer.ts'

/** Tokens as all of OpenAI's formats but Responses count them. */
export const usageOf = ({ request, outputTokens }: AnswerContext) => ({
  prompt_tokens: request.inputTokens,
  completion_tokens: outputTokens,
  total_tokens: request.inputTokens + outputTokens,
})

function chatChoice({ answer, number }: AnswerContext) {
  const text = answer.kind === 'text' ? answer.text : null
  const message = { role: 'assistant', content: text, refusal: null }
  if (answer.kind !== 'tool') {
    const finishReason = answer.kind === 'refusal' ? 'content_filter' : 'stop'
    return { index: 0, message, logprobs: null, finish_reason: finishReason }
  }
  const call = { id: `call_sim${number}`, type: 'function', function: { name: answer.name, arguments: '{}' } }
  return {
    index: 0,
    message: { ...message, tool_calls: [call] },
    logprobs: null,
    finish_reason: 'tool_calls',
  }
}

export const chatCompletion = (context: AnswerContext) => ({
  id: `chatcmpl-sim${context.number}`,
  object: 'chat.completion',
  created: context.createdS,
  model: context.request.model,
  choices: context.answer.kind === 'empty' ? [] : [chatChoice(context)],
  usage: usageOf(context),
})

function completionChoice({ answer }: AnswerContext) {
  const text = answer.kind === 'text' ? answer.text : ''
  const finishReason = answer.kind === 'refusal' ? 'content_filter' : 'stop'
  return { text, index: 0, logprobs: null, finish_reason: finishReason }
}

export const textCompletion = (context: AnswerContext) => ({
  id: `cmpl-sim${context.number}`,
  object: 'text_completion',
  created: context.createdS,
  model: context.request.model,
  choices: context.answer.kind === 'empty' ? [] : [completionChoice(context)],
  usage: usageOf(context),
})

function outputItems({ answer, number }: AnswerContext): readonly unknown[] {
  if (answer.kind === 'tool') {
    const ids = { id: `fc_sim${number}`, call_id: `call_sim${number}` }
    return [{ ...ids, type: 'function_call', name: answer.name, arguments: '{}', status: 'completed' }]
  }
  if (answer.kind !== 'text') return []
  const content = [{ type: 'output_text', text: answer.text, annotations: [] }]
  return [{ id: `msg_sim${number}`, type: 'message', role: 'assistant', status: 'completed', content }]
}

export const response = (context: AnswerContext) => ({
  id: `resp_sim${context.number}`,
  object: 'response',
  created_at: context.createdS,
  status: context.answer.kind === 'refusal' ? 'incomplete' : 'completed',
  model: context.request.model,
  error: null,
  incomplete_details: context.answer.kind === 'refusal' ? { reason: 'content_filter' } : null,
  instructions: null,
  metadata: {},
  output: outputItems(context),
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage: {
    input_tokens: context.request.inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: context.outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: context.request.inputTokens + context.outputTokens,
  },
})

export const modelList = (models: readonly string[], createdS: number) => ({
  object: 'list',
  data: models.map(id => ({ id, object: 'model', created: createdS, owned_by: 'simulated' })),
})
