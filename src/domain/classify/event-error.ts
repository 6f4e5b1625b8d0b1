import type { ErrorFacts } from './error-facts.ts'
import { factsInAnswer } from './error-in-answer.ts'
import { asRecord } from './json-shape.ts'

/**
 * The statuses that vendors document for the types and codes of their errors. Lower case.
 * https://docs.claude.com/en/api/errors, https://platform.openai.com/docs/guides/error-codes
 */
const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries({
    400: [
      'invalid_request_error',
      'context_length_exceeded',
      'string_above_max_length',
      'invalid_prompt',
      'content_filter',
      'content_policy_violation',
      'unsupported_value',
      'unsupported_parameter',
      'unknown_parameter',
    ],
    401: ['authentication_error', 'invalid_api_key'],
    402: ['billing_error'],
    403: ['permission_error', 'unsupported_country_region_territory'],
    404: ['not_found_error', 'model_not_found'],
    409: ['conflict_error'],
    413: ['request_too_large'],
    429: [
      ...['rate_limit_error', 'rate_limit_exceeded', 'requests', 'tokens', 'insufficient_quota'],
      ...['billing_hard_limit_reached', 'billing_not_active'],
    ],
    500: ['api_error', 'server_error', 'internal_error', 'internal_server_error'],
    503: ['service_unavailable_error', 'server_is_overloaded', 'slow_down', 'unavailable_error'],
    504: ['timeout_error', 'vector_store_timeout'],
    529: ['overloaded_error'],
  }).flatMap(([status, names]) => names.map(name => [name, Number(status)] as const)),
)

/** What an error says that came in an event; null where it says nothing. `body`: as the provider would give it as an answer. */
export const factsOfError = (body: unknown): ErrorFacts | null => {
  const record = asRecord(body)
  return record === null ? null : factsInAnswer(record)
}

/**
 * The status that such an error would have had, had it come without streaming: what its body says, else what the vendor documents
 * for its code or type, else that of a failed server.
 */
export const statusOfError = (body: unknown): number => {
  const { status = null, names = [] } = factsOfError(body) ?? {}
  return status ?? names.map(name => statuses.get(name)).find(known => known !== undefined) ?? 500
}
