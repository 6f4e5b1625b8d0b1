import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type JobFilter, scoreOf } from '../../src/jobs/job-filter.ts'
import { createJobLists, type JobLists } from '../../src/jobs/job-lists.ts'
import { createRelist } from '../../src/jobs/relist.ts'
import { newJobId, shards, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { answer, failure, openStore, type StoreFixture } from './store-fixture.ts'

let fixture: StoreFixture
let lists: JobLists

beforeEach(() => {
  fixture = openStore()
  lists = createJobLists(createScriptRunner(fixture.redis), fixture.keys)
})
afterEach(() => fixture.close())

const everything: JobFilter = {
  ...{ tenant: null, statuses: [], metadata: {} },
  ...{ createdFromMs: 0, createdToMs: Number.MAX_SAFE_INTEGER },
}

const walked = async (filter: Partial<JobFilter>, limit: number, from = ''): Promise<string[]> => {
  const ids: string[] = []
  for (let cursor: string | null = from; cursor !== null; ) {
    const step = await lists.walk({ ...everything, ...filter }, cursor || null).next(limit)
    ids.push(...step.ids)
    cursor = step.cursor
  }
  return ids
}

/** One millisecond after the other, so that their order is known. */
const createdIn = async (where: readonly number[]): Promise<string[]> => {
  const ids: string[] = []
  for (const shard of where) {
    fixture.clock.nowMs += 1
    ids.push(await fixture.created({ id: newJobId(shard, fixture.clock.nowMs) }))
  }
  return ids
}

const stood = async (id: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const state of ['open', 'succeeded', 'failed', 'cancelled', 'expired'] as const) {
    for (const shard of shards)
      for (const entry of await fixture.redis.zrange(fixture.keys.list(shard, state), '0', '-1'))
        if (entry.startsWith(ulidOf(id))) found[state] = entry.slice(27)
  }
  return found
}

describe('the lists of jobs', () => {
  it('are gone through over all shards, newest first, each job once, whatever the page size', async () => {
    const ids = await createdIn([3, 15, 0, 0, 7, 3, 15, 1, 2, 3])
    for (const id of [ids[1]!, ids[4]!, ids[9]!]) await fixture.store.cancel(id)
    for (const limit of [1, 3, 4, 100]) expect(await walked({}, limit)).toEqual(ids.toReversed())
    expect(await walked({ statuses: ['cancelled'] }, 2)).toEqual([ids[9], ids[4], ids[1]])
    expect(await walked({ statuses: ['queued', 'failed'] }, 100)).toHaveLength(7)
  })

  it('have a job among those of its state, with its tenant, route, who answered and the code of its error', async () => {
    const { store } = fixture
    const good = await fixture.running({ tenant: 'acme', model: 'a model' })
    expect(await stood(good.id)).toEqual({ open: 'acme\na model\n' })
    await store.finalise(good, { ...answer('x'), cachedFrom: { provider: 'second', model: 'm/1' } })
    expect(await stood(good.id)).toEqual({ succeeded: 'acme\na model\nsecond/m/1\n\n' })
    const bad = await fixture.running()
    await store.finalise(bad, failure)
    expect(await stood(bad.id)).toEqual({ failed: '\ngpt-4\nfirst/gpt/4\nattempts_exhausted\n' })
    const late = await fixture.created({ tenant: 'acme' })
    await store.expire(late, 0)
    expect(await stood(late)).toEqual({ expired: 'acme\ngpt-4\nfirst/gpt/4\nexpired\n' })
  })

  it('lose a job that its client removes', async () => {
    const claim = await fixture.running({ background: true })
    await fixture.store.finalise(claim, answer('x'))
    expect(await fixture.store.remove(claim.id)).toBe(true)
    expect(await stood(claim.id)).toEqual({})
  })

  it('are read in bounded steps, and a step may find nothing although more follow', async () => {
    const { redis, keys, clock } = fixture
    const wanted = await fixture.created({ model: 'rare' })
    const entries = Array.from({ length: 5_000 }, (_, i) => [ulidOf(newJobId(5, clock.nowMs + 1 + i))]).flat()
    const scored = entries.flatMap(id => [scoreOf(id), `${id}\n\ncommon\n`])
    await redis.zadd(keys.list(5, 'open'), ...scored)
    const walk = lists.walk({ ...everything, route: 'rare' }, null)
    const cursors: (string | null)[] = []
    for (let before = 0; ; before = walk.scanned) {
      const step = await walk.next(5)
      expect(walk.scanned - before).toBeLessThanOrEqual(2_001)
      cursors.push(step.cursor)
      if (step.cursor === null) expect(step.ids).toEqual([wanted])
      if (step.cursor === null) break
      expect(step.ids).toEqual([])
    }
    expect(cursors.length).toBeGreaterThan(2)
    // Another walk goes on from there.
    expect(await walked({ route: 'rare' }, 5, cursors[1]!)).toEqual([wanted])
  })

  it('take names for what they are, and not for patterns', async () => {
    const id = await fixture.created({ model: 'a.b-[c]*%', tenant: 'x+y' })
    const other = await fixture.created({ model: 'aXb-[c]*%', tenant: 'x+y' })
    expect(await walked({ route: 'a.b-[c]*%', tenant: 'x+y' }, 5)).toEqual([id])
    expect(await walked({ route: 'aXb-[c]*%' }, 5)).toEqual([other])
    expect(await walked({ tenant: 'x' }, 5)).toEqual([])
  })

  it('get the jobs that an earlier version made or ended', async () => {
    const { redis, keys, store } = fixture
    const now = () => fixture.clock.nowMs
    const relist = createRelist({ redis, run: createScriptRunner(redis), keys, now })
    const claim = await fixture.running()
    const waiting = await fixture.created({ tenant: 'acme' })
    const failed = await fixture.running({ tenant: 'acme' })
    const before = [await stood(claim.id), await stood(waiting)]
    await store.finalise(failed, failure)
    const ended = await stood(failed.id)
    for (const shard of shards) await redis.del(keys.list(shard, 'open'), keys.list(shard, 'failed'))
    await relist.next()
    expect([await stood(claim.id), await stood(waiting)]).toEqual(before)
    expect(await stood(failed.id)).toEqual(ended)

    // A process of that version ends a job after it.
    const [shard] = [5]
    await store.finalise(claim, answer('x'))
    const entry = (await redis.zrange(keys.list(shard, 'succeeded'), '0', '-1'))[0]!
    await redis.zrem(keys.list(shard, 'succeeded'), entry)
    await redis.zadd(
      keys.list(shard, 'open'),
      scoreOf(ulidOf(claim.id)),
      `${ulidOf(claim.id)}\n${before[0]!.open}`,
    )
    await relist.next()
    expect(await stood(claim.id)).toEqual(before[0])
    fixture.clock.nowMs += 600_001
    await relist.next()
    expect(await stood(claim.id)).toEqual({ succeeded: entry.slice(27) })
    // It rests for an hour then, in whichever process.
    await redis.zrem(keys.list(shard, 'succeeded'), entry)
    fixture.clock.nowMs += 3_500_000
    await createRelist({ redis, run: createScriptRunner(redis), keys, now }).next()
    expect(await stood(claim.id)).toEqual({})
    fixture.clock.nowMs += 200_000
    await createRelist({ redis, run: createScriptRunner(redis), keys, now }).next()
    expect(await stood(claim.id)).toEqual({ succeeded: entry.slice(27) })
  })
})
