import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { onS3 } from './s3-errors.ts'

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
