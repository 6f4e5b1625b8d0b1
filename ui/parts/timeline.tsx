import type { OperatorJobView } from '../../src/api/operator/views.ts'
import { millis, span } from '../format.ts'
import { serverNow } from '../store.ts'
import { type TimeScale, timeScale } from '../time-scale.ts'

type Call = OperatorJobView['attempts'][number]
type Move = NonNullable<OperatorJobView['moves']>[number]

const laneHeight = 30
const top = 22
const percent = (share: number): string => `${(share * 100).toFixed(2)}%`
const nameOf = ({ provider, model }: { provider: string; model: string }): string => `${provider}/${model}`

interface Lanes {
  readonly names: readonly string[]
  readonly scale: TimeScale
  readonly endsAt: number
  readonly y: (name: string) => number
}

const endOf = ({ started_at, duration_ms }: Call, now: number): number =>
  duration_ms === null ? Math.max(started_at, now) : started_at + duration_ms / 1_000

const lanesOf = (job: OperatorJobView): Lanes => {
  const { attempts, moves = [], created_at, finished_at } = job
  const now = serverNow()
  const calls = attempts.map(call => ({ from: call.started_at, to: endOf(call, finished_at ?? now) }))
  const last = Math.max(created_at, ...calls.map(({ to }) => to), ...moves.map(({ at }) => at))
  const endsAt = finished_at === null ? Math.max(now, last) : Math.max(finished_at, last)
  const at = [...attempts, ...moves].toSorted((a, b) => timeOf(a) - timeOf(b))
  const current = finished_at === null ? [`${job.provider}/${job.upstream_model}`] : []
  const names = [...new Set([...at.map(nameOf), ...current])]
  return {
    names,
    endsAt,
    scale: timeScale([created_at, endsAt, ...moves.map(move => move.at)], calls),
    y: name => top + names.indexOf(name) * laneHeight,
  }
}

const timeOf = (event: Call | Move): number => ('kind' in event ? event.at : event.started_at)

/**
 * One lane for each target, time to the right: solid bars are calls, a cross is a target that was passed over, dashes are parking, and
 * a line between two lanes is a handover. What it shows stands in the sentences below it as well.
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
          ⋯ {span(seconds)}
        </text>
      ))}
      {names.map(name => (
        <g key={name}>
          <text x="0" y={y(name) + 14} class="lane-name">
            {name.length > 28 ? `${name.slice(0, 27)}…` : name}
          </text>
          <line x1="24%" x2="99%" y1={y(name) + 10} y2={y(name) + 10} class="lane" />
        </g>
      ))}
      <Events job={job} lanes={lanes} marked={marked} />
    </svg>
  )
}

const summary = ({ attempts, moves = [] }: OperatorJobView, names: readonly string[]): string => {
  const calls = `${attempts.length} call${attempts.length === 1 ? '' : 's'}`
  const passed = `${moves.length} move${moves.length === 1 ? '' : 's'} without one`
  return `${calls} and ${passed}, at ${names.join(', ')}`
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
  const { attempts, moves = [], finished_at } = job
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
          x={lanes.scale.of(call.started_at)}
          width={lanes.scale.of(endOf(call, finished_at ?? serverNow())) - lanes.scale.of(call.started_at)}
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
    </>
  )
}

const CallBar = (props: {
  readonly call: Call
  readonly x: number
  readonly width: number
  readonly y: number
  readonly isMarked: boolean
}) => {
  const { call, x, width, y, isMarked } = props
  const { verdict, duration_ms, status_code, possibly_billed } = call
  const tone = verdict === 'ok' ? 'ok' : verdict === null ? (duration_ms === null ? 'run' : 'hold') : 'bad'
  const sign = verdict === 'ok' ? '✓' : duration_ms === null ? '▶' : verdict === null ? '⌁' : '✕'
  const words = `${sign} ${status_code ?? ''} ${millis(duration_ms)}${possibly_billed && verdict !== 'ok' ? ' $?' : ''}`
  const left = 0.24 + x * 0.75
  // Words that would leave the picture stand before their bar.
  const isLate = left > 0.8
  return (
    <g class={`call ${tone}${isMarked ? ' marked' : ''}`}>
      <rect x={percent(left)} width={percent(Math.max(width * 0.75, 0.004))} y={y + 3} height={14} rx={2} />
      <text
        x={percent(isLate ? left - 0.005 : left + width * 0.75 + 0.008)}
        y={y + 14}
        text-anchor={isLate ? 'end' : 'start'}
      >
        {words}
      </text>
    </g>
  )
}

const MoveMark = (props: {
  readonly move: Move
  readonly x: string
  readonly end: string
  readonly y: number
  readonly isMarked: boolean
}) => {
  const { move, x, end, y, isMarked } = props
  const isParked = move.kind === 'parked'
  return (
    <g class={`move${isMarked ? ' marked' : ''}`}>
      {isParked && <line class="parking" x1={x} x2={end} y1={y + 10} y2={y + 10} />}
      <text x={x} y={y + 15} text-anchor="middle">
        {isParked ? '◷' : '✕'}
      </text>
    </g>
  )
}
