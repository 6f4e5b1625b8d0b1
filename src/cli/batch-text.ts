import type { BatchView } from '../batches/view.ts'
import { renderCount, renderDuration, renderTime } from '../terminal/format.ts'
import type { Frame } from '../terminal/screen.ts'
import { createRate } from '../terminal/screen.ts'

/** Lines whose end is known. */
export const doneOf = ({ request_counts: { completed, failed } }: BatchView): number => completed + failed

const renderRate = (perSecond: number): string =>
  `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`

/** Lines by the provider that answered them, always in the same order. */
export const splitOf = ({ providers }: BatchView): string[] =>
  Object.entries(providers)
    .map(([provider, lines]) => `${provider} ${lines}`)
    .toSorted()

/** How far a batch is, look by look; null while the API is away. */
export const createBatchProgress = (now: () => number): ((batch: BatchView | null) => Frame) => {
  const rate = createRate()
  let last: Frame = { share: 0, text: '', phase: '' }
  return batch => {
    if (batch === null) return { ...last, phase: 'away', text: `API away, waiting · ${last.text}` }
    const { status, request_counts: counts } = batch
    const done = doneOf(batch)
    const perSecond = rate(done, now())
    const left = counts.total - done
    const parts = [
      ...(status === 'in_progress' ? [] : [status]),
      ...(batch.blocked === null ? [] : ['blocked']),
      ...(counts.total === 0 ? [] : [`${done}/${counts.total}`]),
      ...(perSecond > 0 ? [renderRate(perSecond)] : []),
      ...(left > 0 && perSecond > 0 ? [`${renderDuration((left / perSecond) * 1_000)} left`] : []),
      ...(counts.total === 0 ? [] : [`failed ${counts.failed}`]),
      ...splitOf(batch),
    ]
    last = {
      share: counts.total === 0 ? 0 : done / counts.total,
      text: parts.join(' · '),
      phase: status,
    }
    return last
  }
}

const remedies: Readonly<Record<NonNullable<BatchView['blocked']>['reason'], string>> = {
  bad_credentials: 'its key is not taken',
  out_of_quota: 'its account has no quota left',
  unknown_model: 'it does not know the model',
  paused: 'an operator has paused it',
}

/** Why a batch waits for a person, in a sentence; null while it makes progress. */
export const describeBlocked = ({ blocked }: Pick<BatchView, 'blocked'>): string | null =>
  blocked &&
  `blocked since ${renderTime(blocked.since)}: ${blocked.provider}/${blocked.model}, ${remedies[blocked.reason]} (${blocked.message})`

/** One line about a batch that has ended. */
export const describeEnd = (batch: BatchView): string => {
  const { completed, failed, total } = batch.request_counts
  const endedAt = batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at
  const took = endedAt === null ? '' : ` after ${renderDuration((endedAt - batch.created_at) * 1_000)}`
  if (batch.status === 'failed') return `${batch.id} failed: its file is refused, and nothing of it was run`
  const by = splitOf(batch).join(', ')
  const cost = batch.cost_usd === null ? '' : `, $${batch.cost_usd}`
  return `${batch.id} ${batch.status}${took}: ${renderCount(total, 'line')}, ${completed} answered${by && ` (${by})`}, ${failed} failed${cost}`
}

/** What a person can do about a fault of the file, where the fault's own message does not say it. */
const advice: Readonly<Record<string, string>> = {
  url_mismatch: 'name the endpoint of the lines with --endpoint, and keep one endpoint to a file',
  model_not_found: "use names of the server's config, under `models`",
  duplicate_custom_id: 'give each line a custom_id of its own',
  too_many_tasks: 'split the file, or raise batches.max_lines on the server',
  invalid_json_line: 'write each request as JSON on one line, in UTF-8',
  empty_file: 'write one request to a line',
}

const shownFaults = 20

/** The faults of a refused file by line, and what to do. */
export const describeFaults = ({ errors }: BatchView): string => {
  const faults = errors?.data ?? []
  const hints = new Set(faults.map(({ code }) => advice[code] ?? 'correct these lines'))
  return [
    ...faults.slice(0, shownFaults).map(({ line, code, message }) => {
      return `  ${line === null ? '' : `line ${line}: `}${message} (${code})`
    }),
    ...(faults.length > shownFaults ? [`  and ${faults.length - shownFaults} more`] : []),
    'Then submit the file again:',
    ...[...hints].map(hint => `  - ${hint}`),
  ].join('\n')
}
