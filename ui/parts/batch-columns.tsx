import type { BatchRow } from '../../src/api/operator/batch-view.ts'
import { count, dollars, span } from '../format.ts'
import { State } from './state.tsx'
import type { Column } from './table.tsx'
import { Time } from './time.tsx'

const endedOf = ({ succeeded, errored, canceled, expired }: BatchRow): number =>
  succeeded + errored + canceled + expired

export const failedOf = ({ errored, canceled, expired }: BatchRow): number => errored + canceled + expired

/** How much of it is done, and how much of that failed. */
export const Progress = ({ batch }: { readonly batch: BatchRow }) => {
  const { total } = batch
  if (total === null) return <>its file is read</>
  const [ended, failed] = [endedOf(batch), failedOf(batch)]
  const text = `${count(ended)} of ${count(total)}${failed > 0 ? `, ${count(failed)} not answered` : ''}`
  return (
    <span class="progress">
      <progress max={total} value={ended} aria-label="Lines that have ended" />
      <span>{text}</span>
    </span>
  )
}

/** What is left between the time it is likely to be done and its deadline. */
export const Slack = ({ batch }: { readonly batch: BatchRow }) => {
  const { expires_at, estimated_completion_at: estimate, ended_at } = batch
  if (ended_at !== null) return <Time at={expires_at} />
  const slack = estimate === null ? null : expires_at - estimate
  return (
    <>
      <Time at={expires_at} />
      {slack !== null &&
        (slack < 0 ? (
          <span class="bad-text"> {span(-slack)} late</span>
        ) : (
          <span class="muted"> {span(slack)} to spare</span>
        ))}
    </>
  )
}

export const Cost = ({ batch: { cost_usd, max_cost_usd } }: { readonly batch: BatchRow }) => (
  <>
    {dollars(cost_usd)}
    {max_cost_usd !== null && ` of ${dollars(max_cost_usd)}`}
  </>
)

export const batchState = ({ blocked, status }: BatchRow): string => (blocked === null ? status : 'blocked')

export const batchColumns: readonly Column<BatchRow>[] = [
  { head: 'Status', cell: batch => <State state={batchState(batch)} /> },
  {
    head: 'Batch, tenant',
    cell: ({ id, tenant }) => (
      <>
        <a href={`/ui/batches/${id}`} title={id}>
          <code>{`${id.slice(0, id.indexOf('_') + 6)}…${id.slice(-7)}`}</code>
        </a>{' '}
        <bdi class="muted">{tenant}</bdi>
      </>
    ),
  },
  { head: 'Progress', cell: batch => <Progress batch={batch} /> },
  {
    head: 'Running / waiting / parked',
    isNumber: true,
    cell: ({ running, waiting, parked }) => [running, waiting, parked].map(count).join(' / '),
  },
  {
    head: 'Done at',
    cell: ({ ended_at, estimated_completion_at }) =>
      ended_at === null && estimated_completion_at !== null ? (
        <>
          ~<Time at={estimated_completion_at} />
        </>
      ) : (
        <Time at={ended_at} />
      ),
  },
  { head: 'Deadline, slack', cell: batch => <Slack batch={batch} /> },
  { head: 'Cost', isNumber: true, cell: batch => <Cost batch={batch} /> },
  {
    head: 'Blocked by',
    cell: ({ blocked }) => (
      <bdi>{blocked === null ? '' : `${blocked.subject ?? ''} (${blocked.reason.replaceAll('_', ' ')})`}</bdi>
    ),
  },
]
