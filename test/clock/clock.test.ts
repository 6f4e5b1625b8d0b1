import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type Clock, createClock, readTime } from '../../src/clock/clock.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { ownRedis, testRedis } from '../support/redis.ts'

const log = pino({ level: 'silent' })
const minuteMs = 60_000

let redis: Redis
let prefix: string
const open: Clock[] = []

beforeEach(() => {
  const at = testRedis()
  prefix = at.prefix
  redis = createPatientRedis(at.url, log)
})
afterEach(() => {
  for (const clock of open.splice(0)) clock.stop()
  redis.disconnect()
})

const openClock = async (): Promise<Clock> => {
  const clock = await createClock(redis, prefix, log)
  open.push(clock)
  clock.start()
  return clock
}
const redisNow = async (): Promise<number> => {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1_000 + Number(micros) / 1_000
}
/** What was told last, by a master whose clock was off by so much from that of its heir. */
const tellBefore = async (offMs: number): Promise<void> => {
  await redis.hset(`${prefix}:{clock}`, 'clock', (await redisNow()) + offMs, 'ahead', 0)
}
/** How far the clock is from that of Redis, which is read before and after it. */
const expectAhead = async (clock: Clock, aheadMs: number, withinMs = 500): Promise<void> => {
  const before = await redisNow()
  const nowMs = clock.now()
  const after = await redisNow()
  expect(nowMs).toBeGreaterThan(before + aheadMs - withinMs)
  expect(nowMs).toBeLessThan(after + aheadMs + withinMs)
}

describe('the shared clock', () => {
  it('shows the time of Redis', async () => {
    const clock = await openClock()
    await expectAhead(clock, 0, 50)
    expect(clock.aheadMs()).toBe(0)
    expect(Math.abs((await readTime(redis, prefix)) - clock.now())).toBeLessThan(500)
  })

  it('goes on from where it was when the heir of a master has a clock that is behind, in every process', async () => {
    await tellBefore(10 * minuteMs)
    const [one, other] = [await openClock(), await openClock()]
    for (const clock of [one, other]) {
      await expectAhead(clock, 10 * minuteMs)
      expect(clock.aheadMs()).toBeGreaterThan(9.9 * minuteMs)
    }
  })

  it('comes down to the clock of Redis slowly: three seconds a minute', async () => {
    await tellBefore(10 * minuteMs)
    await openClock()
    const key = `${prefix}:{clock}`
    // As if two minutes had passed since somebody asked.
    await redis.hset(key, 'clock', Number(await redis.hget(key, 'clock')) - 2 * minuteMs)
    await expectAhead(await openClock(), 10 * minuteMs - 6_000)
  })

  it('a process that ran through the fail-over knows what passed meanwhile', async () => {
    const key = `${prefix}:{clock}`
    const clock = await openClock()
    const mine = await readTime(redis, prefix)
    // Twenty seconds ago somebody was told the last time by the old master, whose clock was ten minutes ahead of this one.
    await redis.hset(key, 'clock', (await redisNow()) + 10 * minuteMs - 20_000, 'ahead', -10 * minuteMs)
    await until(async () => Number(await redis.hget(key, 'ahead')) > -minuteMs)
    await expectAhead(clock, 0, 2_000)
    expect(clock.now()).toBeGreaterThanOrEqual(mine)
  })

  it('follows a clock that was wrong by more than an hour and is put right', async () => {
    await tellBefore(61 * minuteMs)
    const clock = await openClock()
    await expectAhead(clock, 0)
  })

  it.each([
    ['is full', ['--maxmemory', '1kb'], 'OOM'],
    ['has too few replicas', ['--min-replicas-to-write', '1'], 'NOREPLICAS'],
  ])('is told by a Redis that takes no writes, as it %s', async (_, args, refusal) => {
    const server = await ownRedis(...args)
    const client = createPatientRedis(server.url, log)
    try {
      await expect(client.set('x', 'y')).rejects.toThrow(refusal)
      expect(Math.abs((await readTime(client, prefix)) - (await redisNow()))).toBeLessThan(5_000)
    } finally {
      client.disconnect()
      await server.stop()
    }
  })

  it('follows a step forward, and says that it has not been steady since', async () => {
    const clock = await openClock()
    const openedMs = clock.steadySinceMs()
    await redis.hset(`${prefix}:{clock}`, 'ahead', 10 * minuteMs)
    await until(() => clock.steadySinceMs() > openedMs)
    await expectAhead(clock, 10 * minuteMs)
    expect(clock.now() - clock.steadySinceMs()).toBeLessThan(5_000)
  })
})
