import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deadlineEntry, jobDoorbell, leaseEntry, webhookDoorbell } from '../../src/jobs/doorbell.ts'
import { createLiveWalk, type LiveWalk } from '../../src/jobs/live-walk.ts'
import type { NewJob } from '../../src/jobs/types.ts'
import { blockOf, newJobId } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { answer, openStore, type StoreFixture } from './store-fixture.ts'

let fixture: StoreFixture
let walk: LiveWalk
let aheadMs: number

beforeEach(async () => {
  fixture = openStore()
  aheadMs = fixture.clock.nowMs - Date.now()
  walk = newWalk()
  await walk.next(1) // an empty Redis: all jobs from here on are counted
  rest()
})
afterEach(() => fixture.close())

const newWalk = (): LiveWalk => {
  const { redis, keys, clock } = fixture
  return createLiveWalk({
    ...{ redis, run: createScriptRunner(redis), keys },
    ...{ now: () => clock.nowMs, aheadMs: () => aheadMs },
  })
}
const rest = (): void => {
  fixture.clock.nowMs += 30_001
}
/** Until jobs are old enough to be looked at. */
const age = (): void => {
  fixture.clock.nowMs += 60_000
}
const farDeadline = (): Partial<NewJob> => ({ expiresAtMs: fixture.clock.nowMs + 86_400_000 })

/** Live jobs whose doorbells somebody took off the schedule. */
const rung = async (shards: readonly number[], more: Partial<NewJob> = {}): Promise<string[]> => {
  const ids = shards.map(shard => newJobId(shard, fixture.clock.nowMs))
  await Promise.all(ids.map(id => fixture.created({ ...farDeadline(), ...more, id })))
  await fixture.schedule.remove(ids.map(id => jobDoorbell(id, 0, 0)))
  return ids
}
const endAll = async (ids: readonly string[]): Promise<void> => {
  await Promise.all(
    ids.map(async id => {
      const claim = await fixture.store.claim(id, 0, 0, 'w1')
      if (typeof claim === 'string') throw new Error(claim)
      await fixture.store.finalise(claim, answer('x'))
    }),
  )
}
const walked = async (calls: number, perShard: number, by = walk): Promise<string[]> => {
  const ids: string[] = []
  for (let i = 0; i < calls; i++) ids.push(...(await by.next(perShard)).map(({ id }) => id))
  return ids
}
const liveOf = (id: string): Promise<string | null> =>
  fixture.redis.hget(fixture.keys.live(Number(shardIn(id))), blockOf(id))
const shardIn = (id: string): string => String(Number.parseInt(id.slice(-1), 32))

