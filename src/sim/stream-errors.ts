import { dialectOf, type Endpoint } from '../domain/endpoint.ts'
import { anthropicError } from './anthropic-errors.ts'
import type { JsonErrorKind } from './behaviour.ts'
import { openAiError } from './openai-errors.ts'
import { named, type StreamPart, unnamed } from './stream-parts.ts'

/**
 * The event in which a stream that began well tells an error. Responses has two: `error`, and a failed response once there
 * is one. `number`: how many events came before.
 */
export function errorPart(
  endpoint: Endpoint,
  kind: JsonErrorKind,
  model: string,
  number: number,
): StreamPart {
  if (dialectOf(endpoint) === 'anthropic') {
    return named('closing', 'error', { error: anthropicError(kind, model).error })
  }
  const { error } = openAiError(kind, model)
  if (endpoint !== '/v1/responses') return unnamed('closing', { error })
  const { message, param } = error
  const code = error.code ?? error.type
  if (number === 0) return named('closing', 'error', { code, message, param, sequence_number: 0 })
  const response = {
    id: 'resp_sim',
    object: 'response',
    status: 'failed',
    error: { code, message },
    output: [],
  }
  return named('closing', 'response.failed', { sequence_number: number, response })
}
