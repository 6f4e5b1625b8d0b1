import { dialectOf } from '../domain/endpoint.ts'
import {
  type Attempt,
  isTerminal,
  type JobError,
  type JobMove,
  type JobStatus,
  type LastError,
  type Target,
  type Usage,
} from '../domain/job.ts'
import type { Adjustment } from '../domain/routing/adjustments.ts'
import { jsonOrString } from '../json/json-text.ts'
import { batchIdOf } from '../redis/keys.ts'
import type { JobRecord } from './record.ts'

/** A job as clients see it. Times are whole Unix seconds; those within `attempts` have milliseconds as fraction. */
export interface JobView {
  readonly id: string
  readonly object: 'job'
  readonly status: JobStatus
  readonly endpoint: string
  readonly model: string
  readonly provider: string
  readonly upstream_model: string
  readonly batch_id: string | null
  readonly priority: string
  readonly retry_of: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly expires_at: number
  readonly resumes_at: number | null
  /** When it is likely to have its answer, by the speed that its queue has now; null where that is not known, and at its end. */
  readonly estimated_completion_at: number | null
  readonly attempts: readonly ShownAttempt[]
  /** Present when a target was passed over without a call, or the job was parked: the latest of them. */
  readonly moves?: readonly JobMove[]
  /** `body` is JSON, as a JsonText before it is written, or text where the provider sent none. Left out of lists. */
  readonly response?: { readonly status_code: number; readonly body: unknown } | null
  readonly error: JobError | null
  /**
   * For a live job: the target that failed it last, or what it waits for. A job that has ended has `error`.
   */
  readonly last_error?: LastError
  /** Present when the provider refused the content and the refusal is the result. */
  readonly refused?: true
  /** Present when the answer is one to a request without something that only steers: what, and at which target. */
  readonly adjusted?: readonly AdjustedAnswer[]
  /** Present when the answer came from the cache of the route, or from the call of a job that asked the same. */
  readonly cache?: 'hit'
  readonly usage: Usage | null
  readonly cost_usd: number | null
  readonly webhook: { readonly url: string; readonly status: string; readonly attempts: number } | null
  readonly metadata: Readonly<Record<string, string>>
}

/** What its client may know of a call. */
export type ShownAttempt = Omit<Attempt, 'claimed_at' | 'key'>

const shownAttempt = ({ claimed_at: _, key: __, ...attempt }: Attempt): ShownAttempt => attempt

/** `target`: `provider/model`. */
export interface AdjustedAnswer extends Adjustment {
  readonly target: string
}

/** Who gave the final answer; while there is none, who is to be asked next. */
export const answeredBy = (record: JobRecord): Target => {
  if (!isTerminal(record.status)) return record.target
  return answererOf(record)
}

/** Who gave the answer of a job that has ended, or was the last to be asked. */
export const answererOf = ({
  attempts,
  target,
  cachedFrom,
}: Pick<JobRecord, 'attempts' | 'target' | 'cachedFrom'>): Target =>
  cachedFrom ?? answeringCall(attempts) ?? target

/** The first good answer wins, so it may be that of a worker from which the job had been taken. */
const answeringCall = (attempts: readonly Attempt[]): Attempt | undefined =>
  attempts.findLast(a => a.verdict === 'ok' || a.verdict === 'refused')

/** What the provider that answered was asked otherwise; empty as long as none has. */
export const adjustedIn = (attempts: readonly Attempt[]): readonly AdjustedAnswer[] => {
  const call = answeringCall(attempts)
  return (call?.adjusted ?? []).map(each => ({ ...each, target: `${call!.provider}/${call!.model}` }))
}

/** What the provider that answered, or was asked last, calls the request; null where it did not say. */
export const upstreamRequestIdIn = (attempts: readonly Attempt[]): string | null =>
  (answeringCall(attempts) ?? attempts.at(-1))?.upstream_request_id ?? null

/** The job as `GET /v1/jobs/:id` and webhooks show it; to be written by `writeJson`. `estimateMs`: when it is likely to have its answer. */
export const jobView = (record: JobRecord, estimateMs: number | null = null): JobView => ({
  ...jobSummary(record, estimateMs),
  response: record.response && {
    status_code: record.response.statusCode,
    body: jsonOrString(record.response.body),
  },
})

/** The job without its response, as lists show it. */
export const jobSummary = (record: JobRecord, estimateMs: number | null = null): JobView => {
  const { provider, model } = answeredBy(record)
  const adjusted = adjustedIn(record.attempts)
  return {
    id: record.id,
    object: 'job',
    status: record.status,
    endpoint: record.endpoint,
    model: record.model,
    provider,
    upstream_model: model,
    batch_id: record.customId === null ? null : batchIdOf(record.id, dialectOf(record.endpoint)),
    priority: record.priority,
    retry_of: record.retryOf,
    created_at: wholeSeconds(record.createdAtMs),
    started_at: secondsOrNull(record.startedAtMs),
    finished_at: secondsOrNull(record.finishedAtMs),
    expires_at: wholeSeconds(record.expiresAtMs),
    resumes_at: secondsOrNull(record.resumesAtMs),
    estimated_completion_at: secondsOrNull(estimateMs),
    attempts: record.attempts.map(shownAttempt),
    ...(record.moves.length > 0 && { moves: record.moves }),
    error: record.error,
    ...(record.lastError && !isTerminal(record.status) && { last_error: record.lastError }),
    ...(record.refused && { refused: true }),
    ...(adjusted.length > 0 && { adjusted }),
    ...(record.cachedFrom && { cache: 'hit' }),
    usage: record.usage,
    cost_usd: record.costUsd,
    webhook: record.webhook &&
      record.delivery && {
        url: record.webhook.url,
        status: record.delivery.status,
        attempts: record.delivery.attempts,
      },
    metadata: record.metadata,
  }
}

export const wholeSeconds = (ms: number): number => Math.floor(ms / 1_000)

const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : wholeSeconds(ms))
