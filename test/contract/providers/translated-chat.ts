import { classify } from '../../../src/domain/classify/classify.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

const user = { role: 'user', content: 'hi' }

/** An Anthropic message. */
export const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-dated',
  content: [{ type: 'text', text: '4' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 11, output_tokens: 3 },
}

/** What arrives at the provider for a chat completion, and what the client is given for the provider's answer. */
export const translateChat = async (
  body: object,
  reply: object = message,
  model = 'claude-3-sonnet',
  settings = {},
  request = {},
) => {
  const upstream = await openUpstream(
    answering(200, reply, { 'anthropic-ratelimit-requests-remaining': '9' }),
  )
  const provider = openProvider({ type: 'anthropic', base_url: upstream.url, ...settings })
  const full = { model: 'route', messages: [user], ...body }
  const outcome = await provider.call(requestOf('/v1/chat/completions', full, { model, ...request }))
  const verdict = classify(outcome, { endpoint: '/v1/chat/completions', dialect: provider.dialect, nowMs })
  return { upstream, outcome, verdict, json: outcome.kind === 'answer' ? outcome.json : outcome }
}
