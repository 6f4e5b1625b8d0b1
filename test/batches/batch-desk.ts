import { pino } from 'pino'
import { until } from '../../harness/until.ts'
import type { NewBatch } from '../../src/batches/new-batch.ts'
import { type BatchRecord, hasEnded } from '../../src/batches/record.ts'
import { type BatchStore, createBatchStore } from '../../src/batches/store.ts'
import type { BlobStore } from '../../src/files/blobs/blob-store.ts'
import { createDiskBlobs } from '../../src/files/blobs/disk-blobs.ts'
import { readFile } from '../../src/files/read-file.ts'
import { createFileStore, type FileStore } from '../../src/files/store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createKeys, newBatchId, newFileId, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'

const shard = 5

export interface OutputLine {
  readonly id: string
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: Record<string, unknown> } | null
  readonly error: { readonly code: string } | null
}

/** Makes batches straight in the stores, as the API does, and reads what became of them. */
export interface BatchDesk {
  readonly batches: BatchStore
  readonly blobs: BlobStore
  readonly files: FileStore
  /** Uploads the text and makes a batch of it; answers its id. */
  batch(input: string, more?: Partial<NewBatch>): Promise<string>
  read(id: string): Promise<BatchRecord>
  reached(id: string, test: (batch: BatchRecord) => boolean): Promise<BatchRecord>
  ended(id: string): Promise<BatchRecord>
  /** The lines in the batch's files now, also while it runs. */
  lines(batch: BatchRecord): Promise<{
    readonly output: readonly OutputLine[]
    readonly error: readonly OutputLine[]
  }>
  close(): Promise<void>
}

/** A line of an OpenAI batch file. `user` is what the simulated provider counts calls by. */
export const line = (customId: string, model: string, user = customId): string =>
  `${JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, user, messages: [{ role: 'user', content: 'hello' }] },
  })}\n`

export const lines = (count: number, model: string): string =>
  Array.from({ length: count }, (_, i) => line(`row-${i}`, model)).join('')

/** The custom ids of `lines`, sorted. */
export const rows = (count: number): string[] => Array.from({ length: count }, (_, i) => `row-${i}`).sort()

export async function* onePiece(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text)
}

const patienceMs = 50_000

export const openDesk = (
  redis: { readonly url: string; readonly prefix: string },
  dir: string,
): BatchDesk => {
  const connection = createPatientRedis(redis.url, pino({ level: 'silent' }))
  const run = createScriptRunner(connection)
  const keys = createKeys(redis.prefix)
  const blobs = createDiskBlobs(dir)
  const parts = { redis: connection, run, keys, now: Date.now }
  const files = createFileStore({ ...parts, blobs })
  const batches = createBatchStore(parts)

  const upload = async (input: string, tenant: string) => {
    const id = newFileId(shard, Date.now())
    const key = `${ulidOf(id)}/input`
    await files.reserve(id, tenant)
    const { bytes } = await blobs.write(key, onePiece(input))
    const facts = { purpose: 'batch', filename: 'in.jsonl', createdAtMs: Date.now(), expiresAtMs: null }
    await files.create({ id, tenant, bytes, ...facts }, [{ key, bytes }])
    return { inputFileId: id, input: [{ key, bytes }] }
  }

  const read = async (id: string): Promise<BatchRecord> => (await batches.read(id))!
  const reached: BatchDesk['reached'] = (id, test) =>
    until(async () => {
      const batch = await read(id)
      return test(batch) ? batch : null
    }, patienceMs)
  const linesOf = async (fileId: string): Promise<OutputLine[]> => {
    const parts: Uint8Array[] = []
    for await (const part of readFile(blobs, await files.segments(fileId))) parts.push(part)
    const texts = Buffer.concat(parts).toString().split('\n').slice(0, -1)
    return texts.map(text => JSON.parse(text) as OutputLine)
  }

  return {
    batches,
    blobs,
    files,
    batch: async (input, more = {}) => {
      const createdAtMs = Date.now()
      const id = newBatchId(more.dialect ?? 'openai', shard, createdAtMs)
      const tenant = more.tenant ?? 'default'
      const created = await batches.create({
        id,
        tenant,
        dialect: 'openai',
        endpoint: '/v1/chat/completions',
        ...(await upload(input, tenant)),
        completionWindow: '24h',
        createdAtMs,
        expiresAtMs: createdAtMs + 86_400_000,
        total: null,
        metadata: null,
        outputExpiresAfterMs: null,
        webhook: null,
        apiVersion: null,
        maxCostUsd: null,
        retryOf: null,
        fingerprint: id,
        replay: false,
        ...more,
      })
      if (created.kind !== 'created') throw new Error(`not created: ${created.kind}`)
      return id
    },
    read,
    reached,
    ended: id => reached(id, batch => hasEnded(batch.status)),
    lines: async batch => ({
      output: await linesOf(batch.outputFileId),
      error: await linesOf(batch.errorFileId),
    }),
    close: async () => {
      connection.disconnect()
      await blobs.close()
    },
  }
}
