import { describe, expect, it } from 'vitest'
import {
  createKeys,
  isFileId,
  isJobId,
  isPartId,
  isUploadId,
  newFileId,
  newJobId,
  newPartId,
  newUploadId,
  shardCount,
  shardOf,
  ulidOf,
} from '../../src/redis/keys.ts'

const shards = Array.from({ length: shardCount }, (_, shard) => shard)

describe('keys in Redis', () => {
  it('a job id carries its shard and its time', () => {
    for (const shard of shards) {
      const id = newJobId(shard, 1_765_000_000_000)
      expect(isJobId(id)).toBe(true)
      expect(shardOf(id)).toBe(shard)
      // As the schedule and BullMQ name its doorbells.
      expect(shardOf(`${id}.3.1`)).toBe(shard)
      expect(id < newJobId(shard, 1_765_000_000_001)).toBe(true)
    }
  })

  it.each([
    ['file', newFileId, isFileId],
    ['upload', newUploadId, isUploadId],
    ['part', newPartId, isPartId],
  ])('so does the id of a %s', (_, newId, isId) => {
    for (const shard of shards) {
      const id = newId(shard, 1_765_000_000_000)
      expect([isId(id), isJobId(id), shardOf(id)]).toEqual([true, false, shard])
      expect(shardOf(`${id}.w.0`)).toBe(shard)
      expect(ulidOf(id)).toMatch(/^[0-9a-z]{26}$/)
      expect(id.endsWith(ulidOf(id))).toBe(true)
      expect(id < newId(shard, 1_765_000_000_001)).toBe(true)
    }
  })

  it.each([
    '',
    'job_',
    'job_01K',
    `job_${'0'.repeat(25)}`,
    `job_${'u'.repeat(26)}`,
    `job_${'0'.repeat(26)}:x`,
    `x${'0'.repeat(29)}`,
  ])('%j is no job id', text => {
    expect(isJobId(text)).toBe(false)
  })

  it('all keys of a job share a Redis Cluster slot with those of its shard', () => {
    const keys = createKeys('p')
    const id = newJobId(11, 0)
    const tagged = [
      keys.record(id),
      keys.payload(id),
      keys.schedule(11),
      keys.index(11),
      keys.deadLetters(11, 'jobs'),
      keys.deadLetters(11, 'batches', 'acme'),
      keys.owed(11),
      keys.idempotency(11, 'h'),
    ]
    expect(tagged.map(key => /\{(.*?)\}/.exec(key)?.[1])).toEqual(tagged.map(() => '11'))
  })
})
