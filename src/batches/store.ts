import type { Cluster, Redis } from 'ioredis'
import type { Dialect } from '../domain/endpoint.ts'
import type { WebhookTarget } from '../domain/job.ts'
import type { Segment } from '../files/record.ts'
import type { RecordFields } from '../jobs/record.ts'
import { isBatchId, isNoticeId, type Keys, newFileId, shardOf, shards, timeOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { type BatchPage, createBatchIndex } from './listing.ts'
import { batchFields, type NewBatch } from './new-batch.ts'
import {
  type BatchRecord,
  type BatchStatus,
  type Blocking,
  deliveryOf,
  hasEnded,
  parseBatch,
  type Warning,
} from './record.ts'
import { batchScripts } from './scripts.ts'

/** `replayed`: an earlier request made this batch. `no_input`: there is no such file, or it is deleted or past its expiry. */
export type BatchCreated =
  | { readonly kind: 'created' }
  | { readonly kind: 'replayed'; readonly id: string }
  | { readonly kind: 'no_input' }

export interface BatchList {
  readonly batches: readonly BatchRecord[]
  /** Whether there are more in the direction of travel. */
  readonly hasMore: boolean
}

/** What a batch's webhook gets while the batch runs: that it is blocked, or that it will not be done in its window. */
export interface NoticeRecord {
  readonly id: string
  readonly tenant: string
  readonly webhook: WebhookTarget
  readonly blocked: Blocking | null
  readonly warning: Warning | null
  readonly delivery: NonNullable<BatchRecord['delivery']>
  readonly deliveriesBefore: number
}

/** Reads a notice as Redis returns it; null when there is none. */
export const parseNotice = (fields: RecordFields): NoticeRecord | null =>
  fields.id === undefined
    ? null
    : {
        id: fields.id,
        tenant: fields.tenant!,
        webhook: JSON.parse(fields.webhook!) as WebhookTarget,
        blocked: fields.blocked === undefined ? null : (JSON.parse(fields.blocked) as Blocking),
        warning: fields.warning === undefined ? null : (JSON.parse(fields.warning) as Warning),
        delivery: deliveryOf(fields)!,
        deliveriesBefore: Number(fields.deliveries_before ?? 0),
      }

/** What the API does with batches. What is done for them while they run is in work.ts. */
export interface BatchStore {
  /** When this resolves, the batch is in Redis and a feeder will take it up. */
  create(batch: NewBatch): Promise<BatchCreated>
  /** The batch that the same request made within the last hour. */
  repeated(batch: NewBatch): Promise<string | null>
  read(id: string): Promise<BatchRecord | null>
  /** The tenant's batches of that kind of client that a person must help, the longest waiting first. */
  listBlocked(tenant: string, dialect: Dialect, limit: number): Promise<BatchList>
  /** All that have not ended: of a tenant, or of all of them. */
  listOpen(tenant?: string): Promise<readonly BatchRecord[]>
  /** How the webhook of a batch, or of one of its notices, fares. */
  readDelivery(id: string): Promise<BatchRecord['delivery']>
  readNotice(id: string): Promise<NoticeRecord | null>
  /** Asks a running batch to end; answers the status it had: one that has ended or is `cancelling` stays as it is. Null: no such batch. */
  cancel(id: string): Promise<BatchStatus | null>
  list(tenant: string, dialect: Dialect, page: BatchPage): Promise<BatchList | 'unknown_cursor'>
  /** Drops from the tenant's lists what is past its retention, oldest first: lists may never be read. */
  forgetGone(tenant: string): Promise<void>
  /** Forgets a batch that has ended, with its results. */
  remove(id: string): Promise<'removed' | 'not_ended' | 'gone'>
}

export interface BatchStoreOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly now: () => number
}

/** A client that sends a request again does so within this. */
const replayWindowMs = 3_600_000
/** An id without a record this long after its creation has passed its retention, or its creation was given up. */
const creationPatienceMs = 60_000
/** The blobs of a batch's own document outlast its deadline by this, should its end come late. */
const inputMarginMs = 30 * 86_400_000
/** How many of the oldest in a list are dropped at a time. */
const mostForgotten = 200

