import { randomBytes } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  BlobNotFoundError,
  type BlobStore,
  BlobStoreError,
  type ByteRange,
  checkGroup,
  parseBlobKey,
  type WriteOptions,
} from './blob-store.ts'
import { boundedSource } from './bounded-source.ts'
import { beginUpload, onS3, partsOf, type S3Object, type S3Upload, s3ErrorName } from './s3-upload.ts'

/** As the config has it. */
export interface S3Settings {
  readonly bucket: string
  readonly region: string
  /** Absent for Amazon's own. */
  readonly endpoint?: string | undefined
  /** What all keys of objects begin with, without a slash at the end. */
  readonly prefix: string
  readonly force_path_style: boolean
}

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** The keys of now, asked for each request. Rejects with a sentence where there are none. */
export type FindS3Keys = () => Promise<S3Keys>

const checkMs = 15_000
/** How often a read goes on after a connection that broke, when none of them brought a byte. */
const maxBreaks = 3
const removesAtOnce = 16

/** The SDK signs by its host's clock, less this: S3 refuses what is signed a quarter of an hour off. */
const signBy = (client: S3Client, now: () => number): S3Client => {
  client.middlewareStack.add(
    next => args => {
      client.config.systemClockOffset = now() - Date.now()
      return next(args)
    },
    { step: 'initialize', name: 'batonClock' },
  )
  return client
}

const clientFor = (settings: S3Settings, findKeys: FindS3Keys, lookup?: LookupFunction): S3Client => {
  const { region, endpoint, force_path_style } = settings
  return new S3Client({
    region,
    forcePathStyle: force_path_style,
    ...(endpoint !== undefined && { endpoint }),
    // The client would keep what does not end, for ever: whoever finds the keys renews them.
    credentials: async () => ({ ...(await findKeys()), expiration: new Date() }),
    // Not all stores that speak S3 know the newer checksums. The signature covers a hash of the bytes all the same.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      ...(lookup && { httpAgent: { lookup }, httpsAgent: { lookup } }),
      connectionTimeout: 5_000,
      // Up to the head of the answer: a part must get through in this time.
      requestTimeout: 120_000,
      throwOnRequestTimeout: true,
      // Of silence, also when it is our reader that pauses: the read then goes on with a new request.
      socketTimeout: 60_000,
    },
  })
}

/**
 * Blobs as objects `<prefix>/<group>/<name>` of a bucket. An object is there whole or not at all. What a process sent
 * of a blob before it died is never visible, but kept by S3 until a lifecycle rule of the bucket ends it
 * (AbortIncompleteMultipartUpload).
 */
export const createS3Blobs = (
  settings: S3Settings,
  findKeys: FindS3Keys,
  now: () => number,
  lookup?: LookupFunction,
): BlobStore => {
  const client = signBy(clientFor(settings, findKeys, lookup), now)
  const { bucket: Bucket, prefix } = settings
  const objectAt = (path: string): S3Object => ({ Bucket, Key: prefix === '' ? path : `${prefix}/${path}` })
  const objectOf = (key: string): S3Object => {
    const { group, name } = parseBlobKey(key)
    return objectAt(`${group}/${name}`)
  }
  const remove = async (object: S3Object): Promise<void> => {
    await onS3(client.send(new DeleteObjectCommand(object)))
  }

  return {
    write: async (key, source, options = {}) => writeObject(client, objectOf(key), source, options),
    read: (key, range) => readObject(client, objectOf(key), key, range),
    remove: async key => remove(objectOf(key)),
    removeGroup: async group => {
      const { Key } = objectAt(`${checkGroup(group)}/`)
      for await (const keys of listKeys(client, Bucket, Key)) {
        const left = keys.values()
        const worker = async (): Promise<void> => {
          // One by one: not all stores take the list of a bulk delete without a checksum of their liking.
          for (const key of left) await remove({ Bucket, Key: key })
        }
        await Promise.all(Array.from({ length: removesAtOnce }, worker))
      }
    },
    check: async () => {
      const abortSignal = AbortSignal.timeout(checkMs)
      const object = objectAt(`check-${randomBytes(8).toString('hex')}`)
      try {
        await client.send(new PutObjectCommand({ ...object, Body: 'Baton can write here.\n' }), {
          abortSignal,
        })
        await client.send(new DeleteObjectCommand(object), { abortSignal })
      } catch (error) {
        const why = abortSignal.aborted ? 'no answer' : s3ErrorName(error)
        const where = settings.endpoint === undefined ? '' : ` at ${new URL(settings.endpoint).host}`
        throw new BlobStoreError(`the S3 bucket ${Bucket}${where} cannot be written to (${why})`, error)
      }
    },
    close: async () => client.destroy(),
  }
}

const writeObject = async (
  client: S3Client,
  object: S3Object,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<{ readonly bytes: number }> => {
  const { signal } = options
  let upload: S3Upload | null = null
  let total = 0
  try {
    for await (const { bytes, last } of partsOf(boundedSource(source, options))) {
      total += bytes.byteLength
      // From here on an abort comes too late: of a last request that is cut off nobody knows what it did.
      if (last) signal?.throwIfAborted()
      if (last && upload === null) {
        await onS3(client.send(new PutObjectCommand({ ...object, Body: bytes })))
      } else {
        upload ??= await beginUpload(client, object, signal)
        await upload.send(bytes)
      }
    }
    await upload?.complete()
    return { bytes: total }
  } catch (error) {
    await upload?.abort().catch(() => undefined)
    if (signal?.aborted) throw signal.reason
    throw error
  }
}

async function* readObject(
  client: S3Client,
  object: S3Object,
  key: string,
  { start, end }: Partial<ByteRange> = {},
): AsyncGenerator<Uint8Array> {
  let position = start ?? 0
  for (let breaks = 0; end === undefined || position < end; ) {
    const body = await openBody(client, object, key, position, end)
    try {
      // Left early, the loop ends the request.
      for await (const chunk of body ?? []) {
        breaks = 0
        position += chunk.byteLength
        yield chunk
      }
      return
    } catch (error) {
      breaks += 1
      if (breaks > maxBreaks) throw new BlobStoreError(`S3 broke off (${s3ErrorName(error)})`, error)
    }
  }
}

/** Null when the blob has no bytes there. */
const openBody = async (
  client: S3Client,
  object: S3Object,
  key: string,
  position: number,
  end: number | undefined,
): Promise<Readable | null> => {
  // A blob of no bytes has no range at all, so the whole is asked for as such.
  const whole = position === 0 && end === undefined
  const Range = `bytes=${position}-${end === undefined ? '' : end - 1}`
  try {
    const { Body } = await client.send(new GetObjectCommand({ ...object, ...(!whole && { Range }) }))
    return (Body as Readable | undefined) ?? null
  } catch (error) {
    const name = s3ErrorName(error)
    if (name === 'InvalidRange') return null
    if (name === 'NoSuchKey' || name === 'NotFound') throw new BlobNotFoundError(key)
    throw new BlobStoreError(`S3 failed (${name})`, error)
  }
}

async function* listKeys(
  client: S3Client,
  Bucket: string,
  Prefix: string,
): AsyncGenerator<readonly string[]> {
  let ContinuationToken: string | undefined
  do {
    const page = await onS3(client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })))
    yield (page.Contents ?? []).flatMap(({ Key }) => Key ?? [])
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
}
