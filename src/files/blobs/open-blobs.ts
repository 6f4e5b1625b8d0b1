import type { LookupFunction } from 'node:net'
import type { BlobStore } from './blob-store.ts'
import { createDiskBlobs } from './disk-blobs.ts'

/** As the config has it. */
export interface S3Settings {
  readonly bucket: string
  readonly region: string
  /** Absent for Amazon's own. */
  readonly endpoint?: string | undefined
  /** What all keys of objects begin with, without a slash at the end. */
  readonly prefix: string
  /** Both or none: without them the usual places are asked (environment, profile, role of the machine). */
  readonly access_key_id?: string | undefined
  readonly secret_access_key?: string | undefined
  readonly force_path_style: boolean
}

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
