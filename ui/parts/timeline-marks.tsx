import type { OperatorJobView } from '../../src/api/operator/job-view.ts'
import { millis } from '../format.ts'

type Call = OperatorJobView['attempts'][number]
type Move = NonNullable<OperatorJobView['moves']>[number]

export const percent = (share: number): string => `${(share * 100).toFixed(2)}%`

/** A call, and before it the wait for room at its provider. */
export const CallBar = (props: {
  readonly call: Call
  /** Where its worker had the job. */
  readonly claimed: number
  readonly x: number
  readonly width: number
  readonly y: number
  readonly isMarked: boolean
}) => {
  const { call, claimed, x, width, y, isMarked } = props
  const { verdict, duration_ms, status_code, possibly_billed } = call
  const tone = verdict === 'ok' ? 'ok' : verdict === null ? (duration_ms === null ? 'run' : 'hold') : 'bad'
  const sign = verdict === 'ok' ? '✓' : duration_ms === null ? '▶' : verdict === null ? '⌁' : '✕'
  const words = `${sign} ${status_code ?? ''} ${millis(duration_ms)}${possibly_billed && verdict !== 'ok' ? ' $?' : ''}`
  const left = 0.24 + x * 0.75
  // Words that would leave the picture stand before their bar.
  const isLate = left > 0.8
  return (
    <g class={`call ${tone}${isMarked ? ' marked' : ''}`}>
      {claimed < x && (
        <line class="room" x1={percent(0.24 + claimed * 0.75)} x2={percent(left)} y1={y + 10} y2={y + 10} />
      )}
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

/** A target that was passed over, or the job's stay there. */
export const MoveMark = (props: {
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

/** Each try to tell the receiver a dot, and the next one hollow. */
export const Told = (props: {
  readonly webhook: NonNullable<OperatorJobView['webhook']>
  readonly hasEnded: boolean
  readonly x: (time: number) => string
  readonly y: number
}) => {
  const { webhook, hasEnded, x, y } = props
  if (!hasEnded)
    return (
      <text x="25%" y={y + 14} class="cut">
        told at the end
      </text>
    )
  return (
    <g>
      {webhook.log.map(({ at, outcome }, i) => (
        <circle
          key={i}
          class={`try ${outcome === 'delivered' ? 'ok' : 'bad'}`}
          cx={x(at)}
          cy={y + 10}
          r={5}
        />
      ))}
      {webhook.next_at !== null && <circle class="try next" cx={x(webhook.next_at)} cy={y + 10} r={5} />}
    </g>
  )
}
