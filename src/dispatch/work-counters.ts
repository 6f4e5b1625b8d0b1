import { type VerdictKind, verdictKinds } from '../domain/classify/verdict.ts'
import type { WorkCounts } from '../health/heartbeats.ts'
import type { JobStore } from '../jobs/store.ts'
import type { UpstreamCaller } from './upstream-caller.ts'

/** Counts by standing between a worker and what it works with, so that nobody else has to think of it. */
export interface WorkCounters {
  caller(caller: UpstreamCaller): UpstreamCaller
  store(store: JobStore): JobStore
  read(): WorkCounts
}

export const createWorkCounters = (): WorkCounters => {
  const attempts = new Map<VerdictKind | 'interrupted', number>()
  const counts = { handovers: 0, parks: 0 }
  const ends = { succeeded: 0, failed: 0 }

  return {
    caller: caller => ({
      ...caller,
      call: async (...asked) => {
        const result = await caller.call(...asked)
        if (result.kind === 'judged' || result.kind === 'interrupted') {
          const verdict = result.kind === 'judged' ? result.verdict.kind : 'interrupted'
          attempts.set(verdict, (attempts.get(verdict) ?? 0) + 1)
        }
        return result
      },
    }),
    store: store => ({
      ...store,
      advance: async (claim, move, dueAtMs) => {
        const moved = await store.advance(claim, move, dueAtMs)
        // A job that is handed back stays on its hop.
        if (moved && move.hop > claim.hop) counts.handovers += 1
        return moved
      },
      park: async (claim, move, resumesAtMs) => {
        const parked = await store.park(claim, move, resumesAtMs)
        if (parked) counts.parks += 1
        return parked
      },
      finalise: async (claim, final, sent) => {
        const written = await store.finalise(claim, final, sent)
        if (written) ends[final.status] += 1
        return written
      },
    }),
    read: () => ({
      ...counts,
      ends: { ...ends },
      attempts: Object.fromEntries([...attempts].sort(byVerdict)),
    }),
  }
}

const places = new Map<string, number>(verdictKinds.map((kind, place) => [kind, place]))
const placeOf = (verdict: string): number => places.get(verdict) ?? places.size

const byVerdict = ([a]: readonly [string, number], [b]: readonly [string, number]): number =>
  placeOf(a) - placeOf(b)
