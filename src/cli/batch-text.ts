import { hasEnded } from '../batches/record.ts'
import type { BatchView } from '../batches/view.ts'
import { renderCount, renderDuration, renderTime } from '../terminal/format.ts'
import type { Frame } from '../terminal/screen.ts'
import { createRate } from '../terminal/screen.ts'

/** Lines whose end is known. */
export const doneOf = ({
  request_counts: { completed, failed },
}: Pick<BatchView, 'request_counts'>): number => completed + failed

const renderRate = (perSecond: number): string =>
  `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`

/** Lines by the provider that answered them, always in the same order. */
export const splitOf = ({ providers }: Pick<BatchView, 'providers'>): string[] =>
  Object.entries(providers)
    .map(([provider, lines]) => `${provider} ${lines}`)
    .toSorted()

/** Lines of all batches, by who answered them. */
const sumOf = (batches: readonly BatchView[]) => {
  const providers: Record<string, number> = {}
  const counts = { total: 0, completed: 0, failed: 0 }
  for (const { request_counts, providers: answered } of batches) {
    for (const key of ['total', 'completed', 'failed'] as const) counts[key] += request_counts[key]
    for (const [name, lines] of Object.entries(answered)) providers[name] = (providers[name] ?? 0) + lines
  }
  return { request_counts: counts, providers }
}

/** What several batches do: the first of these that any of them does. */
const phases = [
  'in_progress',
  'validating',
  'finalizing',
  'cancelling',
  'failed',
  'expired',
  'cancelled',
] as const
const phaseOf = (batches: readonly BatchView[]): string =>
  phases.find(phase => batches.some(({ status }) => status === phase)) ?? 'completed'

/** How far batches are, look by look; null while the API is away. */
export const createBatchProgress = (now: () => number): ((batches: readonly BatchView[] | null) => Frame) => {
  const rate = createRate()
  let last: Frame = { share: 0, text: '', phase: '' }
  return batches => {
    if (batches === null) return { ...last, phase: 'away', text: `API away, waiting · ${last.text}` }
    const sum = sumOf(batches)
    const { request_counts: counts } = sum
    const status = phaseOf(batches)
    const ended = batches.filter(batch => hasEnded(batch.status)).length
    const done = doneOf(sum)
    const perSecond = rate(done, now())
    const left = counts.total - done
    const parts = [
      ...(batches.length > 1 ? [`${ended}/${batches.length} batches`] : []),
      ...(status === 'in_progress' ? [] : [status]),
      ...(batches.some(({ blocked }) => blocked !== null) ? ['blocked'] : []),
      ...(counts.total === 0 ? [] : [`${done}/${counts.total}`]),
      ...(perSecond > 0 ? [renderRate(perSecond)] : []),
      ...(left > 0 && perSecond > 0 ? [`${renderDuration((left / perSecond) * 1_000)} left`] : []),
      ...(counts.total === 0 ? [] : [`failed ${counts.failed}`]),
      ...splitOf(sum),
    ]
    last = {
      share: counts.total === 0 ? 0 : done / counts.total,
      text: parts.join(' · '),
      phase: `${status} ${ended}`,
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
  too_many_tasks: 'raise batches.max_lines on the server',
  invalid_json_line: 'write each request as JSON on one line, in UTF-8',
  empty_file: 'write one request to a line',
}

interface FaultOfLine {
  readonly code: string
  readonly message: string
  /** Counted from 1; null for a fault of the whole file. */
  readonly line: number | null
}

const shownFaults = 20

/** The faults of a refused file by line, and what to do. */
export const describeFaults = (faults: readonly FaultOfLine[]): string => {
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
