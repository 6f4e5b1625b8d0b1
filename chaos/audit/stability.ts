import { batchFingerprint, digest, jobFingerprint } from '../load/watch.ts'
import type { Evidence, Violation } from './evidence.ts'

/** What was final when it was first seen is still the same, and outputs only grew. */
export const judgeStability = ({ jobs, batches, sightings }: Evidence): Violation[] =>
  sightings.flatMap(({ id, fingerprint, bytes, atMs }) => {
    const changed = (what: string): Violation[] => [
      { rule: 'stability', id, marker: null, what: `${what} since ${new Date(atMs).toISOString()}` },
    ]
    const job = jobs.get(id)
    if (job) return jobFingerprint(job) === fingerprint ? [] : changed('its final result has changed')
    const batch = batches.get(id)
    // Another check reports a batch that is gone altogether.
    if (!batch) return []
    if (bytes === null)
      return batchFingerprint(batch.view) === fingerprint ? [] : changed('its end has changed')
    const beginning = Buffer.from(batch.output).subarray(0, bytes).toString()
    return digest(beginning) === fingerprint ? [] : changed('lines of its output have changed')
  })
