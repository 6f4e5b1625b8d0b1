/** Faults that are an error answer of the provider, judged by its status and body. */
export const errorKinds = [
  'throttle', // 429 with rate-limit headers
  'error-500',
  'error-502-html', // a gateway's page
  'error-503', // unavailable without saying that it is load
  'overloaded', // OpenAI 503 server_is_overloaded, Anthropic 529
  'html-error', // 403 page of a firewall at the edge
  'insufficient_quota', // OpenAI 429, Anthropic 400: the account is empty
  'bad-key',
  'context-too-long',
  'unknown-model',
  'bad-request',
] as const

/** Faults of the connection or of an answer that began well. */
export const answerFaultKinds = [
  'hang', // accepted, never answered
  'reset', // RST once the request was read
  'reset-mid-body', // RST in the middle of a 200
  'truncated', // a whole 200 whose JSON is cut in half
  'slow-body', // second half of the body comes late
  'refusal', // 200, content filter
  'empty', // 200 without any choice or content
] as const

export const faultKinds = [...errorKinds, ...answerFaultKinds] as const

export type ErrorKind = (typeof errorKinds)[number]
/** Errors told as JSON in words that do not depend on the state of a limit. */
export type JsonErrorKind = Exclude<ErrorKind, 'throttle' | 'error-502-html' | 'html-error'>
export type FaultKind = (typeof faultKinds)[number]

export const isFaultKind = (name: string): name is FaultKind =>
  (faultKinds as readonly string[]).includes(name)

/** True for the outcomes whose whole answer is an error that no limit has a part in. */
export const isToldAsError = (outcome: string): outcome is Exclude<ErrorKind, 'throttle'> =>
  outcome !== 'throttle' && (errorKinds as readonly string[]).includes(outcome)
