import { randomFillSync } from 'node:crypto'
import { encodeTime } from 'ulid'

/**
 * Records live in a fixed number of shards. A shard's keys share a hash tag, so that a script may touch a record
 * and its shard's agenda together on a Redis Cluster, and a sweeper knows where to look. Changing the number
 * would lose every record written before.
 */
export const shardCount = 16

const base32 = '0123456789abcdefghjkmnpqrstvwxyz'
const ulidLength = 26

/** A job id carries its shard in the last character of its ULID. */
export const shardOf = (jobId: string): number => base32.indexOf(jobId[4 + ulidLength - 1]!) % shardCount

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

/** A new job id, ordered by time, in the given shard. */
export const newJobId = (shard: number, nowMs: number): string =>
  `job_${encodeTime(nowMs, 10).toLowerCase()}${randomChars(15)}${base32[shard]}`

export const isJobId = (value: string): boolean => /^job_[0-9a-hjkmnp-tv-z]{26}$/.test(value)

export interface Keys {
  readonly prefix: string
  /** Hash: everything about a job but a long request body. */
  record(jobId: string): string
  /** String: a long request body. Apart from the record, so that the record stays a compact listpack. */
  payload(jobId: string): string
  /** Sorted set: doorbells owed and timers, by the time in ms at which they are due. */
  agenda(shard: number): string
  /** Stream: every job's id in the order of arrival. */
  index(shard: number): string
  /** Sorted set: jobs whose webhook was given up, by time in ms. */
  deadLetters(shard: number): string
  idempotency(shard: number, hash: string): string
  /** String: where the patrol stands in the shard's index. */
  patrol(shard: number): string
  /** Channel: ids of running jobs whose call is to be dropped. */
  readonly abortChannel: string
}

export const createKeys = (prefix: string): Keys => ({
  prefix,
  record: id => `${prefix}:{${shardOf(id)}}:j:${id}`,
  payload: id => `${prefix}:{${shardOf(id)}}:p:${id}`,
  agenda: shard => `${prefix}:{${shard}}:agenda`,
  index: shard => `${prefix}:{${shard}}:index`,
  deadLetters: shard => `${prefix}:{${shard}}:dead`,
  idempotency: (shard, hash) => `${prefix}:{${shard}}:i:${hash}`,
  patrol: shard => `${prefix}:{${shard}}:patrol`,
  abortChannel: `${prefix}:abort`,
})
