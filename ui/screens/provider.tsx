import type { ProviderView } from '../../src/api/operator/provider-view.ts'
import { count, millis, percent, rate } from '../format.ts'
import { useHistory } from '../history.ts'
import { asked } from '../parts/filter-bar.tsx'
import { Figures, Loading } from '../parts/panel.tsx'
import { ProviderActions, pausedBy } from '../parts/provider-actions.tsx'
import { failureShare } from '../parts/provider-table.tsx'
import { State } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { Age, Time } from '../parts/time.tsx'
import { TimeChart } from '../parts/time-chart.tsx'
import { hrefWith, type ScreenProps } from '../router.ts'
import { providers, tick } from '../store.ts'

/** One provider: what it does, what holds it back, and what can be done about it. */
export const Provider = ({ name }: ScreenProps) => {
  if (providers.value === null) return <Loading />
  const provider = providers.value.find(each => each.name === name)
  if (provider === undefined) return <p>The config names no provider “{name}”.</p>
  const live = tick.value?.providers[name]
  return (
    <>
      <Standing provider={provider} />
      <Figures
        of={[
          ['Waiting', count(live?.waiting ?? provider.queue.waiting)],
          ['Parked', count(provider.queue.parked)],
          ['Oldest', <Age key="oldest" since={provider.queue.oldest_at} />],
          ['Running', count(live?.running ?? provider.queue.active)],
          ['Workers / wanted', `${count(provider.workers.length)} / ${count(provider.workers_wanted)}`],
          ['Calls', rate(live ? live.attempts_per_s : provider.rates.attempts)],
          ['Fail %', percent(live ? failureShare(live.attempts_per_s, live.failures_per_s) : null)],
          ['p95', millis(live ? live.p95_ms : provider.p95_ms)],
        ]}
      />
      <Charts key={asked('range')} name={name} />
      <Limits provider={provider} />
      <Entries provider={provider} />
      <Workers provider={provider} />
      <Changes provider={provider} />
    </>
  )
}

const Standing = ({ provider }: { readonly provider: ProviderView }) => {
  const { state, since, until, reason, share, paused } = provider
  return (
    <section class="standing panel" aria-label="State">
      <p>
        <State state={state} />
        {paused !== null && (
          <>
            {' '}
            <bdi>{pausedBy(paused)}</bdi>
          </>
        )}
        {paused === null && reason !== null && <> because of {reason}</>}
        {since !== null && (
          <>
            {' since '}
            <Time at={since} ago />
          </>
        )}
        {until !== null && (
          <>
            {', until '}
            <Time at={until} />
          </>
        )}
      </p>
      {state === 'recovering' && (
        <p>
          {percent(share)} of its calls are let through.{' '}
          <progress max={1} value={share} aria-label="Share of calls" />
        </p>
      )}
      <ProviderActions provider={provider} />
    </section>
  )
}

const ranges = { '1h': 3_600, '6h': 6 * 3_600, '24h': 24 * 3_600 } as const

const Charts = ({ name }: { readonly name: string }) => {
  const range = Object.hasOwn(ranges, asked('range')) ? (asked('range') as keyof typeof ranges) : '1h'
  const of = (figure: string): string => `provider:${name}:${figure}`
  const history = useHistory(['attempts', 'failures', 'p95_ms'].map(of), ranges[range])
  return (
    <>
      <p class="buttons">
        {Object.keys(ranges).map(each => (
          <a
            key={each}
            class="button"
            href={hrefWith({ range: each })}
            aria-current={each === range ? 'true' : undefined}
          >
            {each}
          </a>
        ))}
      </p>
      {history !== null && (
        <div class="columns">
          <TimeChart
            title="Calls"
            at={history.at}
            say={rate}
            lines={[
              { name: 'calls', tone: 'run', values: history.numbers(of('attempts')) },
              { name: 'failures', tone: 'bad', values: history.numbers(of('failures')), dash: [2, 3] },
            ]}
          />
          <TimeChart
            title="Time of a call"
            at={history.at}
            say={millis}
            lines={[{ name: 'p95', tone: 'hold', values: history.numbers(of('p95_ms')) }]}
          />
        </div>
      )}
    </>
  )
}

/** "60 told, 55 learned": those of several figures that are known. */
const known = (figures: Readonly<Record<string, number | null>>): string =>
  Object.entries(figures)
    .filter(([, value]) => value !== null)
    .map(([word, value]) => `${count(value)} ${word}`)
    .join(', ') || '—'

const Limits = ({ provider: { limits } }: { readonly provider: ProviderView }) => (
  <Table
    title="Limits"
    rows={limits.seen}
    empty="Nothing was called yet."
    columns={[
      { head: 'Key', by: ({ key }) => key, cell: ({ key }) => <span class="whole">{key}</span> },
      { head: 'Model', cell: ({ model }) => <span class="whole">{model ?? 'all'}</span> },
      {
        head: 'Requests a minute',
        cell: row => known({ told: row.rpm, learned: row.adaptive_rpm, configured: limits.rpm }),
      },
      { head: 'Tokens a minute', cell: row => known({ told: row.tpm, configured: limits.tpm }) },
      {
        head: 'Calls at once',
        cell: row =>
          known({
            now: row.calls_in_flight,
            learned: row.adaptive_concurrency,
            configured: limits.concurrency,
          }),
      },
      { head: 'Left alone until', cell: ({ blocked_until }) => <Time at={blocked_until} /> },
      { head: 'Held back by', cell: ({ held_by }) => held_by.replaceAll('_', ' ') },
    ]}
  />
)

const Entries = ({ provider: { entries } }: { readonly provider: ProviderView }) => (
  <Table
    title="Out of use"
    rows={entries}
    empty="All of its models and keys are in use."
    columns={[
      { head: 'Scope', by: ({ scope }) => scope, cell: ({ scope }) => <bdi>{scope}</bdi> },
      { head: 'State', cell: ({ state }) => <State state={state} /> },
      { head: 'Since', by: ({ since }) => since, cell: ({ since }) => <Time at={since} /> },
      { head: 'Until', by: ({ until }) => until, cell: ({ until }) => <Time at={until} /> },
      { head: 'Reason', by: ({ reason }) => reason, cell: ({ reason }) => reason },
    ]}
  />
)

const Workers = ({ provider: { workers } }: { readonly provider: ProviderView }) => (
  <Table
    title="Workers"
    rows={workers}
    empty="No worker serves it: what waits for it stands still."
    columns={[
      { head: 'Instance', by: ({ instance }) => instance, cell: ({ instance }) => <code>{instance}</code> },
      { head: 'Places', by: ({ concurrency }) => concurrency, cell: ({ concurrency }) => count(concurrency) },
      {
        head: 'In flight',
        by: ({ calls_in_flight }) => calls_in_flight,
        cell: ({ calls_in_flight }) => count(calls_in_flight),
      },
      { head: 'Guard', cell: ({ breaker }) => breaker },
      { head: 'Seen', by: ({ seen_at }) => seen_at, cell: ({ seen_at }) => <Time at={seen_at} /> },
    ]}
  />
)

const Changes = ({ provider: { events } }: { readonly provider: ProviderView }) => (
  <Table
    title="Changes"
    rows={events}
    empty="Nothing has changed yet."
    columns={[
      { head: 'At', cell: ({ at }) => <Time at={at} /> },
      { head: 'Model', cell: ({ model }) => model ?? 'all' },
      { head: 'State', cell: ({ state }) => <State state={state} /> },
      { head: 'Reason', cell: ({ reason }) => reason ?? '' },
      { head: 'Share', cell: ({ share }) => percent(share) },
    ]}
  />
)
