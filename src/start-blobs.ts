import type { LookupFunction } from 'node:net'
import type { AppContext } from './context/context.ts'
import { Interrupt } from './domain/interrupt.ts'
import { type BlobStore, BlobStoreError } from './files/blobs/blob-store.ts'
import { createDiskBlobs } from './files/blobs/disk-blobs.ts'
import type { S3Keys, S3Settings } from './files/blobs/s3-blobs.ts'
import { tellTrouble } from './files/blobs/tell-trouble.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import { createAwsKeys } from './providers/credentials/aws.ts'
import { CredentialError } from './providers/credentials/credential-error.ts'
import { type CredentialSource, type Credentials, fixed, isOutcome } from './providers/credentials/renewed.ts'
import { StartError } from './start-error.ts'

type Lookup = LookupFunction | undefined

/** As the config has it. */
export interface S3Place extends S3Settings {
  /** Both or none. */
  readonly access_key_id?: string | undefined
  readonly secret_access_key?: string | undefined
  readonly profile?: string | undefined
  readonly role_arn?: string | undefined
}

interface StorageSettings {
  /** A directory, used unless there is `s3`. */
  readonly path: string
  readonly s3?: S3Place | undefined
}

/** The keys of the config, or those that AWS's own tools would find. */
const keysFor = (place: S3Place, now: () => number, lookup: Lookup): CredentialSource<S3Keys> => {
  const { region, profile, role_arn, access_key_id, secret_access_key } = place
  const keys =
    access_key_id === undefined || secret_access_key === undefined
      ? undefined
      : { accessKeyId: access_key_id, secretAccessKey: secret_access_key }
  if (keys !== undefined && role_arn === undefined) return fixed(keys, 'the config')
  return createAwsKeys({ region, profile, role_arn, keys }, { proxyOf: () => null, lookup, now, env: {} })
}

const keysOf = async (source: CredentialSource<S3Keys>): Promise<Credentials<S3Keys>> => {
  const asked = await source.get(new Interrupt(), keysMs)
  if (!isOutcome(asked)) return asked
  const { cause } = asked as { readonly cause?: unknown }
  if (cause instanceof CredentialError) throw cause
  const why = asked.kind === 'break' ? asked.reason : `status ${asked.status}`
  throw new CredentialError(`The servers that hand out keys of AWS do not answer (${why}).`)
}

/** The longest that a request to the store waits for its keys. */
const keysMs = 20_000

/** Where the keys of a bucket come from, in words for an operator. Rejects with a sentence where there are none. */
export const sourceOfKeys = async (place: S3Place, now: () => number): Promise<string> => {
  const source = keysFor(place, now, undefined)
  try {
    return (await keysOf(source)).source
  } finally {
    await source.close()
  }
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
  const source = keysFor(s3, now, lookup)
  const blobs = createS3Blobs(s3, async () => (await keysOf(source)).value, now, lookup)
  return {
    ...blobs,
    close: async () => {
      await Promise.all([blobs.close(), source.close()])
    },
  }
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
