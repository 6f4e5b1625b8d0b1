import type { Logger } from 'pino'
import { isPoison, lossesOf, runsAlone } from '../domain/routing/worker-losses.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Execution } from './execution.ts'
import type { Seat } from './isolation.ts'
import type { Transitions } from './transitions.ts'

interface IsolatedParts {
  readonly store: Pick<JobStore, 'isolate'>
  readonly hold: Transitions['waitInSlot']
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
}

/** Waits until a job is alone that has to be. False when it was handed back meanwhile, or is no longer ours. */
export const createIsolated =
  ({ store, hold, persist, log }: IsolatedParts) =>
  async (run: Execution, seat: Seat): Promise<boolean> => {
    const { claim } = run
    if (!runsAlone(claim.attempts) || isPoison(claim.attempts)) return true
    log.warn(
      { event: 'job.isolated', jobId: claim.id, losses: lossesOf(claim.attempts) },
      'job runs alone in its process',
    )
    seat.ask()
    while (!seat.isAlone()) if (!(await hold(run))) return false
    return persist(() => store.isolate(claim))
  }
