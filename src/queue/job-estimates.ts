import { isTerminal } from '../domain/job.ts'
import { placeOf } from '../domain/place.ts'
import { completionAt } from '../domain/planning/completion.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import type { JobRecord } from '../jobs/record.ts'
import { type Doorbells, providerQueue } from './doorbells.ts'
import type { QueueSpeeds } from './queue-speeds.ts'

/** Unix ms at which a job is likely to have its answer; null where it has ended, or nothing is known. */
export type EstimateJob = (record: JobRecord) => Promise<number | null>

export interface JobEstimatesDeps {
  readonly doorbells: Pick<Doorbells, 'around'>
  readonly speeds: Pick<QueueSpeeds, 'of'>
  readonly now: () => number
}

/**
 * A running job needs what calls take at its provider; one that waits needs that after all that are served before it, by the speed
 * of its queue; a parked one waits from when it resumes. Reads once, and never rejects: an estimate is no reason to fail.
 */
export const createJobEstimates =
  ({ doorbells, speeds, now }: JobEstimatesDeps): EstimateJob =>
  async record => {
    const { id, status, hop, generation, target, standing, resumesAtMs, lastChangeAtMs } = record
    const speed = speeds.of(target.provider)
    const nowMs = now()
    if (isTerminal(status) || speed.callMs === null) return null
    if (status === 'running') return Math.max(nowMs, lastChangeAtMs + speed.callMs)
    // It waits for a person.
    if (status === 'parked' && (standing?.blocks ?? null) !== null) return null
    const place = placeOf(record)
    const queue = providerQueue(target.provider)
    const found = await doorbells.around(queue, place, jobDoorbell(id, hop, generation)).catch(() => null)
    if (found === null) return null
    const { depth, own, tenants, ahead } = found
    const crowd = { class: place.class, waiting: depth, own, tenants }
    return completionAt((ahead ?? 0) + 1, crowd, speed, Math.max(nowMs, resumesAtMs ?? 0))
  }
