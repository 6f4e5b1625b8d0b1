import type { CallReport } from './circuit-store.ts'
import type { HealthOutcome } from './local-breaker.ts'

/** A call that has ended, as it counts. */
export interface EndedCall {
  /** The circuit's era when the call began. */
  readonly era: number
  readonly startedAtMs: number
  readonly outcome: HealthOutcome
  readonly reason: string
  /** Where it matters how long it took. */
  readonly durationMs?: number
}

/** The sums of a process's calls since the last report. */
export interface CallSums {
  /** Whether there is something to report now. */
  record(call: EndedCall): boolean
  /** A call was answered that began before the circuit was slow. */
  answeredLate(): void
  readonly isAny: boolean
  /** The sums, which begin anew: those of calls of that era, or nothing of it. */
  take(era: number, isTripped: boolean): CallReport
}

const nothing = { era: 0, ok: 0, failed: 0, run: 0, cutFromMs: 0, reason: '' }
const untimed: Pick<CallReport, 'answers' | 'longest'> = { answers: 0, longest: [] }
/**
 * Response times change slowly: they are reported after this time, or when `manyTimes` have come together.
 */
const tellTimesEveryMs = 2_000
const manyTimes = 10
const mostTimes = 3

export const createCallSums = (instance: string, now: () => number): CallSums => {
  let sums = nothing
  let lastReason = ''
  /** When the last connection was cut. */
  let cutAtMs = 0
  let failingSinceMs = 0
  let times = untimed
  let timesToldAtMs = 0
  let late = false

  const time = ({ outcome, durationMs }: EndedCall): void => {
    if (outcome !== 'success' || durationMs === undefined) return
    const longest = [...times.longest, Math.round(durationMs)].toSorted((a, b) => b - a).slice(0, mostTimes)
    times = { answers: times.answers + 1, longest }
  }

  const takeTimes = (): typeof times => {
    const isSoon = times.answers < manyTimes && now() - timesToldAtMs < tellTimesEveryMs
    if (times.answers === 0 || isSoon) return untimed
    timesToldAtMs = now()
    const told = times
    times = untimed
    return told
  }

  const fail = ({ startedAtMs, reason }: EndedCall): void => {
    if (failingSinceMs === 0) failingSinceMs = now()
    lastReason = reason
    // A restart cuts all connections at once, and says no more than one does.
    const isCut = reason === 'reset'
    const isSameCut = isCut && startedAtMs <= cutAtMs
    if (isCut) cutAtMs = now()
    const run = sums.run + (isSameCut ? 0 : 1)
    const cutFromMs = run === 1 && isCut ? sums.cutFromMs || startedAtMs : 0
    sums = { ...sums, failed: sums.failed + 1, run, cutFromMs, reason }
  }

  return {
    answeredLate: () => {
      late = true
    },
    record: call => {
      const { era, outcome } = call
      time(call)
      if (outcome === 'ignored' || era < sums.era) return false
      if (era > sums.era) sums = { ...nothing, era }
      if (outcome === 'success') {
        failingSinceMs = 0
        sums = { ...sums, ok: sums.ok + 1, run: 0, cutFromMs: 0 }
      } else fail(call)
      return true
    },
    get isAny() {
      return late || sums.ok + sums.failed > 0
    },
    take: (era, isTripped) => {
      const taken = sums.ok + sums.failed > 0 ? sums : { ...nothing, era }
      sums = { ...nothing, era }
      const trippedSinceMs = isTripped ? failingSinceMs || now() : 0
      const wasLate = late
      late = false
      return {
        ...taken,
        ...takeTimes(),
        reason: taken.reason || (isTripped ? lastReason : ''),
        by: instance,
        trippedSinceMs,
        late: wasLate,
      }
    },
  }
}
