import { classify } from '../domain/classify/classify.ts'
import type { UpstreamDialect } from '../domain/endpoint.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import type { KeyStatus, UpstreamRequest } from './provider.ts'
import type { UpstreamType } from './upstream-type.ts'

/** `listing`: the models were asked for. `unknown_model`: a model was that does not exist. */
export type CheckMethod = 'listing' | 'unknown_model'

/** A call that no model can answer, so that it costs nothing: the key is judged before the model. */
export const unknownModelRequest: Omit<UpstreamRequest, 'apiKey' | 'signal'> = {
  endpoint: '/v1/chat/completions',
  body: '{"messages":[{"role":"user","content":"."}],"max_tokens":1}',
  model: 'baton-check',
  adjust: false,
}

/** The cheapest call that a model can answer. */
export const pingOf = (
  { native, lengthLimit = 'max_tokens' }: Pick<UpstreamType, 'native' | 'lengthLimit'>,
  model: string,
): Omit<UpstreamRequest, 'apiKey' | 'signal'> => ({
  endpoint: native.includes('/v1/messages') ? '/v1/messages' : '/v1/chat/completions',
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }], [lengthLimit]: 1 }),
  model,
  adjust: false,
})

/** What came back, judged as the answer to a job would be. */
export const keyStatusOf = (
  outcome: UpstreamOutcome,
  way: CheckMethod,
  dialect: UpstreamDialect,
  nowMs: number,
): KeyStatus => {
  if (outcome.kind === 'break') return outcome.reason === 'credentials' ? 'refused' : 'unreachable'
  if (outcome.status >= 200 && outcome.status <= 299) return isObject(outcome.json) ? 'ok' : 'unclear'
  switch (classify(outcome, { endpoint: unknownModelRequest.endpoint, dialect, nowMs }).kind) {
    case 'bad_credentials':
      return 'refused'
    case 'out_of_quota':
      return 'out_of_quota'
    case 'rate_limited':
      return 'throttled'
    case 'transient':
    case 'overloaded':
      return isMistaken(outcome) ? 'unclear' : 'unreachable'
    default:
      return way === 'unknown_model' && knowsNoSuchModel(outcome) ? 'ok' : 'unclear'
  }
}

const isObject = (json: unknown): boolean => typeof json === 'object' && json !== null

/**
 * What answers does not know the path: a server without a list of its models, or another one at the address.
 */
const isMistaken = ({ status }: UpstreamAnswer): boolean => status < 400 || status === 404 || status === 405

/** Bedrock reports an unknown model like any fault in a request: 400. */
const knowsNoSuchModel = ({ status, json }: UpstreamAnswer): boolean =>
  isObject(json) && (status === 404 || status === 400)
