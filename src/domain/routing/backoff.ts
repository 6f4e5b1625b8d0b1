/** For how long a job that a target failed leaves it alone. */
export interface Backoff {
  /** The longest wait after the first failure; it doubles with each one after. */
  readonly baseMs: number
  readonly capMs: number
}

/**
 * A job that has left a target, or has no more tries there, comes back as if it had failed two times more.
 */
export const comesBackAfter = 2

/**
 * Full jitter: anywhere from nothing to the longest wait. Jobs that failed in the same moment would otherwise
 * return in one. `failures` counts from 1, `chance` is 0 to 1.
 */
export const backoffMs = ({ baseMs, capMs }: Backoff, failures: number, chance: number): number =>
  Math.round(Math.min(capMs, baseMs * 2 ** (failures - 1)) * chance)
