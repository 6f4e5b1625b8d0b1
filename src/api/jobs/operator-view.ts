import { type Attempt, isTerminal } from '../../domain/job.ts'
import type { Delivery } from '../../jobs/delivery.ts'
import { explainJob } from '../../jobs/explain.ts'
import { withPlainUrl } from '../../jobs/plain-url.ts'
import { withoutQuotes } from '../../jobs/quotes.ts'
import { formatMove, type JobRecord } from '../../jobs/record.ts'
import { type JobView, jobSummary, wholeSeconds } from '../../jobs/view.ts'
import type { OperatorJobView } from '../operator/job-view.ts'
import type { OperatorReads } from '../operator/operator-reads.ts'
import type { ApiParts } from '../parts.ts'

export type ReadOperatorView = (record: JobRecord) => Promise<OperatorJobView>

/** A job as operators see it: all but its content, with the sentences that `baton explain` prints. */
export const createOperatorView =
  (
    { config, estimateJob, now }: Pick<ApiParts, 'config' | 'estimateJob' | 'now'>,
    { figures, providers }: Pick<OperatorReads, 'figures' | 'providers'>,
  ): ReadOperatorView =>
  async record => {
    const hasEnded = isTerminal(record.status)
    const whole = jobSummary(record, hasEnded ? null : await estimateJob(record))
    // The sentences name its receiver as well.
    const job = withPlainUrl(config.ui.show_content ? whole : withoutQuotes(whole))
    const [provider = null] = hasEnded ? [] : await providers.read(await figures(), job.provider)
    return {
      ...job,
      attempts: job.attempts.map((shown, i) => ({ ...shown, ...onlyTold(record.attempts[i]) })),
      times_ms: timesOf(record),
      webhook: job.webhook && record.delivery && webhookView(job.webhook, record.delivery),
      tenant: record.tenant,
      custom_id: record.customId,
      line: record.line ?? null,
      explained: explainJob(job, provider, now()),
      moves_cut: mayBeCut(record),
    }
  }

/** What clients are not told of a call. */
const onlyTold = ({ claimed_at, key }: Partial<Attempt> = {}) => ({
  ...(claimed_at !== undefined && { claimed_at }),
  ...(key !== undefined && { key }),
})

const timesOf = (record: JobRecord): OperatorJobView['times_ms'] => ({
  ...{ created: record.createdAtMs, started: record.startedAtMs, finished: record.finishedAtMs },
  ...{ expires: record.expiresAtMs, resumes: record.resumesAtMs },
})

const webhookView = (
  webhook: NonNullable<JobView['webhook']>,
  { reason, dueAtMs, heldSinceMs, log }: Delivery,
): OperatorJobView['webhook'] => ({
  ...webhook,
  last_reason: reason,
  next_at: dueAtMs === null ? null : wholeSeconds(dueAtMs),
  held_since: heldSinceMs === null ? null : wholeSeconds(heldSinceMs),
  log: log.map(({ atMs, tookMs, outcome, reason }) => ({
    at: atMs / 1_000,
    took_ms: tookMs,
    outcome,
    reason,
  })),
})

/** `longer_lines` in lines.lua keeps so many characters. */
const movesLength = 1_000

/** Whether another line may have left the record for want of room. */
const mayBeCut = ({ moves }: JobRecord): boolean => {
  const lengths = moves.map(move => formatMove(move).length + 1)
  return lengths.reduce((sum, length) => sum + length, 0) + Math.max(0, ...lengths) > movesLength
}
