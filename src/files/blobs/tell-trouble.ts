import type { Logger } from 'pino'
import { type BlobStore, BlobStoreError } from './blob-store.ts'

/** Told when it begins and when it is over: a full disk is met by every upload and every batch, again and again. */
const createStreak = (log: Logger, doing: 'write' | 'read') => {
  let isFailing = false
  return {
    failed: (error: unknown): void => {
      if (!(error instanceof BlobStoreError) || isFailing) return
      isFailing = true
      log.error({ event: 'blob_store.failed', doing, reason: error.message }, 'blob store failed')
    },
    worked: (): void => {
      if (!isFailing) return
      isFailing = false
      log.info({ event: 'blob_store.restored', doing }, 'blob store restored')
    },
  }
}

/** The same blob store, which tells the log of its own trouble, once a streak. */
export const tellTrouble = (blobs: BlobStore, log: Logger): BlobStore => {
  const writing = createStreak(log, 'write')
  const reading = createStreak(log, 'read')

  async function* read(...args: Parameters<BlobStore['read']>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of blobs.read(...args)) {
        reading.worked()
        yield chunk
      }
    } catch (error) {
      reading.failed(error)
      throw error
    }
  }

  return {
    ...blobs,
    write: async (...args) => {
      try {
        const written = await blobs.write(...args)
        writing.worked()
        return written
      } catch (error) {
        writing.failed(error)
        throw error
      }
    },
    read,
  }
}
