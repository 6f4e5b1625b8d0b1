import type { Cluster, Redis } from 'ioredis'
import { type FileRecord, fileFields, formatSegment, type Segment } from '../files/record.ts'
import { encodeBody, jobFields } from '../jobs/codec.ts'
import { createPayloads, isApart } from '../jobs/payloads.ts'
import type { RecordFields } from '../jobs/record.ts'
import { outboxGraceMs, webhooksDueAt } from '../jobs/schedule.ts'
import type { Announce } from '../jobs/types.ts'
import { batchJobId, type Keys, shardOf, shards } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RunScript } from '../redis/scripts.ts'
import {
  type FinishedLine,
  type PeekReply,
  parseFinished,
  peekedFields,
  withAnswer,
} from './finished-line.ts'
import {
  type BatchFault,
  type BatchRecord,
  type BatchStatus,
  type Blocking,
  type EndedBatchStatus,
  parseBatch,
  type Warning,
} from './record.ts'
import { batchScripts } from './scripts.ts'
import type { BatchJob, BatchLease, Collection, EndedFiles, Feed, Fenced } from './steps.ts'
import { ownedFiles } from './store.ts'

type Noted = 'noted' | 'free' | 'lost'

/** What a feeder does with the batches it drives. */
export interface BatchWork {
  /** Batches that no feeder drives, the longest waiting first. */
  due(limit: number): Promise<readonly string[]>
  take(lease: BatchLease, untilMs: number): Promise<boolean>
  /** The batch's status, so that a feeder learns of a cancel; null when the lease is lost. */
  renew(lease: BatchLease, untilMs: number): Promise<BatchStatus | null>
  /** Lets another have the batch from `dueAtMs` on. */
  release(lease: BatchLease, dueAtMs: number): Promise<void>
  read(id: string): Promise<BatchRecord | null>
  /** Takes the batch into progress, or leaves it `cancelling`. */
  validated(lease: BatchLease, total: number, model: string | null): Promise<Fenced>
  finalizing(lease: BatchLease): Promise<Fenced>
  /** Says what blocks the batch, and owes its webhook a notice where that is new; or, with null, that it goes on. */
  block(lease: BatchLease, blocking: Blocking | null): Promise<Noted>
  /** Says that the batch will not be done in its window, likewise; or, with null, that it will. */
  warn(lease: BatchLease, warning: Warning | null): Promise<Noted>
  /** Says when the batch is likely to be done. */
  foresee(lease: BatchLease, estimateMs: number): Promise<Fenced>
  feed(lease: BatchLease, feed: Feed): Promise<Fenced>
  /** Lines whose end is known and that are in no file yet. */
  finishedCount(id: string): Promise<number>
  /** Those lines from the `from`th on: `count` at most, or until their answers pass `maxBytes`. */
  peek(id: string, from: number, count: number, maxBytes: number): Promise<readonly FinishedLine[]>
  collect(lease: BatchLease, batch: BatchRecord, collection: Collection): Promise<Fenced>
  /** How many of these requests a worker has, and their bytes. */
  running(id: string, numbers: readonly number[]): Promise<{ readonly lines: number; readonly bytes: number }>
  /** The batch's jobs among these requests that have not been collected. */
  openJobs(id: string, numbers: readonly number[]): Promise<readonly number[]>
  /** `faults`: the input is wrong and nothing of it was fed. Else every line must be in the files. */
  end(
    lease: BatchLease,
    batch: BatchRecord,
    files: EndedFiles,
    faults: readonly BatchFault[],
  ): Promise<EndedBatchStatus | 'lost' | 'changed'>
}

export interface BatchWorkOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  /** How long a batch that has ended can be read. */
  readonly retentionMs: number
  readonly now: () => number
  /** Without it, a sweeper finds the webhooks that are owed. */
  readonly announce?: Announce
}

/** A feeder that was taken for dead may still write a blob of a file that gets no record; then that is removed. */
const strayBlobsMs = 2 * 3_600_000

