import type { JsonErrorKind } from './behaviour.ts'
import type { Denial, RateLimits } from './throttle.ts'

interface AnthropicError {
  readonly type: string
  readonly message: string
}

type Told = readonly [status: number, type: string, message: string]

/** Wordings as the real API answers them; `{model}` stands for the model of the request. */
const table: Record<JsonErrorKind, Told> = {
  'error-500': [500, 'api_error', 'Internal server error'],
  'error-503': [503, 'api_error', 'Service Unavailable'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  insufficient_quota: [
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  ],
  'bad-key': [401, 'authentication_error', 'invalid x-api-key'],
  'context-too-long': [400, 'invalid_request_error', 'prompt is too long: 210012 tokens > 200000 maximum'],
  'unknown-model': [404, 'not_found_error', 'model: {model}'],
  'bad-request': [400, 'invalid_request_error', 'max_tokens: Field required'],
}

export function anthropicError(
  kind: JsonErrorKind,
  model: string,
): { status: number; error: AnthropicError } {
  const [status, type, message] = table[kind]
  return { status, error: { type, message: message.replace('{model}', () => model) } }
}

export function anthropicThrottleMessage(limits: RateLimits, { scope }: Denial): string {
  if (scope === 'at once') return 'Number of concurrent connections has exceeded your rate limit.'
  const limit = Math.floor(limits[scope]?.limit ?? 0)
  return `This request would exceed your organization's rate limit of ${limit} ${scope} per minute.`
}
