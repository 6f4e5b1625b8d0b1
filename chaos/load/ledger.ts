import type { BatchOrder, JobOrder } from '../plan/load.ts'

/** What a client knows of a job that it submitted. Times are Unix ms. */
export interface JobEntry {
  readonly order: JobOrder
  /** The id that came with a 202; null as long as there was none. */
  id: string | null
  acceptedAtMs: number | null
  /** The code of the error that it was refused with. */
  refusal: string | null
  /** What its client has of its stream; null for a job that is not streamed. */
  stream: string | null
  /** What the answer to the cancel was; null as long as there was none. */
  cancel: { readonly status: number; readonly atMs: number } | null
}

export interface BatchEntry {
  readonly order: BatchOrder
  id: string | null
  acceptedAtMs: number | null
  cancel: { readonly status: number; readonly atMs: number } | null
}

/** What was asked for and what was answered, as the clients remember it. */
export interface Ledger {
  readonly jobs: readonly JobEntry[]
  readonly batches: readonly BatchEntry[]
}

export const createLedger = (jobs: readonly JobOrder[], batches: readonly BatchOrder[]): Ledger => ({
  jobs: jobs.map(order => ({
    order,
    id: null,
    acceptedAtMs: null,
    refusal: null,
    stream: null,
    cancel: null,
  })),
  batches: batches.map(order => ({ order, id: null, acceptedAtMs: null, cancel: null })),
})