export const createBatchStore = ({ redis, run, keys, now }: BatchStoreOptions): BatchStore => {
  const index = createBatchIndex(redis, keys)
  const read = async (id: string): Promise<BatchRecord | null> =>
    parseBatch((await redis.hgetall(keys.batch(id))) as RecordFields)

  const keyOf = (id: string): string => (isNoticeId(id) ? keys.notice(id) : keys.batch(id))

  const listOpen = async (tenant?: string): Promise<readonly BatchRecord[]> => {
    const open = shards.map(shard => redis.zrange(keys.openBatches(shard), '0', '-1'))
    const records = await Promise.all((await Promise.all(open)).flat().map(read))
    return records
      .filter(record => record !== null)
      .filter(record => (tenant ?? record.tenant) === record.tenant && !hasEnded(record.status))
  }

  /** Among those that run: they are few, and no list of its own can be out of step with them. */
  const listBlocked = async (tenant: string, dialect: Dialect, limit: number): Promise<BatchList> => {
    const blocked = (await listOpen(tenant))
      .filter(
        record => record.dialect === dialect && record.blocked !== null && record.status !== 'cancelling',
      )
      .sort((a, b) => a.blocked!.sinceMs - b.blocked!.sinceMs)
    return { batches: blocked.slice(0, limit), hasMore: blocked.length > limit }
  }

  /** Before the batch is there, so that nothing of it stays behind when it never comes to be. */
  const keepInput = async ({ input, expiresAtMs }: NewBatch): Promise<void> => {
    for (const id of ownedFiles(input)) {
      await redis.zadd(keys.purge(shardOf(id)), expiresAtMs + inputMarginMs, id)
    }
  }

  const isGone = async (id: string): Promise<boolean> =>
    timeOf(id) + creationPatienceMs < now() && (await redis.exists(keys.batch(id))) === 0

  const forgetGone = async (tenant: string): Promise<void> => {
    for (const dialect of ['openai', 'anthropic'] as const) {
      const ids = await index.oldest(tenant, dialect, mostForgotten)
      const gone = await Promise.all(ids.map(isGone))
      await index.remove(
        tenant,
        dialect,
        ids.filter((_, i) => gone[i]),
      )
    }
  }

  const list = async (tenant: string, dialect: Dialect, page: BatchPage): Promise<BatchList> => {
    const found: BatchRecord[] = []
    for (let at: BatchPage = { ...page, limit: page.limit + 1 }; found.length <= page.limit; ) {
      const ids = await index.next(tenant, dialect, at)
      const records = await Promise.all(ids.map(read))
      const gone = ids.filter((id, i) => records[i] === null && timeOf(id) + creationPatienceMs < now())
      await index.remove(tenant, dialect, gone)
      found.push(...records.filter(record => record !== null))
      if (ids.length < at.limit) break
      at = page.before === undefined ? { ...at, after: ids.at(-1) } : { ...at, before: ids.at(-1) }
    }
    const batches = found.slice(0, page.limit)
    return {
      batches: page.before === undefined ? batches : batches.reverse(),
      hasMore: found.length > page.limit,
    }
  }

  /** Message batches can be deleted, also by a client that goes through the list: any well-formed id is a place in it. */
  const isPlace = async (tenant: string, dialect: Dialect, id: string): Promise<boolean> =>
    dialect === 'anthropic' ? isBatchId(id, dialect) : index.has(tenant, dialect, id)

  return {
    create: async batch => {
      const { id, tenant, dialect, inputFileId } = batch
      const shard = shardOf(id)
      if (inputFileId === null) await keepInput(batch)
      await index.add(tenant, dialect, id)
      const files = {
        output: newFileId(shard, batch.createdAtMs),
        error: newFileId(shard, batch.createdAtMs),
      }
      const reply = (await run(batchScripts.create, [
        keys.batch(id),
        keys.file(inputFileId ?? id),
        keys.batchRequest(shard, batch.fingerprint),
        keys.openBatches(shard),
        id,
        tenant,
        now(),
        inputFileId === null ? 0 : 1,
        batch.replay ? 1 : 0,
        replayWindowMs,
        ...batchFields(batch, files),
      ])) as string
      if (reply === 'created') return { kind: 'created' }
      await index.remove(tenant, dialect, [id])
      return reply === 'no_input' ? { kind: 'no_input' } : { kind: 'replayed', id: reply }
    },

    repeated: async ({ id, fingerprint }) => {
      const first = await redis.get(keys.batchRequest(shardOf(id), fingerprint))
      return first !== null && (await redis.exists(keys.batch(first))) === 1 ? first : null
    },

    read,
    listBlocked,
    listOpen,
    forgetGone,
    readDelivery: async id => deliveryOf((await redis.hgetall(keyOf(id))) as RecordFields),
    readNotice: async id => parseNotice((await redis.hgetall(keys.notice(id))) as RecordFields),

    cancel: async id => (await run(batchScripts.cancel, [keys.batch(id), now()])) as BatchStatus | null,

    list: async (tenant, dialect, page) => {
      const cursor = page.after ?? page.before
      if (cursor !== undefined && !(await isPlace(tenant, dialect, cursor))) return 'unknown_cursor'
      return list(tenant, dialect, page)
    },

    remove: async id => {
      const record = await read(id)
      if (record === null) return 'gone'
      const { outputFileId, errorFileId, tenant, dialect, inputFileId } = record
      const reply = await run(batchScripts.remove, [
        keys.batch(id),
        keys.purge(shardOf(id)),
        keys.file(outputFileId),
        keys.file(errorFileId),
        now(),
        outputFileId,
        errorFileId,
      ])
      if (reply !== 'removed') return reply as 'not_ended' | 'gone'
      await index.remove(tenant, dialect, [id])
      const owned = inputFileId === null ? ownedFiles(record.input) : []
      await Promise.all(owned.map(name => redis.zadd(keys.purge(shardOf(name)), now(), name)))
      return 'removed'
    },
  }
}

/** The names under which the blobs of a batch's own document stand in the purge. */
export const ownedFiles = (input: readonly Segment[]): readonly string[] => [
  ...new Set(input.map(({ key }) => `file-${key.slice(0, key.indexOf('/'))}`)),
]
