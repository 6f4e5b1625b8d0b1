import type { LookupFunction } from 'node:net'
import type { AppContext } from './context/context.ts'
import { type BlobStore, BlobStoreError } from './files/blobs/blob-store.ts'
import { createDiskBlobs } from './files/blobs/disk-blobs.ts'
import type { S3Settings } from './files/blobs/s3-blobs.ts'
import { tellTrouble } from './files/blobs/tell-trouble.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import { StartError } from './start-error.ts'

interface StorageSettings {
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
  const { createS3Blobs } = await import('./files/blobs/s3-blobs.ts')
  return createS3Blobs(s3, now, lookup)
}

/**
 * Opens where the bytes of files are kept, for the roles that have to do with files. Throws StartError when nothing can
 * be written there: better now than at the first upload.
 */
export const openBlobStore = async (
  life: Lifecycle,
  { config, names, now, log }: Pick<AppContext, 'config' | 'names' | 'now' | 'log'>,
): Promise<BlobStore> => {
  const blobs = await life.open(
    'blobs',
    () => openBlobs(config.storage, now, names.lookup),
    blobs => blobs.close(),
  )
  // Opened like a part, so that a stop waits for its end before it closes the store.
  await life.open(
    'blobs check',
    () => blobs.check().catch(explain),
    () => undefined,
  )
  return tellTrouble(blobs, log)
}

const explain = (error: unknown): never => {
  if (!(error instanceof BlobStoreError)) throw error
  throw new StartError(`Files cannot be kept: ${error.message}. Set \`storage\` to a place that works.`, {
    cause: error,
  })
}
