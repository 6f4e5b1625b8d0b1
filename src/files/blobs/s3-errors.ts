import { BlobStoreError } from './blob-store.ts'

/** S3's own name of what is wrong (`NoSuchBucket`, `AccessDenied`), or the system's (`ECONNREFUSED`). */
export const s3ErrorName = (error: unknown): string => {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  return typeof code === 'string' ? code : String(name ?? 'unknown')
}

/** The client's errors keep to `cause`: they can hold the signature that was refused, and codes that Redis has too. */
export const onS3 = async <T>(request: Promise<T>): Promise<T> => {
  try {
    return await request
  } catch (error) {
    throw new BlobStoreError(`S3 failed (${s3ErrorName(error)})`, error)
  }
}
