import { isTerminal } from '../../domain/job.ts'
import { explainJob } from '../../jobs/explain.ts'
import { withoutQuotes } from '../../jobs/quotes.ts'
import { formatMove, type JobRecord } from '../../jobs/record.ts'
import { jobSummary } from '../../jobs/view.ts'
import type { OperatorReads } from '../operator/operator-reads.ts'
import type { OperatorJobView } from '../operator/views.ts'
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
    const job = config.ui.show_content ? whole : withoutQuotes(whole)
    const [provider = null] = hasEnded ? [] : await providers.read(await figures(), job.provider)
    return {
      ...job,
      tenant: record.tenant,
      custom_id: record.customId,
      line: record.line ?? null,
      explained: explainJob(job, provider, now()),
      moves_cut: mayBeCut(record),
    }
  }

/** `note_move` in prelude.lua keeps so many characters. */
const movesLength = 1_000

/** Whether another line may have left the record for want of room. */
const mayBeCut = ({ moves }: JobRecord): boolean => {
  const lengths = moves.map(move => formatMove(move).length + 1)
  return lengths.reduce((sum, length) => sum + length, 0) + Math.max(0, ...lengths) > movesLength
}
