import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMirrorStore, type MirrorStore } from '../../src/mirror/mirror-store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createKeys, newMirrorId } from '../../src/redis/keys.ts'
import { testRedis } from '../support/redis.ts'

let redis: Redis
let store: MirrorStore
const clock = { nowMs: Date.now() }
const { url, prefix } = testRedis()

beforeAll(() => {
  redis = createPatientRedis(url, pino({ level: 'silent' }))
  store = createMirrorStore(redis, createKeys(prefix), () => clock.nowMs)
})
afterAll(() => redis.disconnect())

const mirrorOf = (route: string) => ({ route, to: { provider: 'second', model: 'm' } })
const newId = () => newMirrorId(3, clock.nowMs)
const soon = () => clock.nowMs + 1_000

describe('the mirror store', () => {
  it('counts a sample once, however often it is told', async () => {
    const mirror = mirrorOf('once')
    const id = newId()
    expect(await store.reserve(mirror, id, soon(), 10)).toBe(true)
    expect(await store.reserve(mirror, id, soon(), 10)).toBe(true)
    await store.tally(mirror, id, { compared: 1, exact: 1 })
    await store.tally(mirror, id, { compared: 1, exact: 1 })
    const { stats, waiting } = await store.read(mirror)
    expect(stats).toMatchObject({ sampled: '1', compared: '1', exact: '1' })
    expect(waiting).toBe(0)
  })

  it('has room again when samples have ended, or were given up', async () => {
    const mirror = mirrorOf('room')
    const [one, two] = [newId(), newId()]
    expect(await store.reserve(mirror, one, soon(), 2)).toBe(true)
    expect(await store.reserve(mirror, two, soon(), 2)).toBe(true)
    expect(await store.reserve(mirror, newId(), soon(), 2)).toBe(false)
    await store.tally(mirror, one, { failed: 1 })
    expect(await store.reserve(mirror, newId(), soon() + 5_000, 2)).toBe(true)

    clock.nowMs += 2_000
    expect(await store.read(mirror)).toMatchObject({ waiting: 1, lost: 1 })
    expect(await store.reserve(mirror, newId(), soon(), 2)).toBe(true)
    const { stats, ...rest } = await store.read(mirror)
    expect(stats).toMatchObject({ sampled: '4', dropped: '1', failed: '1', lost: '1' })
    expect(rest).toEqual({ waiting: 2, lost: 0 })
    // What was given up is not counted after all.
    await store.tally(mirror, two, { compared: 1 })
    expect((await store.read(mirror)).stats.compared).toBeUndefined()
  })

  it('keeps routes and targets apart', async () => {
    const mirror = mirrorOf('apart')
    await store.reserve(mirror, newId(), soon(), 10)
    const others = [mirrorOf('other'), { route: 'apart', to: { provider: 'second', model: 'other' } }]
    for (const other of others) expect((await store.read(other)).stats).toEqual({})
  })

  it('keeps the pair of a sample once, for seven days, and the last of them', async () => {
    const mirror = mirrorOf('pairs')
    const side = {
      provider: 'p',
      model: 'm',
      statusCode: 200,
      text: '{}',
      cut: false,
      latencyMs: 1,
      costUsd: null,
    }
    const keep = async (jobId: string, places: number, times = 1): Promise<void> => {
      const id = newId()
      await store.reserve(mirror, id, soon(), 10)
      const about = { atMs: clock.nowMs, jobId, tenant: 't', endpoint: '/v1/messages' as const }
      const kept = { pair: { ...about, original: side, mirror: side }, places }
      for (let i = 0; i < times; i += 1) await store.tally(mirror, id, { compared: 1 }, kept)
    }
    const shown = async (places: number) => (await store.pairs(mirror, places)).map(({ jobId }) => jobId)
    const days = (count: number): void => {
      clock.nowMs += count * 86_400_000
    }

    await keep('one', 2, 2)
    expect(await shown(100)).toEqual(['one'])
    days(1)
    await keep('two', 2)
    days(1)
    await keep('three', 2)
    expect(await shown(100)).toEqual(['three', 'two'])
    expect(await shown(1)).toEqual(['three'])
    days(6)
    expect(await shown(100)).toEqual(['three'])
    // The text of a pair that is shown no more is gone with the next one, and all of it seven days after the last.
    await keep('four', 100)
    const [key] = await redis.keys(`${prefix}:{mirror}:pairs:*`)
    expect(await redis.zcard(key!)).toBe(2)
    const leftMs = await redis.pttl(key!)
    expect([leftMs > 6.9 * 86_400_000, leftMs <= 7 * 86_400_000]).toEqual([true, true])
  })
})
