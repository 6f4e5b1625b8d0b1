import type { Endpoint } from '../domain/endpoint.ts'
import type { Attempt } from '../domain/job.ts'
import type { JobResult } from '../jobs/types.ts'
import { type AnswerDigest, answerDigestOf } from './answer-digest.ts'

/** How much of each answer is kept: a hundred pairs then take 3 MB of Redis at most. */
export const keptBytes = 16 * 1024

interface AnswerText {
  readonly text: string
  /** Whether the answer was longer. */
  readonly cut: boolean
}

/** An answer, or its beginning up to the last whole character within `keptBytes`. */
export const answerTextOf = (body: string): AnswerText => {
  // No character takes less than a byte, so what is long need not be encoded whole.
  const bytes = Buffer.from(body.slice(0, keptBytes))
  if (body.length <= keptBytes && bytes.length <= keptBytes) return { text: body, cut: false }
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // As if more were to come: half a character at the end is left out.
  return { text: decoder.decode(bytes.subarray(0, keptBytes), { stream: true }), cut: true }
}

/** One call and its answer, as far as it is compared. */
export interface ComparedCall {
  readonly likeness: AnswerDigest
  readonly latencyMs: number
  /** Null where the price is not known. */
  readonly costUsd: number | null
  /** Only where the route keeps pairs: all else of a side tells nothing of what was said. */
  readonly kept?: KeptCall
}

/** What an operator is shown of a call whose answer was another than its counterpart's. */
export interface KeptCall extends AnswerText {
  readonly jobId: string
  readonly tenant: string
  readonly provider: string
  readonly model: string
  readonly statusCode: number
}

export interface SampledJob {
  readonly id: string
  readonly tenant: string
  readonly endpoint: Endpoint
  readonly attempts: readonly Attempt[]
}

/** Null for a job without a good answer. `keeps`: with the answer's text. */
export const comparedCallOf = (
  { id, tenant, endpoint, attempts }: SampledJob,
  { response }: Pick<JobResult, 'response'>,
  keeps: boolean,
): ComparedCall | null => {
  const call = attempts.findLast(({ verdict }) => verdict === 'ok')
  const likeness = response && call && answerDigestOf(endpoint, response.body)
  if (!likeness) return null
  const { provider, model } = call
  return {
    ...{ likeness, latencyMs: call.duration_ms ?? 0, costUsd: call.cost_usd ?? null },
    ...(keeps && {
      kept: {
        ...{ jobId: id, tenant, provider, model, statusCode: response.statusCode },
        ...answerTextOf(response.body),
      },
    }),
  }
}
