import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { BlobStoreError } from './blob-store.ts'

/** S3 takes no smaller parts, but for the last, and at most 10,000 of them: blobs of up to 50 GiB. */
const partBytes = 5 * 1024 * 1024

interface Part {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * Gathers chunks into parts; the last one may be shorter, or empty when all are. Two buffers take turns, so that one is
 * sent while the other fills and a blob of any size takes 10 MiB: a part is overwritten when the one after the next
 * is asked for.
 */
export async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
  let filling: Buffer = Buffer.allocUnsafe(partBytes)
  let other: Buffer | null = null
  let filled = 0
  for await (const chunk of source) {
    for (let rest = chunk; rest.byteLength > 0; ) {
      if (filled === partBytes) {
        yield { bytes: filling, last: false }
        const next = other ?? Buffer.allocUnsafe(partBytes)
        other = filling
        filling = next
        filled = 0
      }
      const taken = rest.subarray(0, partBytes - filled)
      filling.set(taken, filled)
      filled += taken.byteLength
      rest = rest.subarray(taken.byteLength)
    }
  }
  yield { bytes: filling.subarray(0, filled), last: true }
}

/** S3's own name of what is wrong (`NoSuchBucket`, `AccessDenied`), or the system's (`ECONNREFUSED`). */
export const s3ErrorName = (error: unknown): string => {
  const { code, name, message } = error as Readonly<Partial<Record<'code' | 'name' | 'message', unknown>>>
  // Our own sentence, of whoever was to bring the keys.
  if (name === 'CredentialError') return String(message)
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

export interface S3Object {
  readonly Bucket: string
  readonly Key: string
}

/** An object in the making. It is not there before `complete`. */
export interface S3Upload {
  /** Resolves when the part before this one has arrived: one part is under way at a time. */
  send(bytes: Uint8Array): Promise<void>
  complete(): Promise<void>
  /** Gives it up and what was sent of it. */
  abort(): Promise<void>
}

/** Begins one. The signal ends parts that are under way, but no step whose outcome would then be unknown. */
export const beginUpload = async (
  client: S3Client,
  object: S3Object,
  signal: AbortSignal | undefined,
): Promise<S3Upload> => {
  const { UploadId } = await onS3(client.send(new CreateMultipartUploadCommand(object)))
  const upload = { ...object, UploadId }
  const given = new AbortController()
  const abortSignal = signal ? AbortSignal.any([signal, given.signal]) : given.signal
  const arrived: CompletedPart[] = []
  let underWay: Promise<void> = Promise.resolve()
  let count = 0

  const sendPart = async (PartNumber: number, Body: Uint8Array): Promise<void> => {
    const command = new UploadPartCommand({ ...upload, PartNumber, Body })
    const { ETag } = await onS3(client.send(command, { abortSignal }))
    arrived.push({ PartNumber, ETag })
  }

  return {
    send: async bytes => {
      await underWay
      count += 1
      underWay = sendPart(count, bytes)
      // Told to whoever sends the next part or completes.
      underWay.catch(() => undefined)
    },
    complete: async () => {
      await underWay
      const MultipartUpload = { Parts: arrived }
      await onS3(client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })))
    },
    abort: async () => {
      given.abort()
      // A part that arrives after the end would be kept, and paid for.
      await underWay.catch(() => undefined)
      await onS3(client.send(new AbortMultipartUploadCommand(upload)))
    },
  }
}
