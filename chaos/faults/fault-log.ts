import type { PlannedFault } from '../plan/faults.ts'

/** A fault as it came to pass. Times are Unix ms. */
export interface Fault extends PlannedFault {
  readonly number: number
  readonly beganAtMs: number
  /** Null while it goes on. */
  endedAtMs: number | null
  /** A note for the report; empty when all went as planned. */
  note: string
}
