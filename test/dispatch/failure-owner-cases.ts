/** What a provider, or something in front of it, answers to one request; and whose fault that is. */
export interface FailureCase {
  readonly name: string
  readonly reply: {
    readonly status: number
    /** Text is sent as a page. */
    readonly body: unknown
    readonly headers?: Readonly<Record<string, string>>
  }
  readonly verdict: string
  /** A part of its words, for the caller. */
  readonly says?: string
}

const openai = (
  status: number,
  message: string,
  code: string | null = null,
  param: string | null = null,
) => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param, code } },
})
const page = (status: number, title: string, server: string) => ({
  status,
  body: `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center><hr><center>${server}</center></body>\r\n</html>`,
  headers: { server },
})

export const targetsFaults: readonly FailureCase[] = [
  {
    name: 'the 403 page of a CDN',
    reply: page(403, 'Attention Required! | Cloudflare', 'cloudflare'),
    verdict: 'unsupported',
  },
  {
    name: 'the 403 of a firewall as plain text',
    reply: { status: 403, body: 'error code: 1020', headers: { 'content-type': 'text/plain' } },
    verdict: 'unsupported',
  },
  {
    name: 'the 503 page of a CDN',
    reply: page(503, '503 Service Temporarily Unavailable', 'cloudflare'),
    verdict: 'transient',
  },
  {
    name: 'the 413 page of a proxy',
    reply: page(413, '413 Request Entity Too Large', 'nginx/1.24.0'),
    verdict: 'unsupported',
  },
  {
    name: 'the 499 of a proxy',
    reply: page(499, '499 Client Closed Request', 'nginx'),
    verdict: 'transient',
  },
  {
    name: 'a 499 with an error of the API',
    reply: {
      status: 499,
      body: { error: { message: 'The operation was cancelled.', type: 'cancelled', code: 499 } },
    },
    verdict: 'transient',
  },
  {
    name: 'a 424',
    reply: {
      status: 424,
      body: { error: { message: 'Failed dependency: model backend', type: 'failed_dependency' } },
    },
    verdict: 'transient',
    says: 'Failed dependency: model backend',
  },
  {
    name: 'a router without an endpoint for tools',
    reply: {
      status: 404,
      body: { error: { message: 'No endpoints found that support tool use', code: 404 } },
    },
    verdict: 'unsupported',
    says: 'No endpoints found that support tool use',
  },
  {
    name: 'a router without a channel for the model',
    reply: {
      status: 503,
      body: {
        error: {
          message: 'No available channel for model gpt-4 under group default (distributor)',
          type: 'new_api_error',
        },
      },
    },
    verdict: 'unknown_model',
    says: 'No available channel',
  },
  {
    name: 'a parameter of another dialect',
    reply: openai(
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'unsupported_parameter',
      'max_tokens',
    ),
    verdict: 'unsupported',
    says: "'max_completion_tokens'",
  },
  {
    name: 'a value of another dialect',
    reply: openai(
      400,
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      'unsupported_value',
      'temperature',
    ),
    verdict: 'unsupported',
    says: 'Only the default (1)',
  },
  {
    name: 'a role of another dialect',
    reply: openai(400, 'Unexpected message role: developer'),
    verdict: 'unsupported',
    says: 'developer',
  },
  {
    name: 'an extra field, as servers on pydantic say it',
    reply: {
      status: 422,
      body: {
        detail: [{ type: 'extra_forbidden', loc: ['body', 'store'], msg: 'Extra inputs are not permitted' }],
      },
    },
    verdict: 'unsupported',
    says: 'Extra inputs are not permitted',
  },
  // Nobody who asks chose the path, the method or the headers of a call.
  ...[404, 405, 415, 431].map(status => ({
    name: `a ${status} in words that nobody knows`,
    reply: openai(status, `Words of ${status}.`),
    verdict: 'unsupported',
    says: `Words of ${status}.`,
  })),
]

export const callersFaults: readonly FailureCase[] = [
  {
    name: 'a missing part',
    reply: openai(400, "Missing required parameter: 'messages[0].content'.", 'missing_required_parameter'),
    verdict: 'rejected',
    says: 'messages[0].content',
  },
  {
    name: 'a value out of range',
    reply: openai(
      400,
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2.",
      'decimal_above_max_value',
    ),
    verdict: 'rejected',
    says: 'Expected a value <= 2',
  },
  {
    name: 'a body too large for the API itself',
    reply: {
      status: 413,
      body: { error: { type: 'request_too_large', message: 'Request exceeds the maximum size' } },
    },
    verdict: 'rejected',
    says: 'maximum size',
  },
]

export const refusals: readonly FailureCase[] = [
  {
    name: "Azure's filter with an inner error",
    reply: {
      status: 400,
      body: {
        error: {
          message:
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
          ...{ type: null, param: 'prompt', code: 'content_filter', status: 400 },
          innererror: {
            code: 'ResponsibleAIPolicyViolation',
            content_filter_result: { hate: { filtered: true, severity: 'high' } },
          },
        },
      },
    },
    verdict: 'refused',
    says: 'content management policy',
  },
  {
    name: 'a flagged prompt of a reasoning model',
    reply: openai(
      400,
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
      'invalid_prompt',
    ),
    verdict: 'refused',
    says: 'flagged',
  },
  {
    name: 'the 403 of a moderating router',
    reply: {
      status: 403,
      body: {
        error: {
          ...{
            code: 403,
            message: 'openai/gpt-4 requires moderation on OpenAI. Your input was flagged for "violence".',
          },
          metadata: { reasons: ['violence'], flagged_input: '…', provider_name: 'OpenAI' },
        },
      },
    },
    verdict: 'refused',
    says: 'requires moderation',
  },
]

const wait = { 'retry-after': '60' }
const server = (status: number, error: object) => ({ status, body: { error }, headers: wait })

/** Limits, whatever their codes and types call them. */
export const throttles: readonly FailureCase[] = [
  {
    name: 'with the code server_error',
    reply: server(429, { message: 'Slow down, please.', type: 'requests', code: 'server_error' }),
    verdict: 'rate_limited',
    says: 'Slow down, please.',
  },
  {
    name: 'with the type server_error',
    reply: server(429, { message: 'Too busy.', type: 'server_error', code: null }),
    verdict: 'rate_limited',
    says: 'Too busy.',
  },
  {
    name: 'with a code that nobody knows',
    reply: server(429, { message: 'Try later.', type: 'internal_server_error', code: 'engine_exhausted' }),
    verdict: 'rate_limited',
    says: 'Try later.',
  },
]
