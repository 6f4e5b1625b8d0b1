import { count, dollars, rate } from '../format.ts'
import { useHistory } from '../history.ts'
import { LastMoves } from '../parts/last-moves.tsx'
import { Figures, Loading, Panel } from '../parts/panel.tsx'
import { ProviderTable } from '../parts/provider-table.tsx'
import { Time } from '../parts/time.tsx'
import { TimeChart } from '../parts/time-chart.tsx'
import { TroubleList } from '../parts/troubles.tsx'
import { overview, providers, tick, troubles } from '../store.ts'

/** Is something wrong, and is it growing? */
export const Overview = () => {
  const [now, all] = [tick.value, providers.value]
  if (now === null || overview.value === null || all === null) return <Loading />
  const { cost_today_usd, unpriced_today, estimated_drain_at, at_risk } = overview.value
  return (
    <>
      {troubles.value !== null && troubles.value.length > 0 && <TroubleList troubles={troubles.value} />}
      <Figures
        of={[
          ['Waiting', count(now.waiting)],
          ['Running', count(now.running)],
          ['Parked', count(now.parked)],
          ['In', rate(now.accepted_per_s)],
          ['Out', rate(now.ended_per_s)],
          ['Failed', rate(now.failed_per_s)],
          ['Drained', <Time key="drained" at={now.waiting === 0 ? null : estimated_drain_at} />],
          [
            'Today',
            <>
              {dollars(cost_today_usd)}
              {unpriced_today > 0 && <small>and {count(unpriced_today)} unpriced</small>}
            </>,
          ],
        ]}
      />
      <Rates />
      <ProviderTable title="Providers" providers={all} />
      <div class="columns">
        <Panel title="At risk">
          {at_risk.length === 0 ? (
            <p class="muted">Nothing is expected to miss its deadline.</p>
          ) : (
            <ul class="plain">
              {at_risk.map(({ subject, cause }) => (
                <li key={subject}>
                  <Subject of={subject} />: {cause}
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="Last moves">
          <LastMoves />
        </Panel>
      </div>
    </>
  )
}

/** A batch leads to its page; a class of jobs has none. */
const Subject = ({ of }: { readonly of: string }) => {
  const [id] = /(?:msg)?batch_\w+/.exec(of) ?? []
  return id === undefined ? <bdi>{of}</bdi> : <a href={`/ui/batches/${id}`}>{of}</a>
}

const hour = 3_600
const ofAll = ['accepted', 'ended', 'failed'] as const

const Rates = () => {
  const history = useHistory(ofAll, hour)
  if (history === null) return null
  return (
    <TimeChart
      title="Rates of the last hour"
      at={history.at}
      say={rate}
      lines={[
        { name: 'accepted', tone: 'run', values: history.numbers('accepted') },
        { name: 'ended', tone: 'ok', values: history.numbers('ended'), dash: [8, 4] },
        { name: 'failed', tone: 'bad', values: history.numbers('failed'), dash: [2, 3] },
      ]}
    />
  )
}
