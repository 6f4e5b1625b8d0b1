/** As much of a job as its patience follows from. */
export interface Patient {
  readonly line?: number
  readonly urgent?: boolean
  readonly expiresAtMs: number
}

/** What a handover costs is worth no longer wait to a client that waits. */
const usualMs = 2_000
/** Lines of a batch wait for this part of the time left, and for ten minutes at most. */
const ofLines = 0.01
const longestMs = 10 * 60_000
/** Near its deadline no job waits for longer than this part of the time left. */
const ofTimeLeft = 0.1

/**
 * How long a job waits for room under the limits of its target before the next one of its route is worth its price. `setMs`: what
 * the route says; null for nothing. A line of a batch that is late waits for nothing.
 */
export const patienceOf = (job: Patient, setMs: number | null, nowMs: number): number => {
  if (job.urgent) return 0
  const leftMs = Math.max(0, job.expiresAtMs - nowMs)
  const ofLineMs = Math.min(longestMs, Math.max(usualMs, leftMs * ofLines))
  const wantedMs = setMs ?? (job.line === undefined ? usualMs : ofLineMs)
  return Math.min(wantedMs, leftMs * ofTimeLeft)
}
