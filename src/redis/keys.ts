import { randomFillSync } from 'node:crypto'
import type { Dialect } from '../domain/endpoint.ts'

/**
 * Records live in a fixed number of shards. A shard's keys share a hash tag, so that a script may touch a record
 * and its shard's schedule together on a Redis Cluster, and a sweeper knows where to look. Changing the number
 * would lose every record written before.
 */
export const shardCount = 16

export const shards: readonly number[] = Array.from({ length: shardCount }, (_, shard) => shard)

const base32 = '0123456789abcdefghjkmnpqrstvwxyz'
const ulidLength = 26
/** Of them, those that are the time. */
const timeLength = 10

/** The time that they begin with, in Unix ms. */
const msOf = (core: string): number => {
  let ms = 0
  for (let i = 0; i < timeLength; i++) ms = ms * 32 + base32.indexOf(core[i]!)
  return ms
}
const jobPrefix = 'job_'

/** Where the 26 characters after the prefix begin: neither `_` nor `-` is among them. */
const ulidAt = (id: string): number => (id.startsWith(jobPrefix) ? jobPrefix.length : id.search(/[_-]/) + 1)

/** The 26 characters of an id after its prefix: what an upload and its file, or a batch and its keys, share. */
export const ulidOf = (id: string): string => id.slice(ulidAt(id), ulidAt(id) + ulidLength)

/** When an id was made, in Unix ms. */
export const timeOf = (id: string): number => msOf(ulidOf(id))

/** Characters that name a block, and the ms that it lasts. */
const blockChars = 7
export const blockMs = 32 ** (10 - blockChars)

/** The block of time in which an id was made: they sort by name. `lives.lua` cuts it out in the same way. */
export const blockOf = (id: string): string => ulidOf(id).slice(0, blockChars)
export const blockAt = (ms: number): string => timeChars(ms).slice(0, blockChars)
/** When a block begins, in Unix ms. */
export const startOfBlock = (block: string): number => msOf(block.padEnd(timeLength, '0'))

/** Every id, and a schedule entry that begins with one, carries its shard in the last character of the core. */
export const shardOf = (id: string): number => base32.indexOf(id[ulidAt(id) + ulidLength - 1]!) % shardCount

/** Random bytes are drawn by the thousand: drawn for each id, they were a quarter of the cost of a submit. */
const pool = Buffer.allocUnsafe(4_096)
let drawn = pool.length