export const createBatchWork = ({
  redis,
  run,
  keys,
  retentionMs,
  now,
  announce,
}: BatchWorkOptions): BatchWork => {
  const write = createOwedWrite(redis)
  const payloads = createPayloads(redis, keys)
  const lease = async (
    { id, token }: BatchLease,
    action: 'take' | 'renew' | 'release',
    untilMs: number,
  ): Promise<BatchStatus | null> => {
    const names = [keys.batch(id), keys.openBatches(shardOf(id))]
    const reply = (await run(batchScripts.lease, [...names, id, token, action, now(), untilMs])) as Fenced
    return reply === 'lost' ? null : (reply as BatchStatus)
  }

  const step = async (
    { id, token }: BatchLease,
    from: BatchStatus | '',
    to: BatchStatus | '',
    timeField: string,
    fields: readonly (string | number)[],
  ): Promise<Fenced> =>
    (await run(batchScripts.step, [keys.batch(id), token, from, to, timeField, now(), ...fields])) as Fenced

  const note = async (
    { id, token }: BatchLease,
    field: 'blocked' | 'warning',
    what: Blocking | Warning | null,
  ): Promise<Noted> => {
    const text = what === null ? '' : JSON.stringify(what)
    const names = [keys.batch(id), keys.schedule(shardOf(id))]
    return (await run(batchScripts.block, [...names, token, field, text, id, now()])) as Noted
  }

  const dueIn = async (shard: number, limit: number): Promise<[string, number][]> => {
    const flat = await redis.zrange(
      keys.openBatches(shard),
      '-inf',
      String(now()),
      'BYSCORE',
      'LIMIT',
      0,
      limit,
      'WITHSCORES',
    )
    return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, Number(flat[2 * i + 1])])
  }

  /** Whether requests may be retried: then they are kept as long as their results. */
  const hasFailed = async (id: string): Promise<boolean> =>
    (await redis.hmget(keys.batch(id), 'errored', 'canceled', 'expired')).some(count => Number(count) > 0)

  return {
    due: async limit => {
      const each = shards.map(shard => dueIn(shard, limit))
      const due = (await Promise.all(each)).flat().sort(([, a], [, b]) => a - b)
      return due.slice(0, limit).map(([id]) => id)
    },
    take: async (held, untilMs) => (await lease(held, 'take', untilMs)) !== null,
    renew: (held, untilMs) => lease(held, 'renew', untilMs),
    release: async (held, dueAtMs) => {
      await lease(held, 'release', dueAtMs)
    },
    read: async id => parseBatch((await redis.hgetall(keys.batch(id))) as RecordFields),

    validated: (held, total, model) =>
      step(held, 'validating', 'in_progress', 'in_progress_at', [
        'total',
        total,
        ...(model === null ? [] : ['model', model]),
      ]),
    finalizing: held => step(held, 'in_progress', 'finalizing', 'finalizing_at', []),

    block: (held, blocking) => note(held, 'blocked', blocking),
    warn: (held, warning) => note(held, 'warning', warning),
    // From a status that no batch has: the field alone is written.
    foresee: (held, estimateMs) => step(held, '', '', '', ['estimate', Math.round(estimateMs)]),

    feed: async ({ id, token }, { from, to, offset, line, jobs, skipped }) => {
      await Promise.all(
        jobs.filter(job => isApart(job.body)).map(job => payloads.putRequest(job.id, job.body)),
      )
      const bytes = jobs.reduce((sum, job) => sum + job.bytes, 0)
      const due = now() + outboxGraceMs
      const words = [
        token,
        String(from),
        String(to),
        offset,
        line,
        bytes,
        due,
        skipped,
        jobs.map(encodeBatchJob),
      ]
      const script = jobs.length > 0 ? batchScripts.feed : batchScripts.pass
      return fenced(await run.packed(script, keys.batch(id), words))
    },

    finishedCount: id => redis.llen(keys.finishedLines(id)),

    peek: async (id, from, count, maxBytes) => {
      const words = [from, count, maxBytes, ...peekedFields]
      const peeked = (await run.packed(batchScripts.peek, keys.finishedLines(id), words)) as PeekReply[]
      return (await Promise.all(peeked.map(withAnswer(payloads)))).map(parseFinished)
    },

    collect: async ({ id, token }, { outputFileId, errorFileId }, collection) => {
      const { name, lowWatermark: low, bytes, output, error, entries } = collection
      const segments = [encodeSegment(outputFileId, output), encodeSegment(errorFileId, error)]
      const words = [token, name, low, bytes, segments, countersOf(collection), entries]
      return fenced(await run.packed(batchScripts.collect, keys.batch(id), words))
    },

    running: async (id, numbers) => {
      const ids = numbers.map(number => batchJobId(id, number))
      const [lines, bytes] = (await run.packed(batchScripts.running, keys.batch(id), ids)) as [number, number]
      return { lines, bytes }
    },

    openJobs: async (id, numbers) => {
      const pipeline = redis.pipeline()
      for (const number of numbers) pipeline.exists(keys.record(batchJobId(id, number)))
      const replies = (await pipeline.exec())!
      const broken = replies.find(([error]) => error !== null)
      if (broken) throw broken[0]!
      return numbers.filter((_, i) => replies[i]![1] === 1)
    },

    end: async ({ id, token }, batch, files, faults) => {
      const shard = shardOf(id)
      const { tenant, inputFileId, outputFileId, errorFileId } = batch
      // First, so that no record is ever missing from the list. Results of a message batch are no files to its client.
      const listed = [files.output, files.error].filter(file => file !== null && batch.dialect === 'openai')
      for (const file of listed) await write('ZADD', keys.files(tenant), 0, file!.id)
      const words = (fileId: string, file: FileRecord | null): (string | number)[] => {
        const fields = file ? fileFields(file) : []
        return [fileId, file?.expiresAtMs ?? now() + strayBlobsMs, fields.length, ...fields]
      }
      const dueAtMs = webhooksDueAt(now(), announce)
      const ended = (await run(batchScripts.end, [
        keys.batch(id),
        keys.openBatches(shard),
        keys.finishedLines(id),
        keys.schedule(shard),
        keys.purge(shard),
        keys.file(inputFileId ?? id),
        keys.file(outputFileId),
        keys.segments(outputFileId),
        keys.file(errorFileId),
        keys.segments(errorFileId),
        id,
        token,
        now(),
        faults.length === 0 ? '' : JSON.stringify(faults),
        retentionMs,
        inputFileId === null ? 0 : 1,
        dueAtMs,
        ...words(outputFileId, files.output),
        ...words(errorFileId, files.error),
      ])) as EndedBatchStatus | 'lost' | 'changed'
      if (ended === 'lost' || ended === 'changed') return ended
      if (batch.webhook !== null) announce?.(id, tenant, dueAtMs)
      // If this is lost, the next request that is refused finds it.
      await redis.srem(keys.openOf(tenant), id).catch(() => undefined)
      const owned = inputFileId === null ? ownedFiles(batch.input) : []
      const untilMs = owned.length > 0 && (await hasFailed(id)) ? (files.output?.expiresAtMs ?? now()) : now()
      for (const name of owned) await write('ZADD', keys.purge(shardOf(name)), untilMs, name)
      return ended
    },
  }
}

const fenced = (reply: unknown): Fenced => (reply as [Fenced])[0]

const encodeBatchJob = (job: BatchJob): (string | true)[] => [
  job.id,
  encodeBody(job),
  ...jobFields(job),
  'custom_id',
  job.customId,
  'bytes',
  String(job.bytes),
]

const encodeSegment = (fileId: string, segment: Segment | null): (string | number)[] => [
  fileId,
  segment ? formatSegment(segment) : '',
  segment?.bytes ?? 0,
]

const countersOf = (collection: Collection): (string | number)[] => {
  const { counts, inputTokens, outputTokens, cachedTokens, cost, providers, jobs } = collection
  const counters: (string | number)[] = ['input_tokens', inputTokens, 'output_tokens', outputTokens]
  for (const [name, count] of Object.entries(counts)) if (count > 0) counters.push(name, count)
  if (cachedTokens > 0) counters.push('cached_tokens', cachedTokens)
  if (jobs > 0) counters.push('ended_jobs', jobs)
  if (cost !== null) counters.push('cost', cost)
  for (const [provider, count] of providers) counters.push(`by:${provider}`, count)
  return counters
}
