import type { JsonObject } from '../../json/json-object.ts'
import type { Endpoint } from '../endpoint.ts'
import { type ErrorFacts, errorFacts, startOf } from './error-facts.ts'
import { asRecord, firstRecord } from './json-shape.ts'

/**
 * The error inside a 2xx, or null. OpenRouter reports a provider that failed midway in `choices[0].error`,
 * MiniMax every error in `base_resp`.
 */
export const factsInAnswer = (body: JsonObject): ErrorFacts | null =>
  errorFacts(body) ?? errorFacts(firstRecord(body.choices)) ?? factsOfBase(asRecord(body.base_resp))

/**
 * The status that an error inside a 2xx would have had. A failed response blames the request unless its code
 * says otherwise.
 */
export function impliedStatus({ status, names }: ErrorFacts, endpoint: Endpoint): number {
  if (status !== null) return status
  const blamesRequest =
    names.includes('invalid_request_error') || (endpoint === '/v1/responses' && names.length > 0)
  return blamesRequest ? 400 : 500
}

/** MiniMax numbers its errors: https://platform.minimax.io/docs/api-reference/errorcode */
const statusOfBase: Readonly<Record<number, number>> = {
  1002: 429, // requests
  1039: 429, // tokens
  1004: 401,
  2049: 401,
  1008: 402,
  1026: 451, // the prompt
  1027: 451, // the answer
  2013: 400,
}

const factsOfBase = (base: JsonObject | null): ErrorFacts | null => {
  const code = base?.status_code
  if (typeof code !== 'number' || code === 0) return null
  const message = typeof base?.status_msg === 'string' ? startOf(base.status_msg) : ''
  return { names: [], message, status: statusOfBase[code] ?? 500 }
}
