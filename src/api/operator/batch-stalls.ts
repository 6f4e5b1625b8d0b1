import type { OpenBatch } from './work-metrics.ts'

/** For how long the one that has stood still the longest does, in ms; 0 where all move. */
export type LongestStall = (batches: readonly OpenBatch[], nowMs: number) => number

interface Seen {
  readonly progress: string
  readonly sinceMs: number
}

/**
 * Remembers how far each batch was when it last moved, as far as this process has looked: a record does not say when. A batch that
 * waits for a person does not stand still, it is blocked.
 */
export const createBatchStalls = (): LongestStall => {
  let seen: ReadonlyMap<string, Seen> = new Map()
  return (batches, nowMs) => {
    const before = seen
    seen = new Map(
      batches
        .filter(({ blocked }) => blocked === null)
        .map(({ id, status, collected, total }) => {
          const progress = `${status} ${total} ${collected}`
          const last = before.get(id)
          return [id, last?.progress === progress ? last : { progress, sinceMs: nowMs }]
        }),
    )
    return seen.values().reduce((most, { sinceMs }) => Math.max(most, nowMs - sinceMs), 0)
  }
}
