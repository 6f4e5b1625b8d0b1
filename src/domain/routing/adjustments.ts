/**
 * How a parameter that only steers is, or would be, changed: `lowered` and `raised` go to the end of a range.
 */
export const adjustmentActions = ['left_out', 'lowered', 'raised'] as const
export type AdjustmentAction = (typeof adjustmentActions)[number]

export interface Adjustment {
  /**
   * The parameter as the request's format names it, with dots for nested ones: `temperature`,
   * `output_config.effort`.
   */
  readonly field: string
  readonly action: AdjustmentAction
}

/** What a request loses in the format of one target. Both empty: it arrives unchanged. */
export interface Carriage {
  /** Fields that the target cannot be given and that change what the answer is: it may not be asked. */
  readonly excluded: readonly string[]
  /**
   * Fields that only steer. The target may be asked without them, if the request's route allows that, and
   * says so.
   */
  readonly adjustments: readonly Adjustment[]
}

/**
 * When a target may be asked without parameters that only steer: never, only if no target that takes the
 * request unchanged can serve soon, or always when its turn has come.
 */
export const adjustPolicies = ['never', 'last_resort', 'always'] as const
export type AdjustPolicy = (typeof adjustPolicies)[number]

export const carriedWhole: Carriage = { excluded: [], adjustments: [] }
