/**
 * The right to make one call. Admission, gates and breakers all give it out by `enter`, and all are told by `settle`, exactly
 * once, what became of the call: a permit that is never settled holds its place for ever.
 */
export interface Permit<Outcome> {
  settle(outcome: Outcome): Promise<void>
}
