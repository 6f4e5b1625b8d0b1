import type { Batch, Operations } from './api-types.ts'
import { batchPath, followBatch, readBatch } from './batch-results.ts'
import { type RunOptions, runBatches } from './batch-run.ts'
import { type CallOptions, newKey } from './job-calls.ts'
import type { BatchRequest } from './request-files.ts'
import type { BatchResult } from './result-lines.ts'
import { asJson, pause, queryOf, type Transport } from './transport.ts'

type BatchBody = Operations['createBatch']['body']
type Page = Operations['listBatches']['answer']
type UploadedFile = Operations['createFile']['answer']
type RetryBody = NonNullable<Operations['retryBatch']['body']>

export interface BatchCalls {
  /**
   * Sends the requests as it iterates them, holding one file of them in memory, in as many batches as they need, and yields each result
   * as it stands in the output, or among the errors. In no order: `custom_id` says which it is of.
   */
  run<Body = unknown>(
    requests: Iterable<BatchRequest> | AsyncIterable<BatchRequest>,
    options?: RunOptions,
  ): AsyncGenerator<BatchResult<Body>>
  /** The results of a batch from its first on, as they come, until it has ended. */
  results<Body = unknown>(id: string, options?: CallOptions): AsyncGenerator<BatchResult<Body>>
  /** Keeps a file of requests, a line each; its id goes into `create`. */
  upload(file: Blob, options?: CallOptions): Promise<UploadedFile>
  create(body: BatchBody, options?: CallOptions): Promise<Batch>
  get(id: string, options?: CallOptions): Promise<Batch>
  /** Newest first, page by page as they are read. */
  list(options?: CallOptions): AsyncGenerator<Batch>
  cancel(id: string, options?: CallOptions): Promise<Batch>
  /** A new batch of the lines that failed. */
  retry(id: string, options?: CallOptions & RetryBody): Promise<Batch>
}

/** For the whole of a file. */
const uploadWithinMs = 10 * 60_000

const lookMs = 1_000

export const createBatchCalls = (transport: Transport): BatchCalls => {
  const post = (path: string, json: unknown, { signal }: CallOptions = {}): Promise<Batch> =>
    transport.send('POST', path, {
      json,
      headers: { 'idempotency-key': newKey() },
      signal,
      read: asJson<Batch>('batch'),
    })

  // A file that came twice, as the answer to the first got lost, expires as any other.
  const upload: BatchCalls['upload'] = async (file, { signal } = {}) => {
    const form = new FormData()
    // First, so that the API knows the limits by which it takes the file.
    form.append('purpose', 'batch')
    form.append('file', file, 'requests.jsonl')
    return transport.send('POST', '/v1/files', {
      form,
      signal,
      answerWithinMs: uploadWithinMs,
      read: asJson<UploadedFile>('file'),
    })
  }

  const create: BatchCalls['create'] = (body, options) => post('/v1/batches', body, options)

  async function* results<Body>(id: string, { signal }: CallOptions = {}): AsyncGenerator<BatchResult<Body>> {
    const followed = followBatch<Body>(transport, await readBatch(transport, id, { signal }), { signal })
    for (;;) {
      yield* followed.fresh()
      if (followed.isDone) return
      await pause(lookMs, signal)
    }
  }

  async function* list({ signal }: CallOptions = {}): AsyncGenerator<Batch> {
    for (let after: string | null = null; ; ) {
      const path = `/v1/batches${queryOf({ limit: 100, after })}`
      const page: Page = await transport.send('GET', path, { signal, read: asJson<Page>('list') })
      yield* page.data
      after = page.last_id
      if (!page.has_more) return
    }
  }

  return {
    run: (requests, options = {}) => runBatches(transport, { upload, create, list }, requests, options),
    ...{ results, upload, create, list },
    get: (id, options = {}) => readBatch(transport, id, options),
    cancel: (id, options) => post(`${batchPath(id)}/cancel`, undefined, options),
    retry: (id, { signal, ...body } = {}) => post(`${batchPath(id)}/retry`, body, { signal }),
  }
}
