import type { Logger } from 'pino'
import { streamLeaseMs } from '../jobs/schedule.ts'
import type { Claim, JobStore } from '../jobs/types.ts'
import { createRepeating, type Repeating, renewalsPerLease } from '../lifecycle/repeating.ts'

type Held = Pick<Claim, 'id' | 'token' | 'stream'>

/** The jobs that this process runs: it says so to Redis again and again, lest another takes them for lost. */
export interface Leases extends Repeating {
  hold(claim: Held): void
  /** Call it once the job's end or its move is in Redis. */
  release(claim: Held): void
  /** False once Redis has reported that another worker has the job, or that it has ended. */
  isOurs(claim: Held): boolean
}

export const createLeases = (store: Pick<JobStore, 'renew'>, leaseMs: number, log: Logger): Leases => {
  const held = new Map<string, Held>()
  const lost = new Set<string>()
  const shortestMs = Math.min(leaseMs, streamLeaseMs)
  /** The longer leases are renewed in every so manieth round. */
  const roundsPerLong = Math.max(1, Math.floor(leaseMs / shortestMs))
  let rounds = 0

  const renew = async (claim: Held): Promise<void> => {
    const isHeld = await store.renew(claim)
    if (!isHeld && held.has(claim.token)) lost.add(claim.token)
  }

  const renewal = createRepeating(
    'leases',
    shortestMs / renewalsPerLease,
    async () => {
      rounds += 1
      const isLong = rounds % roundsPerLong === 0
      // Not waited for: one master of a Cluster may be away, and jobs on the others must not wait for it. A
      // call under way continues though its lease is lost: the store decides whether its result counts.
      for (const claim of held.values()) {
        if (!isLong && claim.stream === undefined) continue
        renew(claim).catch(error =>
          log.debug(
            { event: 'job_lease.renew_failed', err: error, jobId: claim.id },
            'job lease not renewed',
          ),
        )
      }
    },
    log,
  )
  return {
    ...renewal,
    hold: claim => void held.set(claim.token, claim),
    release: ({ token }) => {
      held.delete(token)
      lost.delete(token)
    },
    isOurs: ({ token }) => !lost.has(token),
  }
}
