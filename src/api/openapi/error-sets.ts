import type { ErrorCode } from '../../domain/errors.ts'

/** What may be wrong with the encoding of any body. */
const encodingErrors = ['unsupported_encoding', 'invalid_encoding'] as const satisfies readonly ErrorCode[]

/** What a JSON body can be refused for before anything in it is looked at. */
export const jsonBodyErrors = [
  'invalid_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
  ...encodingErrors,
  'too_many_bytes',
] as const satisfies readonly ErrorCode[]

/** An unwanted body is dropped, unless it is long or its type is malformed. */
export const ignoredBodyErrors = [
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
  ...encodingErrors,
  'too_many_bytes',
] as const satisfies readonly ErrorCode[]

/** What a form can be refused for. */
export const formErrors = [
  'invalid_multipart',
  'invalid_request',
  'unsupported_media_type',
  ...encodingErrors,
  'empty_file',
  'file_too_large',
  'storage_unavailable',
  'not_replicated',
  'storage_full',
] as const satisfies readonly ErrorCode[]

/** What parameters can be refused for, in the wording of OpenAI's batches. */
export const parameterErrors = [
  'missing_required_parameter',
  'unknown_parameter',
  'invalid_value',
] as const satisfies readonly ErrorCode[]

export const webhookErrors = [
  'invalid_webhook_url',
  'webhook_address_forbidden',
  'webhook_secret_missing',
] as const satisfies readonly ErrorCode[]

/** What a completion can be refused for. */
export const completionErrors = [
  'unknown_endpoint',
  'unknown_model',
  'unsupported_parameter',
  'no_capable_target',
  'background_unsupported',
  'previous_response_not_found',
  'streaming_unsupported',
  'idempotency_key_reused',
  // The first one with its key, past its retention by now.
  'job_not_found',
  'not_replicated',
  'storage_full',
] as const satisfies readonly ErrorCode[]

/** What reading a file's bytes can end in. */
export const contentErrors = [
  'range_not_satisfiable',
  'storage_unavailable',
] as const satisfies readonly ErrorCode[]

/** What any route may answer. */
export const errorsOfEveryRoute = ['internal_error', 'shutting_down'] as const satisfies readonly ErrorCode[]

/** And any but those that probes ask. */
export const errorsOfGuardedRoutes = [
  'invalid_api_key',
  'cross_site_forbidden',
  'too_many_connections',
] as const satisfies readonly ErrorCode[]

/** What the connection or the path can be refused for before there is a route; these go with any path. */
export const errorsBeforeRouting = [
  'host_forbidden',
  'invalid_request',
  'headers_too_large',
  'request_timeout',
  'not_found',
  'method_not_allowed',
] as const satisfies readonly ErrorCode[]
