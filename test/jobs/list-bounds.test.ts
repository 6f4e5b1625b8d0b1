import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobFilter } from '../../src/jobs/job-filter.ts'
import { createJobLists, type JobLists } from '../../src/jobs/job-lists.ts'
import { createMetadataIndex, pairHash, pairLine, scoreOf, tenantHash } from '../../src/jobs/list-entry.ts'
import { createRelist } from '../../src/jobs/relist.ts'
import { jobScripts } from '../../src/jobs/scripts.ts'
import { type ListedState, newJobId, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner, type RunScript } from '../../src/redis/scripts.ts'
import { testRedis } from '../support/redis.ts'
import { answer, failure, leaseMs, openStore, type StoreFixture } from './store-fixture.ts'

const states: readonly ListedState[] = ['open', 'succeeded', 'failed', 'cancelled', 'expired']
const shard = 5
const index = createMetadataIndex(['team'])
const team = { metadata: { team: 't1' } }

let fixture: StoreFixture
let lists: JobLists
/** What each script of a page says that it has looked at. */
let looked: number[]

beforeEach(async () => {
  fixture = openStore(testRedis(), ['team'])
  looked = []
  const { redis, keys, clock } = fixture
  const run = createScriptRunner(redis)
  const packed: RunScript['packed'] = async (script, key, message) => {
    const reply = await run.packed(script, key, message)
    const isLook = script === jobScripts.list || script === jobScripts.listPair
    if (isLook) looked.push((reply as readonly [string, number])[1])
    return reply
  }
  const on = { keys, index, now: () => clock.nowMs }
  lists = createJobLists({ ...on, run: Object.assign(run.bind(null), { packed }), leaseMs })
  await createRelist({ ...on, redis, run }).next()
})
afterEach(() => fixture.close())

const everything: JobFilter = {
  ...{ tenant: null, statuses: [], metadata: {} },
  ...{ createdFromMs: 0, createdToMs: Number.MAX_SAFE_INTEGER },
}

const found = async (filter: Partial<JobFilter>): Promise<string[]> => {
  looked = []
  const ids: string[] = []
  const walk = lists.walk({ ...everything, ...filter }, null)
  for (let isEnd = false; !isEnd; ) {
    const step = await walk.next(20)
    ids.push(...step.ids)
    isEnd = step.cursor === null
  }
  return ids
}

/** Entries of many jobs, which are newer than all others, and their places in sets. Their records are of no matter. */
const crowd = async (state: ListedState, count: number, tenant = ''): Promise<void> => {
  const { redis, keys, clock } = fixture
  const cores = Array.from({ length: count }, (_, i) => ulidOf(newJobId(shard, clock.nowMs + 1_000 + i)))
  const says = `${tenant}\ngpt-4\nfirst/gpt/4\n\n${pairLine('team', 't1')}${index.seal}`
  await redis.zadd(keys.list(shard, state), ...cores.flatMap(core => [scoreOf(core), `${core}\n${says}`]))
  const hashes = [pairHash(pairLine('team', 't1')), ...(tenant === '' ? [] : [tenantHash(tenant)])]
  await redis.zadd(keys.pairs(shard), ...hashes.flatMap(hash => cores.flatMap(core => [0, `${hash}${core}`])))
}

const rareInEach = async (): Promise<void> => {
  const { created, running, store } = fixture
  const rare = { tenant: 'large', model: 'rare', ...team }
  await created(rare)
  for (const end of [answer('x'), failure]) await store.finalise(await running(rare), end)
  await store.cancel(await created(rare))
  await store.expire(await created(rare), 0)
}

const sumLooked = (): number => looked.reduce((sum, count) => sum + count, 0)

describe('a page of few jobs behind many', () => {
  it('looks at what the rarest thing has that is asked for', async () => {
    const small = await fixture.created({ tenant: 'small', ...team })
    const other = await fixture.created({ tenant: 'other' })
    const bad = await fixture.running({ ...team })
    await fixture.store.finalise(bad, failure)
    await crowd('open', 3_000)
    await crowd('succeeded', 3_000, 'large')
    fixture.clock.nowMs += 10_000
    // On both sides of the crowd, so that one comes to the older only by what is rare.
    const newer = await fixture.created({ tenant: 'small', ...team })
    const cases: readonly [Partial<JobFilter>, readonly string[]][] = [
      [{ tenant: 'small' }, [newer, small]],
      [{ tenant: 'small', ...team }, [newer, small]],
      [{ tenant: 'small', statuses: ['queued'] }, [newer, small]],
      [{ tenant: 'small', statuses: ['running', 'queued'], route: 'gpt-*' }, [newer, small]],
      [{ tenant: 'small', statuses: ['succeeded'] }, []],
      [{ tenant: 'other', ...team }, []],
      [{ tenant: 'other', provider: 'first' }, [other]],
      // The list of those that have failed is the rarest.
      [{ statuses: ['failed'], ...team }, [bad.id]],
      [{ tenant: 'large', statuses: ['failed'] }, []],
      [{ tenant: 'nobody' }, []],
    ]
    for (const [filter, ids] of cases) {
      expect(await found(filter)).toEqual(ids)
      expect(sumLooked()).toBeLessThanOrEqual(3)
    }
  })

  it('has bounded scripts, whatever is asked for', async () => {
    await rareInEach()
    for (const state of states) await crowd(state, 2_500, 'large')
    fixture.clock.nowMs += 10_000
    await rareInEach()
    const cases: readonly [Partial<JobFilter>, number][] = [
      [{ route: 'rare' }, 10],
      [{ route: 'r*e', tenant: 'large' }, 10],
      [{ route: 'rare', ...team }, 10],
      [{ route: 'rare', statuses: ['queued', 'succeeded', 'expired'] }, 6],
      [{ metadata: { note: 'unknown' } }, 0],
    ]
    for (const [filter, count] of cases) {
      expect(await found(filter)).toHaveLength(count)
      expect(looked.length).toBeGreaterThan(1)
      expect(Math.max(...looked)).toBeLessThanOrEqual(2_000)
    }
    // By the set, of which each job's record and entry are read.
    await crowd('open', 5_000)
    const { redis, keys, clock } = fixture
    const ids = Array.from({ length: 500 }, (_, i) => ulidOf(newJobId(shard, clock.nowMs + i)))
    const some = ids.map(id => `${tenantHash('some')}${id}`)
    await redis.zadd(keys.pairs(shard), ...some.flatMap(member => [0, member]))
    expect(await found({ tenant: 'some' })).toEqual([])
    expect(looked.length).toBeGreaterThan(1)
    expect(Math.max(...looked)).toBeLessThanOrEqual(200)
  })

  it('comes past more entries of one time than a script reads, on its way to those that run', async () => {
    const { redis, keys, clock } = fixture
    const before = await fixture.running()
    clock.nowMs += 2_000
    const after = await fixture.running()
    const dueAt = clock.nowMs + leaseMs - 1_000
    const doorbells = Array.from({ length: 1_300 }, (_, i) => `${newJobId(shard, dueAt + i)}.0.0`)
    await redis.zadd(keys.schedule(shard), ...doorbells.flatMap(name => [dueAt, name]))
    expect(await found({ statuses: ['running'] })).toEqual([after.id, before.id])
  })
})
