import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasEnded } from '../batches/record.ts'
import type { BatchView } from '../batches/view.ts'
import { type ApiClient, ApiUnavailable, withPatience } from './api-client.ts'

export interface NewBatch {
  readonly input_file_id: string
  readonly endpoint: string
  readonly completion_window: string
  readonly webhook?: { readonly url: string }
  readonly max_cost_usd?: number
}

/** Files and batches over HTTP, as any client has them. Every call throws as those of the ApiClient do. */
export interface BatchClient {
  /** Sends a file for a batch, read as it goes; answers its id. */
  upload(path: string, content: Blob): Promise<string>
  /** Creates it once, also when the answer is lost on the way. */
  create(batch: NewBatch): Promise<BatchView>
  read(id: string): Promise<BatchView>
  /** Newest first. */
  list(limit: number): Promise<readonly BatchView[]>
  cancel(id: string): Promise<BatchView>
  /** A new batch of the lines that failed. */
  retry(id: string): Promise<BatchView>
  /** The bytes of a file, as they arrive. */
  content(fileId: string): Promise<ReadableStream<Uint8Array>>
  discard(fileId: string): Promise<void>
}

export const createBatchClient = (api: ApiClient, signal: AbortSignal): BatchClient => {
  const batch = async (method: string, path: string): Promise<BatchView> =>
    (await api.ask(method, `/v1/batches/${path}`)) as BatchView
  return {
    upload: async (path, content) => {
      const form = uploadForm(content, basename(path))
      return ((await api.ask('POST', '/v1/files', { body: form })) as { id: string }).id
    },
    create: async body => {
      const headers = { 'idempotency-key': randomUUID() }
      const create = () => api.ask('POST', '/v1/batches', { body, headers })
      return (await withPatience(signal, create)) as BatchView
    },
    read: id => batch('GET', encodeURIComponent(id)),
    list: async limit => {
      const page = (await api.ask('GET', `/v1/batches?limit=${limit}`)) as { data: BatchView[] }
      return page.data
    },
    cancel: id => batch('POST', `${encodeURIComponent(id)}/cancel`),
    retry: id => batch('POST', `${encodeURIComponent(id)}/retry`),
    content: async fileId => {
      const { body } = await api.send('GET', `/v1/files/${fileId}/content`)
      return body!
    },
    discard: async fileId => {
      await api.ask('DELETE', `/v1/files/${fileId}`)
    },
  }
}

/** Soon at first, so that a small batch is seen to end; then at ease. */
const pauseMs = (elapsedMs: number): number => Math.min(2_000, 200 + elapsedMs * 0.05)

/**
 * Looks at a batch again and again until it has ended, and answers it then. `onLook` gets it each time, or null while
 * the API is away, which is waited out: the batch does not need it.
 */
export const watchBatch = async (
  batches: Pick<BatchClient, 'read'>,
  id: string,
  onLook: (batch: BatchView | null) => void,
  signal: AbortSignal,
): Promise<BatchView> => {
  const startedAt = performance.now()
  for (;;) {
    const batch = await batches.read(id).catch(error => {
      if (error instanceof ApiUnavailable) return null
      throw error
    })
    onLook(batch)
    if (batch !== null && hasEnded(batch.status)) return batch
    await delay(pauseMs(performance.now() - startedAt), undefined, { signal })
  }
}

/**
 * The form that `POST /v1/files` takes, its file read as it is sent. Not a FormData: of one, fetch reads ahead as fast as the
 * disk allows, and holds what the connection has not taken yet.
 */
export const uploadForm = (file: Blob, filename: string): Blob => {
  const boundary = `baton-${randomUUID()}`
  const part = (disposition: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n`
  return new Blob(
    [
      // First, so that the API knows the limits by which it takes the file.
      `${part('name="purpose"')}\r\nbatch\r\n`,
      `${part(`name="file"; filename="${escaped(filename)}"`)}content-type: application/jsonl\r\n\r\n`,
      file,
      `\r\n--${boundary}--\r\n`,
    ],
    { type: `multipart/form-data; boundary=${boundary}` },
  )
}

/** As HTML's forms have it. */
const escaped = (name: string): string =>
  name.replace(
    /["\r\n]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
