import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { resultsLiveMs } from '../../batches/view.ts'
import { BatonError } from '../../domain/errors.ts'
import type { Content } from '../files/send-content.ts'
import type { ApiParts } from '../parts.ts'

/** All results of a batch that has ended. Throws `results_not_found`, also when they are kept no longer. */
export const resultsOf = async (parts: ApiParts, batch: BatchRecord): Promise<Content> => {
  const { files, now } = parts
  const { outputFileId, createdAtMs } = batch
  const isArchived = createdAtMs + resultsLiveMs <= now()
  // The file has a record from the batch's end on.
  if (isArchived || (await files.read(outputFileId)) === null) throw resultsNotFound(batch)
  return contentOf(parts, batch)
}

/** The same; of a batch that still runs, those that are durable by now. */
export const resultsSoFar = async (parts: ApiParts, batch: BatchRecord): Promise<Content> =>
  hasEnded(batch.status) ? resultsOf(parts, batch) : contentOf(parts, batch)

const contentOf = async (
  { files }: ApiParts,
  { id, status, outputFileId }: BatchRecord,
): Promise<Content> => ({
  isGrowing: !hasEnded(status),
  segments: await files.segments(outputFileId),
  filename: `${id}_results.jsonl`,
  type: 'application/x-jsonl',
})

export const resultsNotFound = ({ id, status }: BatchRecord): BatonError =>
  new BatonError(
    'results_not_found',
    hasEnded(status)
      ? `The results of message batch ${id} are no longer available.`
      : `Message batch ${id} has not ended; its results are not available yet.`,
    { param: 'id' },
  )
