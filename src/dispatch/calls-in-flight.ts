import { Interrupt } from '../domain/interrupt.ts'
import type { Interruption } from '../domain/job.ts'

/** Why a call of ours was ended early; travels as the abort reason. */
export type AbortReason = Exclude<Interruption, 'worker_lost' | 'worker_crashed' | 'superseded'>

/** This process's jobs under way, so that a cancel, a deadline or a stop can reach their calls. */
export interface CallsInFlight {
  readonly size: number
  /** Aborts with an AbortReason; `expired` within a quarter second of the deadline. */
  enter(jobId: string, expiresAtMs: number): Interrupt
  leave(jobId: string, interrupt: Interrupt): void
  abort(jobId: string, reason: AbortReason): void
  /** Aborts all jobs, and from now on each that enters: a doorbell may still slip in while a worker stops. */
  abortAll(reason: AbortReason): void
  /** Stops watching deadlines. */
  close(): void
}

interface Entry {
  readonly interrupt: Interrupt
  readonly expiresAtMs: number
}

const deadlineCheckMs = 250

export const createCallsInFlight = (now: () => number): CallsInFlight => {
  const calls = new Map<string, Entry>()
  let closedFor: AbortReason | null = null

  const abortExpired = (): void => {
    const nowMs = now()
    for (const { interrupt, expiresAtMs } of calls.values()) {
      if (expiresAtMs <= nowMs) interrupt.abort('expired' satisfies AbortReason)
    }
  }
  // One clock for all rather than a timer each: Node keeps a list per distinct delay, and thousands of
  // different deadlines cost a worker a quarter of its time.
  const clock = setInterval(abortExpired, deadlineCheckMs)

  return {
    get size() {
      return calls.size
    },
    enter: (jobId, expiresAtMs) => {
      const interrupt = new Interrupt()
      if (closedFor) interrupt.abort(closedFor)
      calls.set(jobId, { interrupt, expiresAtMs })
      return interrupt
    },
    leave: (jobId, interrupt) => {
      if (calls.get(jobId)?.interrupt === interrupt) calls.delete(jobId)
    },
    abort: (jobId, reason) => calls.get(jobId)?.interrupt.abort(reason),
    abortAll: reason => {
      closedFor = reason
      for (const { interrupt } of calls.values()) interrupt.abort(reason)
    },
    close: () => clearInterval(clock),
  }
}
