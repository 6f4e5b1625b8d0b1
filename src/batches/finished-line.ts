import type { JobError, TerminalStatus, Usage } from '../domain/job.ts'
import type { Payloads } from '../jobs/payloads.ts'
import { parseResult, parseTarget } from '../jobs/record.ts'
import { type AdjustedAnswer, adjustedIn, answererOf } from '../jobs/view.ts'
import { lineNumberOf } from '../redis/keys.ts'

/** Why a line never became a job. */
export type SkipReason = 'rejected' | 'cancelled' | 'expired' | 'cost_limit_reached'

/** What was wrong with a line that was rejected. */
export interface LineRefusal {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

/** A line of a batch whose end is known. `entry` is what the list of done lines holds for it. */
export type FinishedLine =
  | {
      readonly kind: 'skipped'
      readonly entry: string
      readonly number: number
      readonly customId: string
      readonly reason: SkipReason
      readonly refusal: LineRefusal | null
    }
  | {
      readonly kind: 'job'
      readonly entry: string
      readonly number: number
      readonly customId: string
      readonly status: TerminalStatus
      readonly response: { readonly statusCode: number; readonly body: string } | null
      readonly error: JobError | null
      readonly usage: Usage | null
      readonly costUsd: number | null
      /** Who gave the answer, or was the last to be asked. */
      readonly provider: string
      /** What that one was asked otherwise than the line says. */
      readonly adjusted: readonly AdjustedAnswer[]
      /** Bytes of its line in the input. */
      readonly bytes: number
    }

/** What the collector asks of a job's record; the answer first, for its size bounds how much is read at once. */
export const peekedFields = [
  'body',
  'request',
  'apart',
  'state',
  'result',
  'attempts',
  'target',
  'custom_id',
  'bytes',
  'why',
] as const

/** An entry that is no job id begins with this. */
const skippedMark = '!'

export const formatSkipped = (
  number: number,
  customId: string,
  reason: SkipReason,
  refusal: LineRefusal | null = null,
): string => skippedMark + JSON.stringify([number, customId, reason, refusal])

type SkippedTuple = [number: number, customId: string, reason: SkipReason, refusal: LineRefusal | null]

export type PeekReply = readonly [entry: string, ...values: readonly (string | false)[]]

/** Puts a long answer where a short one stands. Throws when it is gone. */
export const withAnswer =
  (payloads: Payloads) =>
  async (reply: PeekReply): Promise<PeekReply> => {
    const [entry, body, request, apart, ...rest] = reply
    if (!apart) return reply
    const fields = await payloads.whole(entry, { apart, body: body || '' })
    return [entry, fields.body, request!, apart, ...rest]
  }

/** Reads one line of `batch-peek`'s reply. Throws when the job's record is gone: only damage to Redis could do that. */
export const parseFinished = (reply: PeekReply): FinishedLine => {
  const entry = reply[0]
  if (entry.startsWith(skippedMark)) {
    const [number, customId, reason, refusal] = JSON.parse(entry.slice(skippedMark.length)) as SkippedTuple
    return { kind: 'skipped', entry, number, customId, reason, refusal }
  }
  const [, body, request, , state, result, log, target, customId, bytes, why] = reply.map(v =>
    v === false ? null : v,
  )
  if (!state || !result) throw new Error(`the record of ${entry} is gone`)
  const { attempts, ...outcome } = parseResult(state as TerminalStatus, {
    result,
    attempts: log,
    body,
    request,
    why,
  })
  return {
    kind: 'job',
    entry,
    number: lineNumberOf(entry),
    customId: customId as string,
    status: state as TerminalStatus,
    response: outcome.response,
    error: outcome.error,
    usage: outcome.usage,
    costUsd: outcome.costUsd,
    provider: answererOf({ ...outcome, attempts, target: parseTarget(target as string) }).provider,
    adjusted: adjustedIn(attempts),
    bytes: Number(bytes),
  }
}
