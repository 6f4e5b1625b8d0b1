import type { LookupFunction } from 'node:net'
import type { BlobStore } from './blob-store.ts'
import { createDiskBlobs } from './disk-blobs.ts'
import type { S3Settings } from './s3-blobs.ts'

export interface StorageSettings {
  /** A directory, used unless there is `s3`. */
  readonly path: string
  readonly s3?: S3Settings | undefined
}

/** `lookup` resolves the store's host; the system does without one. */
export const openBlobs = async (
  { path, s3 }: StorageSettings,
  now: () => number,
  lookup?: LookupFunction,
): Promise<BlobStore> => {
  if (s3 === undefined) return createDiskBlobs(path)
  // The client takes 38 MB and 200 ms, which a deployment on disk need not spend.
  const { createS3Blobs } = await import('./s3-blobs.ts')
  return createS3Blobs(s3, now, lookup)
}
