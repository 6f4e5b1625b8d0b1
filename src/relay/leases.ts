import type { Logger } from 'pino'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import type { Claim, JobStore } from '../store/job-store.ts'

type Held = Pick<Claim, 'id' | 'token'>

/** The jobs that this process runs: it says so to Redis again and again, lest another takes them for lost. */
export interface Leases extends Repeating {
  hold(claim: Held): void
  /** To be called when the job's end or its move stands in Redis. */
  release(claim: Held): void
}

/** One renewal may be late or fail without harm. */
const renewalsPerLease = 3

export const createLeases = (store: Pick<JobStore, 'renew'>, leaseMs: number, log: Logger): Leases => {
  const held = new Map<string, Held>()

  const renewal = createRepeating(
    'leases',
    leaseMs / renewalsPerLease,
    async () => {
      // Not waited for: of a Cluster one master may be away, and the jobs of the others must not wait for it. A lease that
      // is lost is of no concern here: whatever its call brings, the store decides what becomes of it.
      for (const claim of held.values()) {
        store
          .renew(claim)
          .catch(error =>
            log.debug(
              { event: 'job_lease.renew_failed', err: error, jobId: claim.id },
              'lease of a job not renewed',
            ),
          )
      }
    },
    log,
  )
  return {
    ...renewal,
    hold: claim => void held.set(claim.token, claim),
    release: ({ token }) => void held.delete(token),
  }
}
