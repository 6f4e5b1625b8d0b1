import type { Batch, Operations } from './api-types.ts'
import { type FollowedBatch, followBatch } from './batch-results.ts'
import { BatonError } from './client-error.ts'
import type { CallOptions } from './job-calls.ts'
import { type BatchRequest, requestFiles } from './request-files.ts'
import type { BatchResult } from './result-lines.ts'
import { checkPart, digestOf, findParts, marksOf } from './run-marks.ts'
import { pause, type Transport } from './transport.ts'
import { untilAborted } from './until-aborted.ts'

type BatchBody = Operations['createBatch']['body']

export interface RunProgress {
  /** Those made so far, as they were looked at last. */
  readonly batches: readonly Batch[]
  /** Whether all requests have been sent. */
  readonly isUploaded: boolean
  readonly total: number
  readonly completed: number
  readonly failed: number
}

export interface RunOptions extends CallOptions {
  /**
   * Makes a run that a later process can go on with, by the same name, requests and limits: it makes the batches that are missing, none twice,
   * and yields all results. One process at a time, and while the batches are kept.
   */
  readonly name?: string
  /** `/v1/chat/completions` by default. */
  readonly endpoint?: BatchBody['endpoint']
  /** What each batch is made with; `24h` by default. A `max_cost_usd` holds for each of them. */
  readonly batch?: Partial<Omit<BatchBody, 'input_file_id' | 'endpoint'>>
  readonly onProgress?: (progress: RunProgress) => void
  /** Of one batch; 50,000 by default, which is what Baton takes unless it is told otherwise. */
  readonly linesPerBatch?: number
  /** Of one file, which is held in memory until it is sent; 32 MiB by default. */
  readonly bytesPerBatch?: number
}

/** What a run asks of the API. */
export interface RunCalls {
  upload(file: Blob, options: CallOptions): Promise<{ readonly id: string }>
  create(body: BatchBody, options: CallOptions): Promise<Batch>
  /** Newest first. */
  list(options: CallOptions): AsyncIterable<Batch>
}

const defaults = { endpoint: '/v1/chat/completions', lines: 50_000, bytes: 32 * 2 ** 20 } as const

/** While nothing comes. Soon at first, so that a small batch is seen to end; then at ease. */
const lookMs = (idle: number): number => Math.min(2_000, 100 * 1.4 ** idle)

/** Until one of the tenant's other batches has ended, where the API does not say when to look. */
const fullMs = 5_000

/**
 * Sends requests as they are iterated, in as many batches as they need, and yields results as they come, in no order. Who stops reading
 * stops what is sent; batches that are made go on.
 */
export async function* runBatches<Body>(
  transport: Transport,
  calls: RunCalls,
  requests: Iterable<BatchRequest> | AsyncIterable<BatchRequest>,
  options: RunOptions,
): AsyncGenerator<BatchResult<Body>> {
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const made: FollowedBatch<Body>[] = []
  let isUploaded = false
  let fault: { readonly error: unknown } | null = null

  const createWhenThereIsRoom = async (body: BatchBody): Promise<Batch> => {
    for (;;) {
      try {
        return await calls.create(body, { signal })
      } catch (error) {
        if (!(error instanceof BatonError && error.code === 'too_many_open_batches')) throw error
        await pause(error.retryAfterMs ?? fullMs, signal)
      }
    }
  }

  const createOf = async (file: Blob, order: Omit<BatchBody, 'input_file_id'>): Promise<Batch> => {
    const { id } = await calls.upload(file, { signal })
    return createWhenThereIsRoom({ ...order, input_file_id: id })
  }

  const send = async (): Promise<void> => {
    const {
      endpoint = defaults.endpoint,
      linesPerBatch = defaults.lines,
      bytesPerBatch = defaults.bytes,
      name,
    } = options
    const known = name === undefined ? null : await findParts(calls.list({ signal }), name)
    let number = 0
    for await (const { file } of requestFiles(untilAborted(requests, signal), endpoint, {
      lines: linesPerBatch,
      bytes: bytesPerBatch,
    })) {
      number++
      const part = name === undefined ? null : { number, digest: await digestOf(file) }
      const found = known?.get(number)
      if (found) checkPart(found, name!, part!)
      const marks = part && { metadata: { ...options.batch?.metadata, ...marksOf(name!, part) } }
      const order = { completion_window: '24h', ...options.batch, ...marks, endpoint }
      made.push(followBatch(transport, found ?? (await createOf(file, order)), { signal }))
    }
    isUploaded = true
  }

  const tell = (): void => {
    const batches = made.map(({ batch }) => batch)
    const sum = (what: keyof Batch['request_counts']): number =>
      batches.reduce((all, { request_counts }) => all + request_counts[what], 0)
    const counts = { total: sum('total'), completed: sum('completed'), failed: sum('failed') }
    options.onProgress?.({ batches, isUploaded, ...counts })
  }

  const sending = send().catch(error => {
    fault = { error }
  })
  try {
    for (let idle = 0; ; idle++) {
      const wasUploaded = isUploaded
      for (const each of made.filter(({ isDone }) => !isDone)) {
        for await (const result of each.fresh()) {
          idle = 0
          yield result
        }
        tell()
      }
      if (fault !== null) throw (fault as { readonly error: unknown }).error
      if (wasUploaded && made.every(({ isDone }) => isDone)) return
      await pause(lookMs(idle), signal)
    }
  } finally {
    left.abort()
    await sending
  }
}
