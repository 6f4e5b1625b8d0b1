import type { Batch } from './api-types.ts'
import { BatonError } from './client-error.ts'
import type { CallOptions } from './job-calls.ts'
import { type BatchResult, linesIn } from './result-lines.ts'
import { asJson, pause, type Transport } from './transport.ts'

type FileName = 'output' | 'errors'

/** For what cuts each connection at once. */
const cutMs = 500

const ended: ReadonlySet<Batch['status']> = new Set(['completed', 'failed', 'expired', 'cancelled'])

export const batchPath = (id: string): string => `/v1/batches/${encodeURIComponent(id)}`

export const readBatch = (transport: Transport, id: string, { signal }: CallOptions): Promise<Batch> =>
  transport.send('GET', batchPath(id), { signal, read: asJson<Batch>('batch') })

/** A batch that is read as it grows. */
export interface FollowedBatch<Body> {
  /** As it was when it was looked at last. */
  readonly batch: Batch
  /** Whether all that it ever gives has been read. */
  readonly isDone: boolean
  /** What has come since the last time. Throws `batch_failed` where the batch was refused as a whole. */
  fresh(): AsyncGenerator<BatchResult<Body>>
}

export const followBatch = <Body>(
  transport: Transport,
  first: Batch,
  { signal }: CallOptions,
): FollowedBatch<Body> => {
  let batch = first
  let isDone = false
  const read = { output: 0, errors: 0 }

  /** No byte stands behind what was read, or no line ever came to that file; it is not one that has expired since. */
  const isNothing = (error: unknown, file: FileName): boolean => {
    if (!(error instanceof BatonError)) return false
    const id = file === 'output' ? batch.output_file_id : batch.error_file_id
    return error.code === 'range_not_satisfiable' || (error.code === 'file_not_found' && id === null)
  }

  /** From the byte that was not read yet. Returns whether the connection was cut before the end of the file. */
  async function* rest(file: FileName): AsyncGenerator<BatchResult<Body>, boolean> {
    const body = await transport
      .send('GET', `${batchPath(batch.id)}/content?file=${file}`, {
        headers: { range: `bytes=${read[file]}-` },
        signal,
        read: async response => (response.status === 204 ? null : response.body),
      })
      .catch(error => {
        if (isNothing(error, file)) return null
        throw error
      })
    if (body === null) return false
    try {
      for await (const { text, bytes } of linesIn(body)) {
        read[file] += bytes
        yield JSON.parse(text) as BatchResult<Body>
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (!isCut(error)) throw error
      return true
    }
    return false
  }

  /** All of a file that has its end: where it was cut, it is asked for again. */
  async function* whole(file: FileName): AsyncGenerator<BatchResult<Body>> {
    while (yield* rest(file)) await pause(cutMs, signal)
  }

  return {
    get batch() {
      return batch
    },
    get isDone() {
      return isDone
    },
    async *fresh() {
      // Looked at first: what an ended batch has is all it will have.
      batch = await readBatch(transport, batch.id, { signal })
      if (batch.status === 'failed') throw refused(batch)
      const hasEnded = ended.has(batch.status)
      for (const file of ['output', 'errors'] as const) {
        if (hasEnded) yield* whole(file)
        else yield* rest(file)
      }
      isDone = hasEnded
    },
  }
}

/** `fetch` says so by a TypeError, whichever the runtime. */
const isCut = (error: unknown): boolean => error instanceof TypeError

const refused = (batch: Batch): BatonError => {
  const [first, ...more] = batch.errors?.data ?? []
  const where = first?.line ? `line ${first.line}: ` : ''
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  return new BatonError(
    'batch_failed',
    `${batch.id} was refused: ${where}${first?.message ?? 'no reason is told'}${others}`,
  )
}
