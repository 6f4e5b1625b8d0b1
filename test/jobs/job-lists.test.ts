import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobFilter } from '../../src/jobs/job-filter.ts'
import { createJobLists, type JobLists } from '../../src/jobs/job-lists.ts'
import { createMetadataIndex, scoreOf } from '../../src/jobs/list-entry.ts'
import { createRelist } from '../../src/jobs/relist.ts'
import { jobScripts } from '../../src/jobs/scripts.ts'
import { newJobId, shards, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner, type RunScript } from '../../src/redis/scripts.ts'
import { answer, failure, leaseMs, openStore, type StoreFixture } from './store-fixture.ts'

let fixture: StoreFixture
let lists: JobLists

beforeEach(() => {
  fixture = openStore()
  lists = listsBy([])
})
afterEach(() => fixture.close())

const listsBy = (indexed: readonly string[]): JobLists =>
  createJobLists({
    ...{ run: createScriptRunner(fixture.redis), keys: fixture.keys, leaseMs },
    ...{ index: createMetadataIndex(indexed), now: () => fixture.clock.nowMs },
  })

/** As a process does that indexes such metadata. */
const relistBy = (indexed: readonly string[]) => {
  const { redis, keys, clock } = fixture
  const index = createMetadataIndex(indexed)
  return createRelist({ redis, run: createScriptRunner(redis), keys, index, now: () => clock.nowMs })
}

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
    expect(await stood(good.id)).toEqual({ open: 'acme\na model\nfirst/gpt/4\n\n' })
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
    const scored = entries.flatMap(id => [scoreOf(id), `${id}\n\ncommon\nfirst/gpt/4\n\n`])
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

  it('have a job that ends between the look at what there is and the look at the lists', async () => {
    const id = await fixture.created({ tenant: 'rare' })
    await relistBy([]).next()
    const run = createScriptRunner(fixture.redis)
    const packed: RunScript['packed'] = async (script, key, message) => {
      if (script === jobScripts.list) await fixture.store.cancel(id)
      return run.packed(script, key, message)
    }
    lists = createJobLists({
      ...{ run: Object.assign(run.bind(null), { packed }), keys: fixture.keys, leaseMs },
      ...{ index: createMetadataIndex([]), now: () => fixture.clock.nowMs },
    })
    expect(await walked({ tenant: 'rare' }, 5)).toEqual([id])
  })

  it('pass by what never had such jobs, and begin at the newest of those that there are', async () => {
    const { clock, store } = fixture
    const rare = await fixture.created({ tenant: 'rare' })
    const moved = await fixture.running()
    clock.nowMs += 1_000
    for (let i = 0; i < 60; i++) await fixture.created({ id: newJobId(5, clock.nowMs + i) })
    const scannedFor = async (filter: Partial<JobFilter>, found: readonly string[]): Promise<number> => {
      const walk = lists.walk({ ...everything, ...filter }, null)
      const ids: string[] = []
      for (let step = await walk.next(5); ; step = await walk.next(5)) {
        ids.push(...step.ids)
        if (step.cursor === null) break
      }
      expect(ids).toEqual(found)
      return walk.scanned
    }
    // Jobs of another version may be of kinds that nobody has noted.
    const none = { provider: 'second' }
    expect(await scannedFor(none, [])).toBeGreaterThanOrEqual(62)
    await relistBy([]).next()
    expect(await scannedFor(none, [])).toBe(0)
    expect(await scannedFor({ route: 'none' }, [])).toBe(0)
    expect(await scannedFor({ tenant: 'none' }, [])).toBe(0)
    expect(await scannedFor({ statuses: ['parked', 'failed'] }, [])).toBe(0)
    expect(await scannedFor({ tenant: 'rare' }, [rare])).toBeLessThan(5)
    expect(await lists.count({ ...everything, tenant: 'rare' }, () => true)).toEqual({
      count: 1,
      exact: true,
    })
    const to = { hop: 1, generation: 0, target: { provider: 'second', model: 'm' } }
    await store.advance(moved, { ...to, attemptsSpent: 0, attempts: [] }, clock.nowMs)
    expect(await scannedFor(none, [moved.id])).toBeLessThan(5)
    await store.finalise(await fixture.claimed(moved.id), failure)
    expect(await scannedFor({ ...none, statuses: ['failed'] }, [moved.id])).toBe(1)
  })

  it('find what is of a kind that was forgotten for the number of others', async () => {
    const { redis, keys, clock } = fixture
    await relistBy([]).next()
    const later = scoreOf(ulidOf(newJobId(5, clock.nowMs + 1_000)))
    const kinds = Array.from({ length: 2_000 }, (_, i) => [later + i, `open\nt${i}\nr\np/m\n\n`])
    await redis.zadd(keys.kinds(5), ...kinds.flat())
    const forgotten = await fixture.created({ tenant: 'rare' })
    expect(await redis.zcard(keys.kinds(5))).toBe(2_000)
    expect(await redis.zscore(keys.kinds(5), 'open\nrare\ngpt-4\nfirst/gpt/4\n\n')).toBeNull()
    expect(await walked({ tenant: 'rare' }, 5)).toEqual([forgotten])
    expect(await walked({ route: 'gpt*', tenant: 'rare' }, 5)).toEqual([forgotten])
  })

  it('take names for what they are, and not for patterns', async () => {
    const id = await fixture.created({ model: 'a.b-[c]+%', tenant: 'x+y' })
    const other = await fixture.created({ model: 'aXb-[c]+%', tenant: 'x+y' })
    expect(await walked({ route: 'a.b-[c]+%', tenant: 'x+y' }, 5)).toEqual([id])
    expect(await walked({ route: 'aXb-[c]+%' }, 5)).toEqual([other])
    expect(await walked({ tenant: 'x' }, 5)).toEqual([])
  })

  it('get the jobs that an earlier version made or ended', async () => {
    const { redis, keys, store } = fixture
    const relist = relistBy([])
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
    await relistBy([]).next()
    expect(await stood(claim.id)).toEqual({})
    fixture.clock.nowMs += 200_000
    await relistBy([]).next()
    expect(await stood(claim.id)).toEqual({ succeeded: entry.slice(27) })
  })

  it('follow a live job to its next target, into a park and out of it', async () => {
    const { store, clock } = fixture
    const claim = await fixture.running()
    const next = { provider: 'second', model: 'm' }
    const note = { kind: 'skipped', at: 1, hop: 0, ...next, reason: 'open' } as const
    const stay = { attemptsSpent: 0, attempts: [] }
    await store.advance(claim, { hop: 1, generation: 0, target: next, ...stay }, clock.nowMs)
    expect(await stood(claim.id)).toEqual({ open: '\ngpt-4\nsecond/m\n\n' })
    const again = await fixture.claimed(claim.id)
    await store.park(again, { hop: 1, generation: 1, target: next, ...stay }, clock.nowMs + 60_000)
    expect(await stood(claim.id)).toEqual({ open: '\ngpt-4\nsecond/m\nparked\n' })
    expect(await walked({ statuses: ['parked'], provider: 'second' }, 5)).toEqual([claim.id])
    expect(await walked({ statuses: ['parked'], provider: 'first' }, 5)).toEqual([])
    await fixture.claimed(claim.id)
    expect(await stood(claim.id)).toEqual({ open: '\ngpt-4\nsecond/m\n\n' })
    const parked = await fixture.running()
    await store.park(parked, { hop: 0, generation: 1, target: next, ...stay }, clock.nowMs + 60_000)
    const record = { id: parked.id, hop: 0, generation: 1 }
    await store.passOn(record, { provider: 'third', model: 'm' }, note)
    expect(await stood(parked.id)).toEqual({ open: '\ngpt-4\nthird/m\n\n' })
    const kept = await fixture.running()
    await store.park(kept, { hop: 0, generation: 1, target: next, ...stay }, clock.nowMs + 60_000)
    await store.cancel(kept.id)
    expect(await stood(kept.id)).toEqual({ cancelled: '\ngpt-4\nsecond/m\ncancelled\n' })
  })

  it('find what runs by its lease, and what else is asked for by its entry', async () => {
    const { store, clock, redis, keys } = fixture
    const ids = await createdIn([1, 2, 2, 3, 3, 3, 9])
    const claims = [await fixture.claimed(ids[1]!), await fixture.claimed(ids[4]!)]
    const to = { hop: 0, generation: 1, target: claims[0]!.target, attemptsSpent: 0, attempts: [] }
    const parked = await fixture.claimed(ids[0]!)
    await store.park(parked, to, clock.nowMs + 60_000)
    // A line of a batch has a lease, and is in no list.
    const line = await fixture.running()
    await redis.hset(keys.record(line.id), 'custom_id', 'a')
    for (const limit of [1, 5]) {
      expect(await walked({ statuses: ['running'] }, limit)).toEqual([ids[4], ids[1]])
      expect(await walked({ statuses: ['running', 'parked'] }, limit)).toEqual([ids[4], ids[1], ids[0]])
      expect(await walked({ statuses: ['queued'] }, limit)).toEqual([ids[6], ids[5], ids[3], ids[2]])
    }
    expect(await walked({ statuses: ['running'], tenant: 'other' }, 5)).toEqual([])
    expect(await walked({ statuses: ['running'], provider: 'first', route: 'gpt-4' }, 5)).toHaveLength(2)
    expect(await walked({ statuses: ['running'], createdFromMs: clock.nowMs - 3 }, 5)).toEqual([ids[4]])
    const running = { ...everything, statuses: ['running' as const] }
    expect(await lists.count(running, () => true)).toEqual({ count: 2, exact: true })
    await store.finalise(claims[1]!, answer('x'))
    expect(await walked({ statuses: ['running', 'succeeded'] }, 5)).toEqual([ids[4], ids[1]])
  })

  it('read more leases of one time than a script takes', async () => {
    const { redis, keys, clock } = fixture
    const claim = await fixture.running()
    const dueAtMs = clock.nowMs + 1_000
    const timers = Array.from({ length: 1_200 }, (_, i) => [dueAtMs, `${newJobId(5, i)}.x`])
    await redis.zadd(keys.schedule(5), ...timers.flat())
    expect(await walked({ statuses: ['running'] }, 5)).toEqual([claim.id])
  })

  describe('with metadata that is indexed', () => {
    /** Records that are read for a filter would have to be there. */
    const withoutRecords = async (ids: readonly string[], look: () => Promise<unknown>): Promise<void> => {
      const { redis, keys } = fixture
      for (const id of ids) await redis.rename(keys.record(id), `${keys.record(id)}-away`)
      await look()
      for (const id of ids) await redis.rename(`${keys.record(id)}-away`, keys.record(id))
    }
    const long = 'é"\n\\'.repeat(100)
    const texts = ['c1', '', 'a "b", \\"customer":"c1"', 'two\nlines', long, `${long}x`]

    beforeEach(() => {
      fixture.close()
      fixture = openStore(undefined, ['customer', 'team'])
    })

    it('find a pair without a look at records, whatever is in it', async () => {
      const ids: string[] = []
      for (const customer of texts) {
        fixture.clock.nowMs += 1
        ids.push(await fixture.created({ metadata: { note: '"customer":"c1"', customer } }))
      }
      const bare = await fixture.created()
      lists = listsBy(['team', 'customer'])
      await withoutRecords([...ids, bare], async () => {
        for (const [i, customer] of texts.entries())
          expect(await walked({ metadata: { customer } }, 5)).toEqual([ids[i]])
        expect(await walked({ metadata: { customer: 'none' } }, 5)).toEqual([])
        expect(await walked({ metadata: { team: 'c1' } }, 5)).toEqual([])
      })
      const claim = await fixture.claimed(ids[4]!)
      await fixture.store.finalise(claim, failure)
      await withoutRecords(ids, async () =>
        expect(await walked({ statuses: ['failed'], metadata: { customer: long } }, 5)).toEqual([ids[4]]),
      )
      // The records have what is not indexed.
      expect(await walked({ metadata: { customer: 'c1', note: '"customer":"c1"' } }, 5)).toEqual([ids[0]])
    })

    it('find jobs of before by their records, until their entries are made anew', async () => {
      fixture.close()
      fixture = openStore()
      const ids: string[] = []
      for (const customer of texts) {
        fixture.clock.nowMs += 1
        ids.push(await fixture.created({ metadata: { x: ',"customer":', customer, team: 't' } }))
      }
      const [done, parked] = [await fixture.claimed(ids[0]!), await fixture.claimed(ids[1]!)]
      await fixture.store.finalise(done, answer('x'))
      const stay = { hop: 0, generation: 1, target: parked.target, attemptsSpent: 0, attempts: [] }
      await fixture.store.park(parked, stay, fixture.clock.nowMs + 60_000)
      await relistBy([]).next()
      lists = listsBy(['customer', 'team'])
      const found = async () => {
        const all: unknown[] = []
        for (const customer of texts) all.push(...(await walked({ metadata: { customer, team: 't' } }, 5)))
        return all
      }
      expect(await found()).toEqual(ids)

      // At once, although the lists were seen to a moment ago by a process that indexes nothing.
      await relistBy(['customer', 'team']).next()
      expect(await found()).toEqual(ids)
      const { linesOf } = createMetadataIndex(['customer', 'team'])
      const linesOfFirst = linesOf({ customer: texts[0]!, team: 't' })
      expect(await stood(ids[0]!)).toEqual({ succeeded: `\ngpt-4\nfirst/gpt/4\n\n${linesOfFirst}` })
      // What ends now leaves the list as it stands there now.
      await fixture.store.cancel(ids[1]!)
      const linesOfSecond = linesOf({ customer: texts[1]!, team: 't' })
      expect(await stood(ids[1]!)).toEqual({
        cancelled: `\ngpt-4\nfirst/gpt/4\ncancelled\n${linesOfSecond}`,
      })
      // And back, where nothing is indexed any more.
      await relistBy([]).next()
      await fixture.store.cancel(ids[2]!)
      expect(await stood(ids[2]!)).toEqual({ cancelled: '\ngpt-4\nfirst/gpt/4\ncancelled\n' })
    })
  })
})
