export interface Stretch {
  readonly from: number
  readonly to: number
}

export interface TimeScale {
  /** 0 at the begin, 1 at the end. */
  readonly of: (time: number) => number
  /** Where nothing happened for so long that it was cut: its middle, and its length in seconds. */
  readonly cuts: readonly { readonly at: number; readonly seconds: number }[]
}

/** An idle stretch takes at most so much of the room of all calls together. */
const idleShare = 0.5
const leastIdleSeconds = 0.2

/** Places moments of one job beside each other: calls keep their lengths, and long stretches between them are cut. */
export const timeScale = (moments: readonly number[], calls: readonly Stretch[]): TimeScale => {
  const times = [...new Set([...moments, ...calls.flatMap(({ from, to }) => [from, to])])].toSorted(
    (a, b) => a - b,
  )
  const busy = calls.reduce((sum, { from, to }) => sum + to - from, 0)
  const longest = Math.max(leastIdleSeconds, busy * idleShare)
  const places: { readonly time: number; readonly place: number }[] = []
  const cut: { readonly at: number; readonly seconds: number }[] = []
  let place = 0
  for (const [i, time] of times.entries()) {
    const before = times[i - 1] ?? time
    const isBusy = calls.some(({ from, to }) => from <= before && to >= time)
    const length = time - before
    const shown = isBusy ? length : Math.min(length, longest)
    if (shown < length) cut.push({ at: place + shown / 2, seconds: length })
    place += shown
    places.push({ time, place })
  }
  const whole = place || 1
  const of = (time: number): number => {
    const next = places.find(each => each.time >= time)
    if (next === undefined) return 1
    const before = places[places.indexOf(next) - 1]
    if (before === undefined || next.time === before.time) return next.place / whole
    const part = (time - before.time) / (next.time - before.time)
    return (before.place + part * (next.place - before.place)) / whole
  }
  return { of, cuts: cut.map(({ at, seconds }) => ({ at: at / whole, seconds })) }
}
