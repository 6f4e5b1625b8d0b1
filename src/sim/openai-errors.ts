import type { JsonErrorKind } from './behaviour.ts'
import { goDuration } from './rate-limit-headers.ts'
import type { Denial, RateLimits } from './throttle.ts'

interface OpenAiError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

type Told = readonly [
  status: number,
  type: string,
  param: string | null,
  code: string | null,
  message: string,
]

/** Wordings as the real API answers them; `{model}` stands for the model of the request. */
const table: Record<JsonErrorKind, Told> = {
  'error-500': [
    500,
    'server_error',
    null,
    'internal_error',
    'The server had an error while processing your request. Sorry about that!',
  ],
  'error-503': [503, 'server_error', null, null, 'The server is temporarily unable to process your request.'],
  overloaded: [
    503,
    'service_unavailable_error',
    null,
    'server_is_overloaded',
    'The engine is currently overloaded, please try again later.',
  ],
  insufficient_quota: [
    429,
    'insufficient_quota',
    null,
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  'bad-key': [401, 'invalid_request_error', null, 'invalid_api_key', 'Incorrect API key provided.'],
  'context-too-long': [
    400,
    'invalid_request_error',
    'messages',
    'context_length_exceeded',
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 10012 tokens. Please reduce the length of the messages.",
  ],
  'unknown-model': [
    404,
    'invalid_request_error',
    null,
    'model_not_found',
    'The model `{model}` does not exist or you do not have access to it.',
  ],
  'bad-request': [
    400,
    'invalid_request_error',
    'temperature',
    'invalid_type',
    "Invalid type for 'temperature': expected a decimal, but got a string instead.",
  ],
}

export function openAiError(kind: JsonErrorKind, model: string): { status: number; error: OpenAiError } {
  const [status, type, param, code, message] = table[kind]
  return { status, error: { message: message.replace('{model}', () => model), type, param, code } }
}

const crowded = 'Too many concurrent requests. Please try again later.'
const unit = { requests: 'requests per min (RPM)', tokens: 'tokens per min (TPM)' }

export function openAiThrottleError(model: string, limits: RateLimits, denial: Denial): OpenAiError {
  const { scope, requested, waitMs } = denial
  const code = 'rate_limit_exceeded'
  if (scope === 'at once') return { message: crowded, type: 'requests', param: null, code }
  const limit = Math.floor(limits[scope]?.limit ?? 0)
  const used = limit - (limits[scope]?.remaining ?? 0)
  const message =
    `Rate limit reached for ${model} in organization org-sim on ${unit[scope]}: ` +
    `Limit ${limit}, Used ${used}, Requested ${requested}. Please try again in ${goDuration(waitMs)}.`
  return { message, type: scope, param: null, code }
}