describe('the walk over live jobs', () => {
  it('comes to each once, then rests, then begins anew', async () => {
    const ids = await rung([1, 1, 1, 1, 1, 6])
    age()
    expect((await walked(6, 2)).toSorted()).toEqual(ids.toSorted())
    expect(await walk.next(2)).toEqual([])
    rest()
    expect((await walked(6, 2)).toSorted()).toEqual(ids.toSorted())
  })

  it('comes to jobs of many blocks, and of blocks far from each other', async () => {
    const { redis, keys, clock } = fixture
    const ids: string[] = []
    const places: string[] = []
    for (const laterMs of [0, 20_000, 40_000, 100_000, 400_000, 3_600_000, 1_000]) {
      clock.nowMs += laterMs
      ids.push(...(await rung([1])))
      places.push(`${clock.nowMs - aheadMs}-0`)
    }
    await redis.del(keys.index(1)) // their entries were all made at the same time of Redis
    for (const [i, place] of places.entries()) await redis.xadd(keys.index(1), place, 'j', ids[i]!)
    age()
    expect(await walked(7, 1)).toEqual(ids)
  })

  it('passes by 10,000 that have ended, and comes to the one that has lost its doorbell', async () => {
    const ended = await rung(Array.from({ length: 5_000 }, () => 1))
    await endAll(ended)
    const [id] = await rung([1])
    await endAll(await rung(Array.from({ length: 5_000 }, () => 1)))
    age()
    expect(await walked(10, 200)).toEqual([id])
  })

  it('looks at no job of a block without live ones', async () => {
    const [other] = await rung([1])
    fixture.clock.nowMs += 40_000
    const [id] = await rung([1])
    await fixture.redis.hdel(fixture.keys.live(1), blockOf(other!)) // as if all of it had ended
    age()
    expect(await walked(3, 200)).toEqual([id])
  })

  it('leaves alone what the schedule will wake', async () => {
    await fixture.created(farDeadline())
    await fixture.running(farDeadline())
    const claim = await fixture.running({ ...farDeadline(), webhook: { url: 'https://hooks.example/x' } })
    await fixture.store.finalise(claim, answer('x'))
    age()
    expect(await walked(3, 200)).toEqual([])
  })

  it('comes to what nothing in the schedule will wake', async () => {
    const running = await fixture.running(farDeadline())
    const ended = await fixture.running({ ...farDeadline(), webhook: { url: 'https://hooks.example/x' } })
    await fixture.store.finalise(ended, answer('x'))
    const near = await fixture.created({ expiresAtMs: fixture.clock.nowMs + 600_000 })
    await fixture.schedule.remove([leaseEntry(running.id), webhookDoorbell(ended.id, 0), deadlineEntry(near)])
    age()
    expect((await walked(3, 200)).toSorted()).toEqual([running.id, ended.id, near].toSorted())
  })

  it('begins anew when another process has walked meanwhile', async () => {
    const ids = await rung([1, 1, 1])
    age()
    await walk.next(200)
    rest()
    walk.forget()
    expect((await walked(2, 200)).toSorted()).toEqual(ids.toSorted())
  })

  describe('an earlier version counted nothing', () => {
    /** As the walk of that version left it. */
    const upgrade = async (): Promise<void> => {
      await fixture.redis.del(fixture.keys.live(1))
      await fixture.redis.set(fixture.keys.reconciler(1), `(1-0 ${fixture.clock.nowMs}`)
    }

    it('its jobs are walked until none of them lives', async () => {
      const ids = await rung([1, 1])
      await upgrade()
      const mine = newWalk()
      age()
      expect((await walked(2, 200, mine)).toSorted()).toEqual(ids.toSorted())
      fixture.clock.nowMs += 700_000
      expect((await walked(2, 200, mine)).toSorted()).toEqual(ids.toSorted())
      await endAll(ids)
      rest()
      expect(await walked(2, 200, mine)).toEqual([])
      expect(await fixture.redis.get(fixture.keys.reconciler(1))).toMatch(/^0 /)
    })

    it('so do processes of that version that go on for some minutes', async () => {
      await rung([1])
      await upgrade()
      const mine = newWalk()
      await mine.next(200)
      const [late] = await rung([1])
      await fixture.redis.del(fixture.keys.live(1))
      rest()
      age()
      expect(await walked(2, 200, mine)).toContain(late)
    })
  })

  describe('counts and places that are wrong', () => {
    it('a job whose entry stands elsewhere is found by a search, once an hour', async () => {
      const ids = await rung([1])
      aheadMs -= 86_400_000 // the clock of Redis has stepped
      age()
      expect(await walked(3, 200)).toEqual(ids)
      rest()
      expect(await walked(3, 200)).toEqual([])
      fixture.clock.nowMs += 3_600_000
      expect(await walked(3, 200)).toEqual(ids)
    })

    it('a job that was counted and removed by hand is forgotten', async () => {
      const [id] = await rung([1])
      await fixture.redis.del(fixture.keys.record(id!))
      age()
      expect(await liveOf(id!)).toBe('1')
      await walked(3, 200)
      expect(await liveOf(id!)).toBeNull()
    })
  })
})
