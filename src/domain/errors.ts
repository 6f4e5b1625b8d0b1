/** Every error code a client can see, with the HTTP status it travels under. The table of docs/errors.md is checked against this. */
export const errorCodes = {
  invalid_json: { status: 400, help: 'The body is not valid JSON.' },
  invalid_multipart: {
    status: 400,
    help: 'The body is not well-formed `multipart/form-data`, or broke off.',
  },
  invalid_request: {
    status: 400,
    help: 'A field is missing, unknown, or of the wrong type; `param` names it.',
  },
  missing_required_parameter: {
    status: 400,
    help: 'A batch cannot be made without the parameter that `param` names.',
  },
  unknown_parameter: {
    status: 400,
    help: 'Requests about batches have no such parameter; `param` names it.',
  },
  invalid_value: {
    status: 400,
    help: 'A parameter of a request about batches is malformed or out of range; `param` names it.',
  },
  unknown_endpoint: { status: 400, help: 'The job names an endpoint that is not served.' },
  unknown_model: {
    status: 404,
    help: 'The model is not a route of this server; `GET /v1/models` lists them.',
  },
  unsupported_parameter: {
    status: 400,
    help: 'No target of the route can carry a parameter of the request.',
  },
  no_capable_target: {
    status: 400,
    help: 'No target of the route can do what the request needs, such as reading images; the message names it.',
  },
  count_tokens_unsupported: {
    status: 400,
    help: 'No target of the route can count tokens.',
  },
  previous_response_not_found: {
    status: 400,
    help: 'There is no response in the background of that `previous_response_id`, or it has no answer.',
  },
  background_unsupported: {
    status: 400,
    help: 'A job and a line of a batch are in the background already; leave `background` out.',
  },
  streaming_unsupported: {
    status: 400,
    help: 'There is nothing to stream here: `stream` is served where a model writes an answer, and not for embeddings and lines of batches.',
  },
  invalid_webhook_url: {
    status: 400,
    help: 'The webhook URL is malformed, not https, or carries credentials.',
  },
  webhook_address_forbidden: {
    status: 400,
    help: 'The webhook URL leads to a private address that `webhooks.allowed_networks` does not list.',
  },
  webhook_secret_missing: {
    status: 400,
    help: 'A webhook needs a secret: in the job, or `webhooks.secret` in the config.',
  },
  price_unknown: {
    status: 400,
    help: 'A batch with a limit on its cost could call a target whose price is not known; the message names it. Set its `price` in the config.',
  },
  deadline_unreachable: {
    status: 400,
    help: 'At the speed that its queue has now, the batch cannot be done in its window, and `batches.admission` is `strict`.',
  },
  invalid_window: { status: 400, help: '`completion_window` is malformed or out of range (1m to 7d).' },
  invalid_cursor: { status: 400, help: 'The cursor is not one that a list answered.' },
  idempotency_key_reused: { status: 422, help: 'The Idempotency-Key was used before with another body.' },
  invalid_api_key: { status: 401, help: 'The API key is missing or wrong.' },
  too_many_sign_ins: {
    status: 429,
    help: 'Too many wrong keys were shown to the page from this address. Retry after `Retry-After` seconds.',
  },
  content_hidden: {
    status: 403,
    help: 'The config does not let operators read what jobs ask and were answered (`ui.show_content`).',
  },
  permission_denied: {
    status: 403,
    help: 'The API key may not do that; the message names the role that may.',
  },
  empty_file: { status: 400, help: 'The file or the part of an upload has no bytes.' },
  file_not_found: { status: 404, help: 'No such file, or it is deleted or past its expiry.' },
  file_too_large: { status: 413, help: 'The file or the part is larger than its purpose allows.' },
  range_not_satisfiable: { status: 416, help: 'The file ends before the range that `Range` asks for.' },
  upload_not_found: { status: 404, help: 'No such upload.' },
  upload_closed: { status: 400, help: 'The upload is completed, cancelled or expired; begin another.' },
  upload_size_exceeded: {
    status: 400,
    help: 'With this part the upload would have more than the `bytes` that it announced.',
  },
  upload_incomplete: { status: 400, help: 'The parts do not come to the `bytes` that the upload announced.' },
  storage_quota_exceeded: {
    status: 403,
    help: 'The tenant keeps as many files, or as many bytes of them, as `quotas` allow; delete some.',
  },
  too_many_open_batches: {
    status: 429,
    help: 'The tenant has as many open batches as `quotas` allow; come again when one has ended.',
  },
  checksum_mismatch: { status: 400, help: '`md5` is not that of the parts put together.' },
  stream_not_found: {
    status: 404,
    help: 'The job is not streamed: its request does not have `stream: true`.',
  },
  job_not_found: { status: 404, help: 'No such job, or it is past its retention.' },
  response_not_found: {
    status: 404,
    help: 'No such response in the background, or it is deleted or past its retention.',
  },
  batch_not_found: { status: 404, help: 'No such batch, or it is past its retention.' },
  provider_not_found: { status: 404, help: 'The config names no such provider.' },
  mirror_not_found: { status: 404, help: 'The config has no route of this name with a mirror.' },
  config_refused: {
    status: 422,
    help: 'The config of the process has faults, which the message names; all goes on as it was.',
  },
  delivery_not_found: { status: 404, help: 'No such dead letter.' },
  not_found: { status: 404, help: 'No such path.' },
  method_not_allowed: { status: 405, help: 'The path exists, but not with this method.' },
  job_finished: { status: 409, help: 'The job has its final result and cannot be cancelled.' },
  job_not_retryable: { status: 409, help: 'Only failed, expired and cancelled jobs can be retried.' },
  batch_not_ended: {
    status: 400,
    help: 'A message batch can be deleted once it has ended; cancel it first.',
  },
  results_not_found: {
    status: 404,
    help: 'The message batch has not ended, or its results are archived or deleted.',
  },
  count_changed: {
    status: 409,
    help: 'There are more or fewer dead letters than `expected_count`; none was sent again.',
  },
  batch_finished: { status: 409, help: 'The batch has ended and cannot be cancelled.' },
  batch_not_retryable: { status: 409, help: 'Only failed lines of a batch that has ended can be retried.' },
  body_too_large: {
    status: 413,
    help: 'The body is larger than `server.max_body_bytes`, or a message batch than `batches` allows.',
  },
  unsupported_media_type: {
    status: 415,
    help: 'Send `content-type: application/json`, or `multipart/form-data` where a file goes.',
  },
  unsupported_encoding: {
    status: 415,
    help: 'The `content-encoding` is not read; send `gzip`, `deflate`, `br`, `zstd`, or the body as it is.',
  },
  invalid_encoding: { status: 400, help: 'The body is not in the encoding that `content-encoding` names.' },
  cross_site_forbidden: {
    status: 403,
    help: 'A web page of another site sent the request; send JSON by its content type, with an API key.',
  },
  host_forbidden: {
    status: 403,
    help: 'Without configured API keys, only loopback and the host of `server.public_url` are served.',
  },
  endpoint_retired: {
    status: 410,
    help: 'The endpoint is retired; the message names what stands in its place.',
  },
  headers_too_large: { status: 431, help: 'The path and headers are longer than 16 kB together.' },
  request_timeout: { status: 408, help: 'The request did not come to its end in time.' },
  redis_unavailable: {
    status: 503,
    help: 'Redis is away; nothing was accepted. Retry after `Retry-After` seconds.',
  },
  not_replicated: {
    status: 503,
    help: 'Fewer replicas than `redis.wait_replicas` have what was made; it may stand all the same. Send it again with the same `Idempotency-Key`.',
  },
  storage_full: {
    status: 503,
    help: 'Redis, or where files are kept, is nearly full; nothing new is accepted until there is room. Retry after `Retry-After` seconds.',
  },
  storage_unavailable: {
    status: 503,
    help: 'Files can neither be stored nor read now. Retry after `Retry-After` seconds.',
  },
  too_many_bytes: {
    status: 503,
    help: 'The bodies and answers under way come to `server.max_bytes_in_flight`, or to the share of this tenant. Nothing was accepted; retry after `Retry-After` seconds.',
  },
  too_many_waiting: {
    status: 503,
    help: 'As many connections wait for answers, long polls or events as `server` allows, or this tenant its share of them. Retry after `Retry-After` seconds.',
  },
  too_many_pages: {
    status: 503,
    help: 'As many pages of operators are open as `ui.max_streams` allows; read `GET /v1/admin/overview` instead.',
  },
  too_many_connections: {
    status: 503,
    help: 'As many connections are open as `server.max_connections` allows. Retry after `Retry-After` seconds.',
  },
  shutting_down: { status: 503, help: 'This process is stopping; try again.' },
  internal_error: { status: 500, help: 'A fault of this server; the request id finds it in the log.' },
} as const satisfies Record<string, { status: number; help: string }>

export type ErrorCode = keyof typeof errorCodes

interface BatonErrorOptions {
  param?: string | null
  retryAfterMs?: number
  cause?: unknown
}

/** The one error class that reaches a client. Below 500 it sees code and message; from 500 only the code. */
export class BatonError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly param: string | null
  readonly retryAfterMs: number | null

  constructor(code: ErrorCode, message: string, options: BatonErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'BatonError'
    this.code = code
    this.status = errorCodes[code].status
    this.param = options.param ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
  }

  get retryable(): boolean {
    return this.status === 503
  }
}
