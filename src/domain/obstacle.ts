import type { LastError, Target } from './job.ts'

/** What only a person can mend: a key, an account, the name of a model, or a pause that a person began. */
export const blockReasons = ['bad_credentials', 'out_of_quota', 'unknown_model', 'paused'] as const
export type BlockReason = (typeof blockReasons)[number]

export const isBlockReason = (reason: string): reason is BlockReason =>
  (blockReasons as readonly string[]).includes(reason)

/** What keeps calls from a target now. */
export interface Obstacle {
  /** Why a person must act: the obstacle does not pass with time or retries. */
  readonly blocks: BlockReason | null
  readonly isThrottling: boolean
  /** There is no worker to call it, and no saying when one comes. */
  readonly isWithoutWorker?: boolean
  readonly sinceMs: number
  readonly error: LastError
}

/** What keeps calls from a target; null when nothing is known against it. */
export type ObstacleOf = (target: Target) => Obstacle | null
