import type { Logger } from 'pino'
import { isPoison, lossesOf, runsAlone } from '../domain/routing/worker-losses.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Ending, Execution } from './execution.ts'
import type { Transitions } from './transitions.ts'

/**
 * Whether a process runs many jobs at a time, or one alone. A job that was lost with its worker several times
 * may be what kills it: alone it takes no other job along, and if the worker dies again, the cause is known.
 * All workers of a process share one isolation, because they die together.
 *
 * Open → asked (no job enters any more) → alone, one after the other → open.
 */
export interface Isolation {
  readonly isOpen: boolean
  /** Resolves when a job may be taken up with the others. */
  enter(): Promise<Seat> | Seat
  onChange(listener: () => void): void
}

export interface Seat {
  /** Leaves the others, and lets no job enter until this one has had its turn alone. */
  ask(): void
  /** Whether everybody else has left, and those that asked before. */
  isAlone(): boolean
  leave(): void
}

export const createIsolation = (): Isolation => {
  const listeners: (() => void)[] = []
  const asking: Seat[] = []
  let waiting: (() => void)[] = []
  let together = 0

  const sit = (): Seat => {
    together += 1
    let isTogether = true
    const leaveOthers = (): void => {
      if (!isTogether) return
      isTogether = false
      together -= 1
    }
    const seat: Seat = {
      ask: () => {
        leaveOthers()
        asking.push(seat)
      },
      isAlone: () => together === 0 && asking[0] === seat,
      leave: () => {
        leaveOthers()
        const at = asking.indexOf(seat)
        if (at < 0) return
        asking.splice(at, 1)
        if (asking.length > 0) return
        const entering = waiting
        waiting = []
        for (const enter of entering) enter()
        for (const listener of listeners) listener()
      },
    }
    return seat
  }

  return {
    get isOpen() {
      return asking.length === 0
    },
    enter: () => (asking.length === 0 ? sit() : new Promise(resolve => waiting.push(() => resolve(sit())))),
    onChange: listener => void listeners.push(listener),
  }
}

export interface IsolateDeps {
  readonly store: Pick<JobStore, 'isolate'>
  readonly waitInSlot: Transitions['waitInSlot']
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
}

/**
 * Waits until a job is alone that has to be; an ending when it was interrupted meanwhile, or is no longer
 * ours.
 */
export const createIsolate =
  ({ store, waitInSlot, persist, log }: IsolateDeps) =>
  async (run: Execution, seat: Seat): Promise<Ending | null> => {
    const { claim } = run
    if (!runsAlone(claim.attempts) || isPoison(claim.attempts)) return null
    log.warn(
      { event: 'job.isolated', jobId: claim.id, losses: lossesOf(claim.attempts) },
      'job runs alone in its process',
    )
    seat.ask()
    // What ends the worker meanwhile is another job: the one whose turn it is.
    if (!(await persist(() => store.isolate(claim, 'waits')))) return { kind: 'written' }
    while (!seat.isAlone()) {
      const ending = await waitInSlot(run)
      if (ending) return ending
    }
    return (await persist(() => store.isolate(claim, 'alone'))) ? null : { kind: 'written' }
  }
