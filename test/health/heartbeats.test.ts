import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import {
  createWorkerHeartbeat,
  readAllWorkers,
  readWorkers,
  type WorkerHeartbeat,
} from '../../src/health/heartbeats.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const presence: WorkerHeartbeat = {
  provider: 'first',
  instance: 'i1',
  pid: 1,
  breaker: 'closed',
  callsInFlight: 0,
  concurrency: 5,
  seenAtMs: 100_000,
}

describe('heartbeats of workers', () => {
  it('shows live workers, and forgets those that stopped or fell silent', async () => {
    const log = pino({ level: 'silent' })
    const { url, prefix } = testRedis()
    const redis = createPatientRedis(url, log)
    const other: WorkerHeartbeat = { ...presence, instance: 'i2', seenAtMs: 105_000 }
    const beats = [presence, other].map(p => createWorkerHeartbeat(redis, prefix, log, () => p))
    for (const beat of beats) beat.start()
    const both = await until(async () => {
      const workers = await readWorkers(redis, prefix, 110_000)
      return workers.length === 2 ? workers : null
    })
    expect(both.toSorted((a, b) => a.seenAtMs - b.seenAtMs)).toEqual([presence, other])
    // The clock of who looks may be ahead of theirs.
    expect(await readAllWorkers(redis, prefix)).toHaveLength(2)
    expect(await readWorkers(redis, prefix, 110_001)).toEqual([other])
    for (const beat of beats) await beat.stop()
    expect(await readWorkers(redis, prefix, 110_001)).toEqual([])
    redis.disconnect()
  })

  it('forgets processes that were killed long ago, though nobody asks who is there', async () => {
    const log = pino({ level: 'silent' })
    const { url, prefix } = testRedis()
    const redis = createPatientRedis(url, log)
    const roll = `${prefix}:{health}:workers`
    const killed: WorkerHeartbeat = { ...presence, instance: 'killed', seenAtMs: 39_999 }
    const slow: WorkerHeartbeat = { ...presence, instance: 'slow', seenAtMs: 40_000 }
    for (const each of [killed, slow]) await redis.hset(roll, `first@${each.instance}`, JSON.stringify(each))
    const beat = createWorkerHeartbeat(redis, prefix, log, () => presence)
    beat.start()
    await until(async () => (await redis.hkeys(roll)).sort().join() === 'first@i1,first@slow')
    await beat.stop()
    redis.disconnect()
  })
})
