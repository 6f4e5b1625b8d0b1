import type { Endpoint } from '../domain/endpoint.ts'
import type { ComparedCall, KeptCall } from './compared-call.ts'

/** One of the two calls that were compared. */
export type PairCall = Omit<KeptCall, 'jobId' | 'tenant'> & Pick<ComparedCall, 'latencyMs' | 'costUsd'>

/** Two answers to one request that do not agree. */
export interface Pair {
  readonly atMs: number
  /** The job that was sampled, and its tenant: no other may read its answer. */
  readonly jobId: string
  readonly tenant: string
  readonly endpoint: Endpoint
  readonly original: PairCall
  readonly mirror: PairCall
}

/** How long a pair is shown; see `tally.lua` for when its text is gone. */
export const pairsKeptMs = 7 * 86_400_000

/**
 * Null for answers that agree but for whitespace, case or how their JSON is written: these would push out
 * what is worth reading. Null, too, where a side was made while the route kept no pairs.
 */
export const pairOf = (
  original: ComparedCall,
  mirror: ComparedCall,
  endpoint: Endpoint,
  atMs: number,
): Pair | null => {
  if (original.likeness.normalised === mirror.likeness.normalised) return null
  if (!original.kept || !mirror.kept) return null
  const { jobId, tenant } = original.kept
  return {
    ...{ atMs, jobId, tenant, endpoint },
    ...{ original: callOf(original, original.kept), mirror: callOf(mirror, mirror.kept) },
  }
}

const callOf = (
  { latencyMs, costUsd }: ComparedCall,
  { jobId: _, tenant: __, ...call }: KeptCall,
): PairCall => ({
  ...call,
  ...{ latencyMs, costUsd },
})
