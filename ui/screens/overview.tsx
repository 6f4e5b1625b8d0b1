import { count, dollars, rate } from '../format.ts'
import { useHistory } from '../history.ts'
import { Figures, Loading, Panel } from '../parts/panel.tsx'
import { ProviderTable } from '../parts/provider-table.tsx'
import { lookOf } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { TimeChart } from '../parts/time-chart.tsx'
import { TroubleList } from '../parts/troubles.tsx'
import { actions, overview, providers, tick, troubles } from '../store.ts'

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
          ['Today', dollars(cost_today_usd, unpriced_today)],
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

interface Move {
  readonly at: number
  readonly text: string
}

/** What providers and people did of late: whether an action has helped. */
const LastMoves = () => {
  const byProviders = (providers.value ?? []).flatMap(({ name, events }) =>
    (events as readonly { at: number; model: string | null; state: string; reason: string | null }[]).map(
      ({ at, model, state, reason }): Move => ({
        at,
        text: `${name}${model === null ? '' : `/${model}`}: ${lookOf(state).word}${reason === null ? '' : ` (${reason})`}`,
      }),
    ),
  )
  const byPeople = actions.value.map(
    ({ at, by, action, subject, note }): Move => ({
      at,
      text: `${by}: ${action} ${subject}${note === null ? '' : ` “${note}”`}`,
    }),
  )
  const moves = [...byProviders, ...byPeople].toSorted((a, b) => b.at - a.at).slice(0, 12)
  if (moves.length === 0) return <p class="muted">Nothing has changed yet.</p>
  return (
    <ol class="plain">
      {moves.map(({ at, text }) => (
        <li key={`${at} ${text}`}>
          <Time at={at} /> <bdi>{text}</bdi>
        </li>
      ))}
    </ol>
  )
}
