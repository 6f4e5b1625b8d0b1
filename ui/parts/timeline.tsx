import type { OperatorJobView } from '../../src/api/operator/job-view.ts'
import { millis, span } from '../format.ts'
import { serverNow } from '../store.ts'
import { type TimeScale, timeScale } from '../time-scale.ts'
import { HealthLane } from './health-lanes.tsx'
import { CallBar, MoveMark, percent, Told } from './timeline-marks.tsx'

type Call = OperatorJobView['attempts'][number]
type Move = NonNullable<OperatorJobView['moves']>[number]

const laneHeight = 30
const top = 22
/** The last lane, of the tries to tell the receiver. */
const ofWebhook = 'webhook'
const nameOf = ({ provider, model }: { provider: string; model: string }): string => `${provider}/${model}`

interface Lanes {
  readonly names: readonly string[]
  readonly scale: TimeScale
  readonly endsAt: number
  readonly y: (name: string) => number
}

const endOf = ({ started_at, duration_ms }: Call, now: number): number =>
  duration_ms === null ? Math.max(started_at, now) : started_at + duration_ms / 1_000

/** When it was created, and has ended, in seconds. */
const boundsOf = ({ times_ms }: OperatorJobView) => ({
  createdAt: times_ms.created / 1_000,
  finishedAt: times_ms.finished === null ? null : times_ms.finished / 1_000,
})

const lanesOf = (job: OperatorJobView): Lanes => {
  const { attempts, moves = [], webhook } = job
  const { createdAt: created_at, finishedAt: finished_at } = boundsOf(job)
  const tries = webhook?.log ?? []
  const now = serverNow()
  const calls = attempts.map(call => ({
    from: call.claimed_at ?? call.started_at,
    to: endOf(call, finished_at ?? now),
  }))
  const told = [...tries.map(({ at }) => at), ...(webhook?.next_at ? [webhook.next_at] : [])]
  const last = Math.max(created_at, ...calls.map(({ to }) => to), ...moves.map(({ at }) => at), ...told)
  const endsAt = finished_at === null ? Math.max(now, last) : Math.max(finished_at, last)
  const at = [...attempts, ...moves].toSorted((a, b) => timeOf(a) - timeOf(b))
  const current = finished_at === null ? [`${job.provider}/${job.upstream_model}`] : []
  const names = [...new Set([...at.map(nameOf), ...current]), ...(webhook === null ? [] : [ofWebhook])]
  return {
    names,
    endsAt,
    scale: timeScale([created_at, endsAt, ...moves.map(move => move.at), ...told], calls),
    y: name => top + names.lastIndexOf(name) * laneHeight,
  }
}

const timeOf = (event: Call | Move): number => ('kind' in event ? event.at : event.started_at)

/**
 * One lane for each target, time to the right: solid bars are calls, a cross is a target that was passed over, dashes are parking, and
 * and a line between two lanes is a handover; dots before a call wait for room. The last lane has the tries of the webhook. What it shows stands in the sentences below it as well.
 */
export const Timeline = ({
  job,
  marked,
}: {
  readonly job: OperatorJobView
  readonly marked: string | null
}) => {
  const lanes = lanesOf(job)
  const { names, scale, y } = lanes
  if (names.length === 0) return null
  const height = top + names.length * laneHeight
  return (
    <svg class="timeline" height={height} role="img" aria-label={summary(job, names)}>
      {scale.cuts.map(({ at, seconds }) => (
        <text key={at} x={percent(0.24 + at * 0.75)} y={12} text-anchor="middle" class="cut">
          ⋯ {seconds < 1 ? millis(seconds * 1_000) : span(seconds)}
        </text>
      ))}
      {names.map(name => (
        <g key={name}>
          <text x="0" y={y(name) + 14} class="lane-name">
            {name.length > 28 ? `${name.slice(0, 27)}…` : name}
          </text>
          {name !== ofWebhook && (
            <HealthLane
              target={name}
              from={job.created_at}
              to={lanes.endsAt}
              place={time => 0.24 + scale.of(time) * 0.75}
              y={y(name)}
            />
          )}
          <line x1="24%" x2="99%" y1={y(name) + 10} y2={y(name) + 10} class="lane" />
        </g>
      ))}
      <Events job={job} lanes={lanes} marked={marked} />
    </svg>
  )
}

const summary = ({ attempts, moves = [], webhook }: OperatorJobView, names: readonly string[]): string => {
  const calls = `${attempts.length} call${attempts.length === 1 ? '' : 's'}`
  const passed = `${moves.length} move${moves.length === 1 ? '' : 's'} without one`
  const told = webhook === null ? '' : `; webhook ${webhook.status} after ${webhook.attempts}`
  return `${calls} and ${passed}, at ${names.filter(name => name !== ofWebhook).join(', ')}${told}`
}

const Events = ({
  job,
  lanes,
  marked,
}: {
  readonly job: OperatorJobView
  readonly lanes: Lanes
  readonly marked: string | null
}) => {
  const { attempts, moves = [], webhook } = job
  const { finishedAt } = boundsOf(job)
  const x = (time: number): string => percent(0.24 + lanes.scale.of(time) * 0.75)
  const inOrder = [...attempts, ...moves].toSorted((a, b) => timeOf(a) - timeOf(b))
  return (
    <>
      {inOrder.map((event, i) => {
        const before = inOrder[i - 1]
        if (before === undefined || nameOf(before) === nameOf(event)) return null
        const [from, to] = [lanes.y(nameOf(before)) + 10, lanes.y(nameOf(event)) + 10]
        return (
          <line
            key={`to ${i}`}
            class="handover"
            x1={x(timeOf(event))}
            x2={x(timeOf(event))}
            y1={from}
            y2={to}
          />
        )
      })}
      {attempts.map((call, i) => (
        <CallBar
          key={`call ${i}`}
          call={call}
          claimed={lanes.scale.of(call.claimed_at ?? call.started_at)}
          x={lanes.scale.of(call.started_at)}
          width={lanes.scale.of(endOf(call, finishedAt ?? serverNow())) - lanes.scale.of(call.started_at)}
          y={lanes.y(nameOf(call))}
          isMarked={marked === `attempt ${i}`}
        />
      ))}
      {moves.map((move, i) => (
        <MoveMark
          key={`move ${i}`}
          move={move}
          x={x(move.at)}
          end={x(Math.min(move.until ?? move.at, lanes.endsAt))}
          y={lanes.y(nameOf(move))}
          isMarked={marked === `move ${i}`}
        />
      ))}
      {webhook !== null && (
        <Told webhook={webhook} hasEnded={finishedAt !== null} x={x} y={lanes.y(ofWebhook)} />
      )}
    </>
  )
}
