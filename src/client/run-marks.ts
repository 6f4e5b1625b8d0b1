import type { Batch } from './api-types.ts'
import { BatonError } from './client-error.ts'

/** Metadata of a batch that is a part of a named run: by it a process that comes later finds what an earlier one has made. */
const keys = { run: 'baton_run', part: 'baton_part', digest: 'baton_digest' } as const

/** One of the files of a run, counted from 1. */
export interface Part {
  readonly number: number
  /** Of the file's bytes. */
  readonly digest: string
}

/** Tells a file from another: a half of its SHA-256, in hex. */
export const digestOf = async (file: Blob): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return Array.from(new Uint8Array(digest, 0, 16), byte => byte.toString(16).padStart(2, '0')).join('')
}

export const marksOf = (run: string, { number, digest }: Part): Record<string, string> => ({
  [keys.run]: run,
  [keys.part]: String(number),
  [keys.digest]: digest,
})

/** What has been made of a run, by the numbers of the parts, looked for among batches that come newest first. */
export const findParts = async (
  batches: AsyncIterable<Batch>,
  run: string,
): Promise<ReadonlyMap<number, Batch>> => {
  const parts = new Map<number, Batch>()
  for await (const batch of batches) {
    // A retry has the metadata of what it retries, and is no part.
    if (batch.metadata?.[keys.run] !== run || batch.retry_of) continue
    const number = Number(batch.metadata[keys.part])
    parts.set(number, batch)
    // They are made one after the other: what is older is none of them.
    if (number === 1) break
  }
  return parts
}

/** Throws `run_changed` where the batch was made of other requests. */
export const checkPart = (batch: Batch, run: string, { number, digest }: Part): void => {
  if (batch.metadata?.[keys.digest] === digest) return
  throw new BatonError(
    'run_changed',
    `The run ${run} was begun with other requests or limits: part ${number} is ${batch.id} already`,
  )
}
