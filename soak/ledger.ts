/** What kinds of load there are. */
export type Kind = 'job' | 'door' | 'batch'

/** What was asked for and what came of it. */
export interface Ledger {
  began(kind: Kind): void
  /** It has its one good result. */
  ended(kind: Kind): void
  /** What went wrong, in a few words; the same words are counted together. */
  failed(kind: Kind, why: string): void
  /** Milliseconds that the API took to accept a job, and a job to be done, from its submission. */
  submitted(ms: number): void
  completed(ms: number): void
  /** A webhook that is due, by the id of its job; and one that came. */
  expectWebhook(jobId: string): void
  tookWebhook(jobId: string, isVerified: boolean): void
  readonly counts: Readonly<Record<Kind, { readonly began: number; readonly ended: number }>>
  readonly faults: ReadonlyMap<string, number>
  readonly webhooks: { readonly due: number; readonly missing: number; readonly repeated: number }
  /** What took how long since this was asked last. */
  latencies(): { readonly submit: readonly number[]; readonly complete: readonly number[] }
}

export const createLedger = (): Ledger => {
  const counts = { job: { began: 0, ended: 0 }, door: { began: 0, ended: 0 }, batch: { began: 0, ended: 0 } }
  const faults = new Map<string, number>()
  const due = new Set<string>()
  const taken = new Set<string>()
  let repeated = 0
  let submit: number[] = []
  let complete: number[] = []
  const note = (fault: string): void => void faults.set(fault, (faults.get(fault) ?? 0) + 1)

  return {
    began: kind => void counts[kind].began++,
    ended: kind => void counts[kind].ended++,
    failed: (kind, why) => note(`${kind}: ${why}`),
    submitted: ms => void submit.push(ms),
    completed: ms => void complete.push(ms),
    expectWebhook: jobId => void due.add(jobId),
    tookWebhook: (jobId, isVerified) => {
      if (!isVerified) return note('webhook: the signature is wrong')
      if (taken.has(jobId)) repeated++
      // It may come before the answer to the submission is read.
      taken.add(jobId)
    },
    counts,
    faults,
    get webhooks() {
      return { due: due.size, missing: due.difference(taken).size, repeated }
    },
    latencies: () => {
      const taken = { submit, complete }
      submit = []
      complete = []
      return taken
    },
  }
}
