import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import type { BatchView } from '../batches/view.ts'
import { type ApiClient, withPatience } from './api-client.ts'
import type { FileLimits } from './submission/survey.ts'

export interface NewBatch {
  readonly input_file_id: string
  readonly endpoint: string
  readonly completion_window: string
  readonly webhook?: { readonly url: string }
  readonly max_cost_usd?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** What the API says of a batch before its file is sent. */
export type BatchCheck = FileLimits & { readonly unknown_models: readonly string[] }

interface BatchPage {
  readonly data: readonly BatchView[]
  readonly has_more: boolean
}

/** Gets how many bytes more have passed, and of how many in all where that is known. */
export type OnBytes = (bytes: number, total: number | null) => void

/** Files and batches over HTTP, as any client has them. Every call throws as those of the ApiClient do. */
export interface BatchClient {
  /** Asks whether such a batch would be taken. */
  check(batch: Omit<NewBatch, 'input_file_id'>, models: readonly string[]): Promise<BatchCheck>
  /** Sends a file for a batch, read as it goes; answers its id. */
  upload(path: string, content: Blob, onBytes?: OnBytes): Promise<string>
  /** Creates it once, also when the answer is lost on the way. */
  create(batch: NewBatch): Promise<BatchView>
  read(id: string): Promise<BatchView>
  /** Newest first, those after the one that is named. */
  page(limit: number, after?: string): Promise<BatchPage>
  cancel(id: string): Promise<BatchView>
  /** A new batch of the lines that failed. */
  retry(id: string): Promise<BatchView>
  /** The bytes of a file from the one that is named on, as they arrive. */
  content(fileId: string, from?: number): Promise<Response>
  discard(fileId: string): Promise<void>
}

export const createBatchClient = (api: ApiClient, signal: AbortSignal): BatchClient => {
  const batch = async (method: string, path: string): Promise<BatchView> =>
    (await api.ask(method, `/v1/batches/${path}`)) as BatchView
  return {
    check: async (wanted, models) =>
      (await api.ask('POST', '/v1/batches/check', { body: { ...wanted, models } })) as BatchCheck,
    upload: async (path, content, onBytes) => {
      const form = uploadForm(content, basename(path))
      const call = { body: form, ...(onBytes && { onSent: (bytes: number) => onBytes(bytes, form.size) }) }
      return ((await api.ask('POST', '/v1/files', call)) as { id: string }).id
    },
    create: async body => {
      const headers = { 'idempotency-key': randomUUID() }
      const create = () => api.ask('POST', '/v1/batches', { body, headers })
      return (await withPatience(signal, create)) as BatchView
    },
    read: id => batch('GET', encodeURIComponent(id)),
    page: async (limit, after) => {
      const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
      return (await api.ask('GET', `/v1/batches?limit=${limit}${from}`)) as BatchPage
    },
    cancel: id => batch('POST', `${encodeURIComponent(id)}/cancel`),
    retry: id => batch('POST', `${encodeURIComponent(id)}/retry`),
    content: (fileId, from = 0) => {
      const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` }
      return api.send('GET', `/v1/files/${fileId}/content`, { headers })
    },
    discard: async fileId => {
      await api.ask('DELETE', `/v1/files/${fileId}`)
    },
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
