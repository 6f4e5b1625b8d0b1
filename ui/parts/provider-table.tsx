import type { ProviderView } from '../../src/api/operator/provider-view.ts'
import { count, millis, percent, span } from '../format.ts'
import { type History, useHistory } from '../history.ts'
import { serverNow, tick } from '../store.ts'
import { HealthStrip } from './health-strip.tsx'
import { State } from './state.tsx'
import { Time } from './time.tsx'

export const failureShare = (attempts: number | null, failures: number | null): number | null =>
  attempts === null || failures === null || attempts === 0 ? null : failures / attempts

const placesOf = ({ workers }: ProviderView): number =>
  workers.reduce((sum, { concurrency }) => sum + concurrency, 0)

const Row = ({ provider, strip }: { readonly provider: ProviderView; readonly strip: History | null }) => {
  const { name, state, reason, until, queue } = provider
  // Between two changes of its standing, the figures come with the ticks.
  const live = tick.value?.providers[name]
  const waiting = live?.waiting ?? queue.waiting
  const attempts = live ? live.attempts_per_s : provider.rates.attempts
  const failures = live ? live.failures_per_s : provider.rates.failures
  return (
    <tr>
      <td data-label="State">
        <State state={state} />
      </td>
      <th scope="row">
        <a href={`/ui/providers/${encodeURIComponent(name)}`}>
          <bdi>{name}</bdi>
        </a>
      </th>
      <td data-label="Why, until">
        {reason ?? ''}
        {until !== null && (
          <>
            {' until '}
            <Time at={until} />
          </>
        )}
        {state === 'recovering' && ` ${percent(provider.share)} of calls`}
      </td>
      <td data-label="Waiting" class="number">
        {count(waiting)}
      </td>
      <td data-label="Oldest" class="number">
        {queue.oldest_at === null || waiting === 0 ? '—' : span(serverNow() - queue.oldest_at)}
      </td>
      <td data-label="Running / places" class="number">
        {count(live?.running ?? queue.active)} / {count(placesOf(provider))}
      </td>
      <td data-label="Fail %" class="number">
        {percent(failureShare(attempts, failures))}
      </td>
      <td data-label="p95" class="number">
        {millis(live ? live.p95_ms : provider.p95_ms)}
      </td>
      <td data-label="Drained" class="number">
        <Time at={waiting === 0 ? null : provider.estimated_drain_at} />
      </td>
      <td data-label="Last 6 h">
        {strip !== null && (
          <HealthStrip
            at={strip.at}
            states={strip.words(stateOf(name))}
            from={strip.from}
            to={strip.from + stripSeconds}
          />
        )}
      </td>
    </tr>
  )
}

const stripSeconds = 6 * 3_600
const stateOf = (name: string): string => `provider:${name}:state`

export const ProviderTable = ({ providers }: { readonly providers: readonly ProviderView[] }) => {
  const strip = useHistory(
    providers.map(({ name }) => stateOf(name)),
    stripSeconds,
  )
  return (
    <table class="cards">
      <thead>
        <tr>
          {['State', 'Provider', 'Why, until'].map(head => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
          {['Waiting', 'Oldest', 'Running / places', 'Fail %', 'p95', 'Drained'].map(head => (
            <th key={head} scope="col" class="number">
              {head}
            </th>
          ))}
          <th scope="col">Last 6 h</th>
        </tr>
      </thead>
      <tbody>
        {providers.map(provider => (
          <Row key={provider.name} provider={provider} strip={strip} />
        ))}
      </tbody>
    </table>
  )
}
