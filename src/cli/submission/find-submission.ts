import type { BatchView } from '../../batches/view.ts'
import type { BatchClient } from '../batch-client.ts'
import { readMark } from './submission-mark.ts'

/** What is there of a submission. */
export interface FoundParts {
  /** Of how many parts; null where nothing is there. */
  readonly of: number | null
  /** By their parts, from 1. */
  readonly batches: ReadonlyMap<number, BatchView>
}

/** Looks through the batches, newest first, until all its parts are found. */
export const findSubmission = async (batches: BatchClient, id: string): Promise<FoundParts> => {
  const found = new Map<number, BatchView>()
  let of: number | null = null
  let after: string | undefined
  do {
    const page = await batches.page(100, after)
    for (const batch of page.data) {
      const mark = readMark(batch.metadata, id)
      if (mark === null) continue
      of = mark.of
      // A retry of it comes later, and is no part.
      if (batch.retry_of === null) found.set(mark.part, batch)
    }
    after = page.has_more && found.size !== of ? page.data.at(-1)?.id : undefined
  } while (after !== undefined)
  return { of, batches: found }
}
