/**
 * The right to make one call. Admission, gates and breakers give it out by `enter`. Settle it exactly once,
 * with the outcome of the call: a permit that is never settled holds its slot for ever.
 */
export interface Permit<Outcome> {
  settle(outcome: Outcome): Promise<void>
}
