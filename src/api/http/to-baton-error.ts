import {
  hasZodFastifySchemaValidationErrors,
  type ZodFastifySchemaValidationError,
} from 'fastify-type-provider-zod'
import { BatonError, type ErrorCode } from '../../domain/errors.ts'
import { isFullReply, StoreFullError } from '../../redis/full-store.ts'
import { NotReplicatedError } from '../../redis/replicated.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'

const retryRedisAfterMs = 2_000
/** Room comes with jobs that end or pass their retention. */
const retryFullAfterMs = 10_000

/** What Fastify itself refuses. */
const frameworkErrors: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body is not valid JSON, or has a key __proto__.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty; send a JSON object.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than this server accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send `content-type: application/json`.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body is not as long as content-length says.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The path is not a well-formed URL.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is no such path.'],
}

/** Fields whose faults have a code of their own. A map, since clients may name a field `__proto__`. */
const codesOfFields: ReadonlyMap<string | null, ErrorCode> = new Map([
  ['endpoint', 'unknown_endpoint'],
  ['completion_window', 'invalid_window'],
])

/** Turns anything thrown into the one kind of error that clients see. */
export const toBatonError = (error: unknown): BatonError => {
  if (error instanceof BatonError) return error
  if (hasZodFastifySchemaValidationErrors(error)) return validationError(error.validation[0]!)
  const framework = frameworkErrors[String((error as { code?: unknown } | null)?.code)]
  if (framework !== undefined) return new BatonError(...framework, { cause: error })
  if (error instanceof NotReplicatedError) {
    return new BatonError('not_replicated', 'Too few replicas have it.', {
      cause: error,
      retryAfterMs: retryRedisAfterMs,
    })
  }
  if (error instanceof StoreFullError || isFullReply(error)) {
    return new BatonError('storage_full', 'There is no room for more now.', {
      cause: error,
      retryAfterMs: retryFullAfterMs,
    })
  }
  if (isRedisTrouble(error)) {
    return new BatonError('redis_unavailable', 'Redis is away.', {
      cause: error,
      retryAfterMs: retryRedisAfterMs,
    })
  }
  return new BatonError('internal_error', 'Unexpected error.', { cause: error })
}

const validationError = (issue: ZodFastifySchemaValidationError): BatonError => {
  const { keys = [] } = issue.params as { keys?: readonly string[] }
  const path = [...issue.instancePath.split('/'), keys[0]].filter(Boolean)
  const param = path.length === 0 ? null : path.join('.')
  const code = codesOfFields.get(param) ?? 'invalid_request'
  return new BatonError(code, explain(issue, param), { param })
}

const explain = (
  { keyword, message = '' }: ZodFastifySchemaValidationError,
  param: string | null,
): string => {
  if (param === null) return 'Send a JSON object as the body.'
  if (keyword === 'unrecognized_keys') return `'${param}' is not a field of this request; leave it out.`
  return message.endsWith('received undefined') ? `'${param}' is missing.` : `'${param}': ${message}.`
}
