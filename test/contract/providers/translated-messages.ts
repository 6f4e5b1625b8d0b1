import { classify } from '../../../src/domain/classify/classify.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

const user = { role: 'user', content: 'hi' }

const message = { role: 'assistant', content: '4', refusal: null }
/** A chat completion. */
export const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4-0613',
  choices: [{ index: 0, message, finish_reason: 'stop', logprobs: null }],
  usage: { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22 },
}
/** The same with another message. */
export const completionOf = (changes: object, finish_reason = 'stop') => ({
  ...completion,
  choices: [{ index: 0, message: { ...message, ...changes }, finish_reason, logprobs: null }],
})

/** What arrives at the provider for a messages request, and what the client is given for the provider's answer. */
export const translateMessages = async (
  body: object,
  reply: object = completion,
  model = 'gpt-4',
  type = 'openai',
) => {
  const upstream = await openUpstream(answering(200, reply))
  const provider = openProvider({ type, base_url: `${upstream.url}/v1` })
  const full = { model: 'route', max_tokens: 99, messages: [user], ...body }
  const outcome = await provider.call(requestOf('/v1/messages', full, { model }))
  const verdict = classify(outcome, { endpoint: '/v1/messages', dialect: provider.dialect, nowMs })
  return { upstream, outcome, verdict, json: outcome.kind === 'answer' ? outcome.json : outcome }
}
