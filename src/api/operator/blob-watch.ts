import { type BlobStore, BlobStoreError } from '../../files/blobs/blob-store.ts'

/** A check writes a blob, which a bucket may charge for. */
const checkEveryMs = 60_000

/**
 * Why files can neither be stored nor read, by the last check; null while they can, or nothing is known yet. Asking begins a check
 * when the last is a minute old, and does not wait for it: a place of files that hangs must not hold up the page.
 */
export const createBlobWatch = (
  blobs: Pick<BlobStore, 'check'>,
  now: () => number,
): (() => string | null) => {
  let reason: string | null = null
  let checkedAtMs = Number.NEGATIVE_INFINITY
  let isChecking = false

  const check = async (): Promise<void> => {
    try {
      await blobs.check()
      reason = null
    } catch (error) {
      reason = error instanceof BlobStoreError ? error.message : 'unreachable'
    }
    checkedAtMs = now()
    isChecking = false
  }

  return () => {
    if (!isChecking && now() - checkedAtMs >= checkEveryMs) {
      isChecking = true
      void check()
    }
    return reason
  }
}