const randomChars = (count: number): string => {
  if (drawn + count > pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  let text = ''
  for (const end = drawn + count; drawn < end; drawn++) text += base32[pool[drawn]! & 31]
  return text
}

/** What the ids of a time, in Unix ms, begin with: they sort by it. */
export const timeChars = (nowMs: number): string => {
  let text = ''
  for (let left = nowMs, i = 0; i < timeLength; i++, left = Math.floor(left / 32))
    text = base32[left % 32] + text
  return text
}

const newUlid = (shard: number, nowMs: number): string =>
  `${timeChars(nowMs)}${randomChars(15)}${base32[shard]}`

const isIdOf = (prefix: string): ((value: string) => boolean) => {
  const pattern = new RegExp(`^${prefix}[0-9a-hjkmnp-tv-z]{26}$`)
  return value => pattern.test(value)
}

/** A new job id, ordered by time, in the given shard. */
export const newJobId = (shard: number, nowMs: number): string => jobPrefix + newUlid(shard, nowMs)
export const newFileId = (shard: number, nowMs: number): string => `file-${newUlid(shard, nowMs)}`
export const newUploadId = (shard: number, nowMs: number): string => `upload_${newUlid(shard, nowMs)}`
export const newPartId = (shard: number, nowMs: number): string => `part_${newUlid(shard, nowMs)}`

/** A sample that a route's mirror is asked: a job of a kind of its own, which no client can name. */
export const newMirrorId = (shard: number, nowMs: number): string => `mirror_${newUlid(shard, nowMs)}`

/** The id of the sample that a mirror is asked beside a job: the same in every run of the job. */
export const mirrorIdOf = (jobId: string): string => `mirror_${ulidOf(jobId)}`

export const isJobId = isIdOf(jobPrefix)
/** What a client of Responses calls a job in the background: the same 26 characters. Ids of OpenAI's own are longer. */
export const isResponseId = isIdOf('resp_')
export const responseIdOf = (jobId: string): string => `resp_${ulidOf(jobId)}`
export const jobOfResponse = (responseId: string): string => jobPrefix + ulidOf(responseId)

export const isMirrorId = (id: string): boolean => id.startsWith('mirror_')
export const isFileId = isIdOf('file-')
export const isUploadId = isIdOf('upload_')
export const isPartId = isIdOf('part_')

/** Characters of a batch's core that its jobs' ids share: time and chance. Then five count the lines. */
const batchStemLength = 20
const lineChars = 5
const batchPrefixes: Record<Dialect, string> = { openai: 'batch_', anthropic: 'msgbatch_' }

const isOpenAiBatchId = isIdOf(batchPrefixes.openai)
const isMessageBatchId = isIdOf(batchPrefixes.anthropic)

/** Whether this names a batch of that kind of client; of either without one. */
export const isBatchId = (value: string, dialect?: Dialect): boolean =>
  (dialect !== 'anthropic' && isOpenAiBatchId(value)) || (dialect !== 'openai' && isMessageBatchId(value))

/** A new batch id: no line is number 0, so its core is the stem of the ids of its jobs and never one of them. */
export const newBatchId = (dialect: Dialect, shard: number, nowMs: number): string =>
  `${batchPrefixes[dialect]}${timeChars(nowMs)}${randomChars(10)}${'0'.repeat(lineChars)}${base32[shard]}`

const noticePattern = /^((?:batch|msgbatch)_[0-9a-hjkmnp-tv-z]{26})-(\d{1,9})$/

/** A notice that a batch's webhook is owed while it runs: its id is that of the batch, and a number. */
export const isNoticeId = (value: string): boolean => noticePattern.test(value)
export const batchOfNotice = (noticeId: string): string => noticePattern.exec(noticeId)?.[1] ?? noticeId

/** The id of the job, and so of the result, of a batch's request `number`, which counts from 1. */
export const batchJobId = (batchId: string, number: number): string => {
  const core = ulidOf(batchId)
  let line = ''
  for (let rest = number; line.length < lineChars; rest = Math.floor(rest / 32))
    line = base32[rest % 32]! + line
  return jobPrefix + core.slice(0, batchStemLength) + line + core.slice(-1)
}

/** Which request of its batch a job is. */
export const lineNumberOf = (jobId: string): number => {
  const at = jobPrefix.length + batchStemLength
  let number = 0
  for (const char of jobId.slice(at, at + lineChars)) number = number * 32 + base32.indexOf(char)
  return number
}

/** The batch that a job with a `custom_id` belongs to. */
export const batchIdOf = (jobId: string, dialect: Dialect): string => {
  const stem = jobId.slice(jobPrefix.length, jobPrefix.length + batchStemLength)
  return `${batchPrefixes[dialect]}${stem}${'0'.repeat(lineChars)}${jobId.slice(-1)}`
}

/** Dead letters of the two kinds are kept for different times. */
export type LetterKind = 'jobs' | 'batches'

/** The lists of jobs: one of all without an end, and one for each end. */
export type ListedState = 'open' | 'succeeded' | 'failed' | 'cancelled' | 'expired'

export interface Keys {
  readonly prefix: string
  /** Hash: everything about a job but a long request body. */
  record(jobId: string): string
  /** String: a long request body. Apart from the record, so that the record stays a compact listpack. */
  payload(jobId: string): string
  /** String: a long answer, of the run of the job that this word names. */
  answer(jobId: string, run: string): string
  /** String: the bytes of a streamed answer, of the run of the job that this word names. */
  log(jobId: string, run: string): string
  /** Channel: bytes of streamed answers that connections of this process read. */
  streamChannel(process: string): string
  /** Sorted set: doorbells owed and timers, by the time in ms at which they are due. */
  schedule(shard: number): string
  /** Hash: how many doorbells wait in a queue, and where its classes stand; the keys beside it begin like it. */
  ready(queue: string): string
  /** Stream: every job's id in the order of arrival. */
  index(shard: number): string
  /** Sorted set by the time of ids: jobs without an end, or those of one end, with what filters ask for; see `list_entry` in `jobs/lua/list-entries.lua`. */
  list(shard: number, state: ListedState): string
  /** Sorted set: the kinds of entries that the lists have had, by the newest of each; see `kind_of` in `jobs/lua/kinds.lua`. */
  kinds(shard: number): string
  /** Sorted set: the jobs of each pair of metadata that is indexed, by the hash of the pair and their ids; see `pairs.lua`. */
  pairs(shard: number): string
  /** String: when the shard's jobs are next held against its lists. */
  listed(shard: number): string
  /** Hash: how many jobs live of those made in the same 33 s, by the first characters of their ids' time. */
  live(shard: number): string
  /**
   * Sorted set by name, `<Unix ms>:<id>`: jobs, or batches and their notices, whose webhook was given up; all, or those of a tenant.
   */
  deadLetters(shard: number, kind: LetterKind, tenant?: string): string
  /** Sorted set: batches and notices whose webhook is owed, by the time in ms when they were last looked at. */
  owed(shard: number): string
  /** Hash: what the jobs used that ended in an hour, in whole hours since 1970. */
  usage(shard: number, hour: number): string
  idempotency(shard: number, hash: string): string
  /** String: where the reconciler stands in the shard's index. */
  reconciler(shard: number): string
  /** Hash: a file. */
  file(fileId: string): string
  /** List: where a file's bytes are, in order; also of a file that still grows and has no record yet. */
  segments(fileId: string): string
  /** Sorted set: files and uploads to be removed, by time in ms. */
  purge(shard: number): string
  /** Sorted set by name: a tenant's files. */
  files(tenant: string): string
  /** Hash: what each of a tenant's files takes, by the core of its id. */
  held(tenant: string): string
  /** Hash: the sums of those. */
  heldSums(tenant: string): string
  /** Set: a tenant's open batches. */
  openOf(tenant: string): string
  /** Hash: a batch. */
  batch(batchId: string): string
  /** Hash: a notice that a batch's webhook is owed, and how its delivery fares. */
  notice(noticeId: string): string
  /** List: lines whose end is known and that no output file has yet. */
  finishedLines(batchId: string): string
  /** Sorted set: batches that are not at their end, by the time in ms up to which a feeder holds them. */
  openBatches(shard: number): string
  /** String: the batch made of a request, for a client that sends it again. */
  batchRequest(shard: number, fingerprint: string): string
  /** Sorted set by name: a tenant's batches of one kind of client. */
  batches(dialect: Dialect, tenant: string): string
  /** Set: tenants that have made a batch. */
  readonly batchTenants: string
  /** String: who is signed in on the operators' page, by the hash of what the browser shows. */
  session(hash: string): string
  /** Set: the names of all providers that a config had here. */
  readonly providers: string
  /** Channel: ids of running jobs whose call is to be dropped. */
  readonly abortChannel: string
  /** Channel: ids of jobs that have ended, with spaces between; not of batches' jobs. */
  readonly endsChannel: string
  /** Channel: ids of new batches. */
  readonly batchesChannel: string
  /** Channel: processes that have read their config anew, for the others to do the same. */
  readonly reloadChannel: string
  /** String: when that was said last, in Unix ms, for those that did not hear it. */
  readonly reloadedAt: string
  /** Channel: receivers of webhooks that take nothing for a while. */
  readonly receiversChannel: string
  /** Hash: an upload in parts. */
  upload(uploadId: string): string
  /** Hash: the bytes of each part of an upload, by part id. */
  parts(uploadId: string): string
}

export const createKeys = (prefix: string): Keys => ({
  prefix,
  record: id => `${prefix}:{${shardOf(id)}}:j:${id}`,
  payload: id => `${prefix}:{${shardOf(id)}}:p:${id}`,
  answer: (id, run) => `${prefix}:{${shardOf(id)}}:a:${id}:${run}`,
  log: (id, run) => `${prefix}:{${shardOf(id)}}:l:${id}:${run}`,
  streamChannel: process => `${prefix}:stream:${process}`,
  schedule: shard => `${prefix}:{${shard}}:schedule`,
  ready: queue => `${prefix}:{${queue}}:ready`,
  index: shard => `${prefix}:{${shard}}:index`,
  list: (shard, state) => `${prefix}:{${shard}}:list:${state}`,
  listed: shard => `${prefix}:{${shard}}:listed`,
  kinds: shard => `${prefix}:{${shard}}:kinds`,
  pairs: shard => `${prefix}:{${shard}}:pairs`,
  live: shard => `${prefix}:{${shard}}:live`,
  deadLetters: (shard, kind, tenant) =>
    `${prefix}:{${shard}}:dead:${kind}${tenant === undefined ? '' : `:${tenant}`}`,
  owed: shard => `${prefix}:{${shard}}:owed`,
  usage: (shard, hour) => `${prefix}:{${shard}}:usage:${hour}`,
  idempotency: (shard, hash) => `${prefix}:{${shard}}:i:${hash}`,
  reconciler: shard => `${prefix}:{${shard}}:reconciler`,
  file: id => `${prefix}:{${shardOf(id)}}:f:${id}`,
  segments: id => `${prefix}:{${shardOf(id)}}:fs:${id}`,
  purge: shard => `${prefix}:{${shard}}:purge`,
  files: tenant => `${prefix}:{files}:${tenant}`,
  held: tenant => `${prefix}:{files}:held:${tenant}`,
  heldSums: tenant => `${prefix}:{files}:sums:${tenant}`,
  openOf: tenant => `${prefix}:{batches}:open:${tenant}`,
  batch: id => `${prefix}:{${shardOf(id)}}:b:${ulidOf(id)}`,
  notice: id => `${prefix}:{${shardOf(id)}}:bn:${id.slice(id.search(/[_-]/) + 1)}`,
  finishedLines: id => `${prefix}:{${shardOf(id)}}:bd:${ulidOf(id)}`,
  openBatches: shard => `${prefix}:{${shard}}:batches`,
  batchRequest: (shard, fingerprint) => `${prefix}:{${shard}}:bi:${fingerprint}`,
  batches: (dialect, tenant) => `${prefix}:{batches}:${dialect}:${tenant}`,
  batchTenants: `${prefix}:{batches}:tenants`,
  session: hash => `${prefix}:{ui}:session:${hash}`,
  providers: `${prefix}:providers`,
  abortChannel: `${prefix}:abort`,
  endsChannel: `${prefix}:ends`,
  batchesChannel: `${prefix}:batches`,
  reloadChannel: `${prefix}:reload`,
  reloadedAt: `${prefix}:reloaded-at`,
  receiversChannel: `${prefix}:receivers`,
  upload: id => `${prefix}:{${shardOf(id)}}:u:${id}`,
  parts: id => `${prefix}:{${shardOf(id)}}:up:${id}`,
})
