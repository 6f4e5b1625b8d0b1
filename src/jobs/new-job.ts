import type { JobMove, JobSpec, Priority, Target } from '../domain/job.ts'

/** A job as it is accepted. */
export interface NewJob extends JobSpec {
  readonly createdAtMs: number
  readonly target: Target
  /** Why that is not the first of its route. */
  readonly moves?: readonly JobMove[]
  readonly priority: Priority
  /** Present when the client sent an Idempotency-Key. */
  readonly idempotency: {
    readonly keyHash: string
    readonly fingerprint: string
    readonly ttlMs: number
  } | null
}
