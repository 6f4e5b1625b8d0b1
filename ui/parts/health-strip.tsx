import { clock } from '../format.ts'
import { lookOf } from './state.tsx'

interface Run {
  readonly from: number
  readonly to: number
  /** Null where no process wrote it down. */
  readonly state: string | null
}

const minute = 60

/** Neighbouring minutes of one state are one run; what was not written down is a run as well. */
export const runsOf = (
  at: readonly number[],
  states: readonly (string | null)[],
  from: number,
  to: number,
): readonly Run[] => {
  const runs: Run[] = []
  const add = (begin: number, end: number, state: string | null): void => {
    const last = runs.at(-1)
    if (end <= begin) return
    if (last?.state === state) runs[runs.length - 1] = { ...last, to: end }
    else runs.push({ from: begin, to: end, state })
  }
  let place = from
  for (const [i, time] of at.entries()) {
    if (time < from || time >= to) continue
    add(place, time, null)
    place = Math.min(time + minute, to)
    add(time, place, states[i] ?? null)
  }
  add(place, to, null)
  return runs
}

/** The worst state of each minute, from left to right; states differ by height as well as by colour. */
export const HealthStrip = (props: {
  readonly at: readonly number[]
  readonly states: readonly (string | null)[]
  readonly from: number
  readonly to: number
}) => {
  const { at, states, from, to } = props
  const runs = runsOf(at, states, from, to)
  const place = (time: number): string => `${(((time - from) / (to - from)) * 100).toFixed(2)}%`
  const troubled = runs.filter(({ state }) => state !== null && state !== 'healthy')
  const words = troubled.map(run => `${lookOf(run.state!).word} from ${clock(run.from)} to ${clock(run.to)}`)
  const label = words.length > 0 ? words.slice(-6).join(', ') : 'nothing but healthy, as far as it is known'
  return (
    <svg class="strip" role="img" aria-label={`From ${clock(from)}: ${label}`}>
      <title>{label}</title>
      {runs.map(({ from: begin, to: end, state }) =>
        state === null ? null : (
          <rect
            key={begin}
            class={lookOf(state).tone}
            x={place(begin)}
            width={`${(((end - begin) / (to - from)) * 100).toFixed(2)}%`}
            y={state === 'healthy' ? '60%' : '0'}
            height={state === 'healthy' ? '40%' : '100%'}
          />
        ),
      )}
    </svg>
  )
}
