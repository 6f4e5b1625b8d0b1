import type { NewBatch } from '../../../src/batches/new-batch.ts'
import type { BatchRecord } from '../../../src/batches/record.ts'
import type { BatchJob, BatchLease, Collection, Feed } from '../../../src/batches/steps.ts'
import { batchJobId, newBatchId, newFileId } from '../../../src/redis/keys.ts'
import { openStore, type StoreFixture } from '../../jobs/store-fixture.ts'

const shard = 7

export interface BatchFixture extends StoreFixture {
  /** A file as an upload leaves it; answers its id. */
  file(fields?: Record<string, string | number>): Promise<string>
  newBatch(more?: Partial<NewBatch>): NewBatch
  /** Creates a batch with a file of its own, in progress with `total` lines, and takes its lease. */
  leased(total?: number, more?: Partial<NewBatch>): Promise<BatchLease>
  record(id: string): Promise<BatchRecord>
  batchJob(batchId: string, number: number, more?: Partial<BatchJob>): BatchJob
  feedOf(batchId: string, from: number, to: number, more?: Partial<Feed>): Feed
  collection(entries: readonly string[], more?: Partial<Collection>): Collection
}

export const openBatches = (at?: Parameters<typeof openStore>[0]): BatchFixture => {
  const store = openStore(at)
  const { redis, keys, clock, batches, work, newJob } = store

  const file: BatchFixture['file'] = async (fields = {}) => {
    const id = newFileId(shard, clock.nowMs)
    await redis.hset(keys.file(id), { tenant: 'default', created: clock.nowMs, ...fields })
    return id
  }
  const newBatch = (more: Partial<NewBatch> = {}): NewBatch => {
    const id = newBatchId(more.dialect ?? 'openai', shard, clock.nowMs)
    return {
      id,
      tenant: 'default',
      dialect: 'openai',
      endpoint: '/v1/chat/completions',
      inputFileId: null,
      input: [{ key: '00000000000000000000000007/a', bytes: 10 }],
      completionWindow: '24h',
      createdAtMs: clock.nowMs,
      expiresAtMs: clock.nowMs + 86_400_000,
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
    }
  }
  const batchJob: BatchFixture['batchJob'] = (batchId, number, more) => ({
    ...newJob(),
    id: batchJobId(batchId, number),
    customId: `row-${number}`,
    line: number,
    bytes: 100,
    ...more,
  })

  return {
    ...store,
    file,
    newBatch,
    leased: async (total = 10, more = {}) => {
      const batch = newBatch({ inputFileId: await file(), total, ...more })
      await batches.create(batch)
      const lease = { id: batch.id, token: 'mine' }
      await work.take(lease, clock.nowMs + 5_000)
      return lease
    },
    record: async id => (await batches.read(id))!,
    batchJob,
    feedOf: (batchId, from, to, more) => ({
      from,
      to,
      offset: to * 100,
      line: to,
      jobs: Array.from({ length: to - from }, (_, i) => batchJob(batchId, from + i + 1)),
      skipped: [],
      ...more,
    }),
    collection: (entries, more) => ({
      name: `c-${entries.length}-${entries[0]}`,
      entries,
      lowWatermark: 0,
      bytes: 0,
      output: { key: 'g/out', bytes: 50 },
      error: null,
      counts: { succeeded: entries.length, errored: 0, canceled: 0, expired: 0 },
      inputTokens: 0,
      outputTokens: 0,
      cachedTokens: 0,
      cost: null,
      providers: new Map(),
      jobs: entries.length,
      ...more,
    }),
  }
}
