import type { AnswerContext } from './answer.ts'

function contentOf({ answer, number }: AnswerContext): readonly unknown[] {
  if (answer.kind === 'text') return [{ type: 'text', text: answer.text, citations: null }]
  if (answer.kind !== 'tool') return []
  const caller = { type: 'direct' }
  return [{ type: 'tool_use', id: `toolu_sim${number}`, caller, name: answer.name, input: {} }]
}

const stopReason = { text: 'end_turn', tool: 'tool_use', refusal: 'refusal', empty: 'end_turn' }

export const message = (context: AnswerContext) => ({
  id: `msg_sim${context.number}`,
  type: 'message',
  role: 'assistant',
  model: context.request.model,
  content: contentOf(context),
  stop_reason: stopReason[context.answer.kind],
  stop_sequence: null,
  stop_details:
    context.answer.kind === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null,
  container: null,
  diagnostics: null,
  usage: {
    input_tokens: context.request.inputTokens,
    output_tokens: context.outputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: null,
    inference_geo: null,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: 'standard',
    speed: null,
  },
})

export const modelPage = (models: readonly string[], createdS: number) => ({
  data: models.map(id => ({
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(createdS * 1_000).toISOString().replace('.000Z', 'Z'),
  })),
  has_more: false,
  first_id: models[0] ?? null,
  last_id: models.at(-1) ?? null,
})
