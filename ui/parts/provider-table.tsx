import { useMemo } from 'preact/hooks'
import type { ProviderView } from '../../src/api/operator/provider-view.ts'
import { count, millis, percent } from '../format.ts'
import { type History, useHistory } from '../history.ts'
import { tick } from '../store.ts'
import { HealthStrip } from './health-strip.tsx'
import { pausedBy } from './provider-actions.tsx'
import { State } from './state.tsx'
import { type Column, Table } from './table.tsx'
import { Age, Time } from './time.tsx'

export const failureShare = (attempts: number | null, failures: number | null): number | null =>
  attempts === null || failures === null || attempts === 0 ? null : failures / attempts

const placesOf = ({ workers }: ProviderView): number =>
  workers.reduce((sum, { concurrency }) => sum + concurrency, 0)

const stripSeconds = 6 * 3_600
const stateOf = (name: string): string => `provider:${name}:state`

/** Between two changes of its standing, the figures come with the ticks. */
const liveOf = ({ name, queue, rates, p95_ms }: ProviderView) => {
  const live = tick.value?.providers[name]
  const waiting = live?.waiting ?? queue.waiting
  return {
    waiting,
    running: live?.running ?? queue.active,
    oldestAt: waiting === 0 ? null : queue.oldest_at,
    failing: live
      ? failureShare(live.attempts_per_s, live.failures_per_s)
      : failureShare(rates.attempts, rates.failures),
    p95: live ? live.p95_ms : p95_ms,
  }
}

const drainedAt = (provider: ProviderView): number | null =>
  liveOf(provider).waiting === 0 ? null : provider.estimated_drain_at

const columnsOf = (strip: History | null): readonly Column<ProviderView>[] => [
  { head: 'State', by: ({ state }) => state, cell: ({ state }) => <State state={state} /> },
  {
    ...{ head: 'Provider', isName: true, by: ({ name }) => name },
    cell: ({ name }) => (
      <a href={`/ui/providers/${encodeURIComponent(name)}`}>
        <bdi class="whole">{name}</bdi>
      </a>
    ),
  },
  {
    head: 'Why, until',
    cell: ({ reason, until, state, share, paused }) => (
      <>
        {paused === null ? reason : <bdi>{pausedBy(paused)}</bdi>}
        {until !== null && (
          <>
            {' until '}
            <Time at={until} />
          </>
        )}
        {state === 'recovering' && ` ${percent(share)} of calls`}
      </>
    ),
  },
  {
    ...{ head: 'Waiting', isNumber: true, by: provider => liveOf(provider).waiting },
    cell: provider => count(liveOf(provider).waiting),
  },
  {
    ...{ head: 'Oldest', isNumber: true },
    by: provider => {
      const { oldestAt } = liveOf(provider)
      return oldestAt === null ? null : -oldestAt
    },
    cell: provider => <Age since={liveOf(provider).oldestAt} />,
  },
  {
    ...{ head: 'Running / places', isNumber: true, by: provider => liveOf(provider).running },
    cell: provider => `${count(liveOf(provider).running)} / ${count(placesOf(provider))}`,
  },
  {
    ...{ head: 'Fail %', isNumber: true, by: provider => liveOf(provider).failing },
    cell: provider => percent(liveOf(provider).failing),
  },
  {
    ...{ head: 'p95', isNumber: true, by: provider => liveOf(provider).p95 },
    cell: provider => millis(liveOf(provider).p95),
  },
  {
    ...{ head: 'Drained', isNumber: true, by: drainedAt },
    cell: provider => <Time at={drainedAt(provider)} />,
  },
  {
    head: 'Last 6 h',
    cell: ({ name }) =>
      strip !== null && (
        <HealthStrip
          at={strip.at}
          states={strip.words(stateOf(name))}
          from={strip.from}
          to={strip.from + stripSeconds}
        />
      ),
  },
]

export const ProviderTable = ({
  title,
  providers,
}: {
  readonly title: string
  readonly providers: readonly ProviderView[]
}) => {
  const strip = useHistory(
    providers.map(({ name }) => stateOf(name)),
    stripSeconds,
  )
  const columns = useMemo(() => columnsOf(strip), [strip])
  return (
    <Table
      title={title}
      name="providers"
      rows={providers}
      columns={columns}
      keyOf={({ name }) => name}
      empty="The config names no provider."
    />
  )
}
