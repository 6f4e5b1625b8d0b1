import type { VerdictKind } from './classify/verdict.ts'
import type { Attempt, JobError, JobErrorCode, LastError } from './job.ts'

/**
 * Codes for a request that a provider judged, and the verdicts behind them: the client gets the provider's
 * own error.
 */
const judgedBy: Partial<Record<JobErrorCode, readonly VerdictKind[]>> = {
  upstream_rejected: ['rejected', 'unsupported'],
  context_length_exceeded: ['too_long'],
  refused: ['refused'],
}

/** The error that a failed call got; null when it got none. */
export const lastErrorOf = ({ provider, model, status_code, error }: Attempt): LastError | null =>
  error === undefined ? null : { provider, model, status_code, ...error }

/** The latest of these calls that failed, with one of these verdicts where they are named. */
export const lastErrorAmong = (
  attempts: readonly Attempt[],
  verdicts?: readonly VerdictKind[],
): LastError | null => {
  const isMeant = ({ verdict, error }: Attempt): boolean =>
    error !== undefined && (verdicts === undefined || (verdict !== null && verdicts.includes(verdict)))
  const attempt = attempts.findLast(isMeant)
  return attempt === undefined ? null : lastErrorOf(attempt)
}

/** `openai/gpt-4 answered 401 (invalid_api_key): Incorrect API key.` */
export const sayLastError = ({ provider, model, status_code, code, message }: LastError): string =>
  `${provider}/${model} ${status_code === null ? 'gave no answer' : `answered ${status_code}`} (${code}): ${message}`

/**
 * A job's error as clients see it: with the error of the provider that failed it last, or that judged its
 * request. `known`: what was known against its targets when it made no call itself.
 */
export const explainError = (
  error: JobError,
  attempts: readonly Attempt[],
  known: LastError | null,
): JobError => {
  if (error.code === 'cancelled' || error.last_error !== undefined) return error
  const verdicts = judgedBy[error.code]
  const judged = verdicts && lastErrorAmong(attempts, verdicts)
  if (judged) return { ...error, message: sayLastError(judged), last_error: judged }
  const last = lastErrorAmong(attempts) ?? known
  if (last === null) return error
  return { ...error, message: `${error.message} Last, ${sayLastError(last)}`, last_error: last }
}

/** Statuses that blame the author of the request, and not the key or the way it was forwarded. */
export const blamesRequest = (status: number | null): status is number =>
  status !== null &&
  status >= 400 &&
  status <= 499 &&
  ![401, 402, 403, 404, 407, 408, 409, 429].includes(status)

export interface ToldFailure {
  readonly status: number
  readonly code: string
  readonly message: string
}

/**
 * The status, code and message of a failure for an HTTP client: those of the provider that judged its
 * request.
 */
export const toldFailure = (
  { code, message, last_error: last }: JobError,
  ownStatus: number,
): ToldFailure => {
  if (last === undefined || judgedBy[code] === undefined) return { status: ownStatus, code, message }
  return {
    status: blamesRequest(last.status_code) ? last.status_code : ownStatus,
    // Clients look for this code of OpenAI's.
    code: code === 'context_length_exceeded' ? code : last.code,
    message: last.message,
  }
}
