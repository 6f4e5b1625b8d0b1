/** What was done, or would have to be, to a parameter that only steers: `lowered` and `raised` to the end of a range. */
export const adjustmentActions = ['left_out', 'lowered', 'raised'] as const
export type AdjustmentAction = (typeof adjustmentActions)[number]

export interface Adjustment {
  /** As the request's format names it, with dots for what stands inside: `temperature`, `output_config.effort`. */
  readonly field: string
  readonly action: AdjustmentAction
}

/** How a request fares on its way into the format of one target. Both empty: it arrives as it was asked. */
export interface Carriage {
  /** Fields that the target cannot be given and that change what the answer is: it may not be asked. */
  readonly excluded: readonly string[]
  /** Fields that only steer. The target may be asked without them, if the request's route allows that, and says so. */
  readonly adjustments: readonly Adjustment[]
}

/**
 * Whether a route's targets may be asked without what only steers: never, where no target that takes the request as it is can
 * serve soon, or whenever their turn has come.
 */
export const adjustPolicies = ['never', 'last_resort', 'always'] as const
export type AdjustPolicy = (typeof adjustPolicies)[number]

export const carriedWhole: Carriage = { excluded: [], adjustments: [] }
