import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIndexTrim } from '../../src/jobs/index-trim.ts'
import { type JobFilter, matchesFilter } from '../../src/jobs/job-filter.ts'
import { createJobLists, type JobLists } from '../../src/jobs/job-lists.ts'
import { createMetadataIndex } from '../../src/jobs/list-entry.ts'
import { createRelist, type Relist, relistedPerShard } from '../../src/jobs/relist.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { testRedis } from '../support/redis.ts'
import { answer, failure, leaseMs, openStore, retentionMs, type StoreFixture } from './store-fixture.ts'

/** A process of some config, among others. */
interface Process extends StoreFixture {
  readonly lists: JobLists
  newRelist(): Relist
}

const everything: JobFilter = {
  ...{ tenant: null, statuses: [], metadata: {} },
  ...{ createdFromMs: 0, createdToMs: Number.MAX_SAFE_INTEGER },
}

let at: { readonly url: string; readonly prefix: string }
let open: Process[] = []
beforeEach(() => {
  at = testRedis()
  open = []
})
afterEach(() => {
  for (const each of open) each.close()
})

const processBy = (indexed: readonly string[]): Process => {
  const fixture = openStore(at, indexed)
  const run = createScriptRunner(fixture.redis)
  const { redis, keys, clock } = fixture
  if (open.length > 0) clock.nowMs = open[0]!.clock.nowMs
  const on = { run, keys, index: createMetadataIndex(indexed), now: () => clock.nowMs }
  const made = {
    ...fixture,
    lists: createJobLists({ ...on, leaseMs }),
    newRelist: () => createRelist({ ...on, redis }),
  }
  open.push(made)
  return made
}

const passTime = (ms: number): void => {
  for (const { clock } of open) clock.nowMs += ms
}

/** The ids that the lists give, page by page, and how many jobs were looked at for them. */
const walk = async ({ lists }: Process, filter: Partial<JobFilter>, limit = 3) => {
  const ids: string[] = []
  let scanned = 0
  for (let cursor: string | null = ''; cursor !== null; ) {
    const walking = lists.walk({ ...everything, ...filter }, cursor || null)
    const step = await walking.next(limit)
    ids.push(...step.ids)
    scanned += walking.scanned
    cursor = step.cursor
  }
  return { ids, scanned }
}

const customer = (name: string, more: Readonly<Record<string, string>> = {}) => ({
  metadata: { customer: name, ...more },
})

/** Of one shard, as many as are asked for, the newest last. */
const createdBy = async ({ created, clock }: Process, count: number, name: string): Promise<string[]> => {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    passTime(1)
    ids.push(await created({ id: newJobId(5, clock.nowMs), ...customer(name) }))
  }
  return ids
}

describe('the sets of pairs', () => {
  it('give what the records say, whatever happens to jobs and configs', async () => {
    const both = processBy(['customer', 'team'])
    const [team, none] = [processBy(['team']), processBy([])]
    const all: string[] = []
    // The same on each run; long enough that all pairs of what may happen come.
    let state = 20_261_131
    const chance = (of: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % of
    }
    const one = <T>(of: readonly T[]): T => of[chance(of.length)]!
    const relists = new Map(open.map(each => [each, each.newRelist()]))
    const filters: Partial<JobFilter>[] = [
      customer('c1'),
      { ...customer('c1'), tenant: 'acme' },
      { ...customer('c2'), statuses: ['running', 'failed'] },
      { ...customer('c2'), statuses: ['queued', 'parked'], tenant: 'default' },
      { ...customer('c2'), errorCode: 'attempts_exhausted' },
      { ...customer('c1', { team: 't1' }), provider: 'second' },
      { ...customer('c1', { note: 'n' }), route: 'gpt-*' },
      { metadata: { team: 't2' }, createdFromMs: both.clock.nowMs + 400 },
      { metadata: { team: 't1' }, createdToMs: both.clock.nowMs + 600 },
      customer('c9'),
      { tenant: 'acme' },
      { tenant: 'acme', statuses: ['running', 'failed'] },
      { tenant: 'acme', provider: 'second' },
      { tenant: 'nobody' },
    ]
    const agree = async (process: Process): Promise<void> => {
      const records = await process.store.readHeads(all.toReversed())
      for (const each of filters) {
        const filter = { ...everything, ...each }
        const right = records.filter(record => matchesFilter(filter, record)).map(record => record!.id)
        const { ids } = await walk(process, each, 2 + chance(20))
        const heads = await process.store.readHeads(ids)
        expect(ids.filter((_, i) => matchesFilter(filter, heads[i]!))).toEqual(right)
        const { count, exact } = await process.lists.count(filter, () => true)
        expect(exact).toBe(true)
        // Lists have a job whose record was removed until it is trimmed.
        expect(count).toBeGreaterThanOrEqual(right.length)
        expect(count - right.length).toBeLessThanOrEqual(records.filter(record => record === null).length)
      }
    }
    const endOne = async ({ store, claimed, clock }: Process): Promise<void> => {
      const id = one(all)
      const record = await store.read(id)
      if (record?.status !== 'queued') return
      const claim = await claimed(id)
      const to = { target: { provider: 'second', model: 'm' }, attemptsSpent: 0, attempts: [] }
      const ends = [
        () => store.finalise(claim, one([answer('x'), failure])),
        () => store.cancel(id),
        () => store.advance(claim, { hop: 1, generation: 0, ...to }, clock.nowMs),
        () => store.park(claim, { hop: 0, generation: 1, ...to }, clock.nowMs + 60_000),
        async () => {},
      ]
      await one(ends)()
    }
    let bySets = 0
    for (let step = 0; step < 120; step++) {
      passTime(1 + chance(20))
      const process = chance(40) === 0 ? one([team, none]) : both
      const metadata = { customer: one(['c1', 'c2']), team: one(['t1', 't2']), note: one(['n', 'm']) }
      const more = { tenant: one(['default', 'acme']), model: one(['gpt-4', 'claude']) }
      all.push(await process.created({ ...more, metadata, id: newJobId(chance(4), process.clock.nowMs) }))
      if (chance(2) === 0) await endOne(one(open))
      if (chance(6) === 0) await relists.get(chance(6) === 0 ? one(open) : both)!.next()
      // A process that is killed goes on nowhere, and records may go.
      if (chance(20) === 0) relists.set(both, both.newRelist())
      if (chance(30) === 0) await both.redis.del(both.keys.record(one(all)))
      if (chance(15) === 0) passTime(600_000)
      if (step % 24 === 23) {
        await agree(both)
        await agree(one(open))
        if ((await walk(both, customer('c9'))).scanned === 0) bySets += 1
      }
    }
    expect(bySets).toBeGreaterThan(1)
    expect(bySets).toBeLessThan(5)
  })

  it('are relied on after a whole walk, until a job is made with other keys', async () => {
    const [both, none] = [processBy(['customer', 'team']), processBy([])]
    const count = relistedPerShard + 10
    const ids = await createdBy(none, count, 'c1')
    const isLookedUp = async (): Promise<boolean> => (await walk(both, customer('none'))).scanned === 0
    await none.newRelist().next()
    await none.newRelist().next()
    const relist = both.newRelist()
    await relist.next()
    expect(await isLookedUp()).toBe(false)
    // Another process begins from the start.
    const again = both.newRelist()
    await again.next()
    expect(await isLookedUp()).toBe(false)
    ids.push(...(await createdBy(both, 1, 'c1')))
    await again.next()
    // What is there may be of a version that knows no sets, and its processes may go on for a while.
    expect(await isLookedUp()).toBe(false)
    passTime(600_001)
    await again.next()
    await again.next()
    expect(await isLookedUp()).toBe(true)
    expect((await walk(both, customer('c1'), 7)).ids).toEqual(ids.toReversed())
    ids.push(...(await createdBy(none, 1, 'c1')))
    expect(await isLookedUp()).toBe(false)
    expect((await walk(both, customer('c1'), 7)).ids).toEqual(ids.toReversed())
    passTime(3_600_001)
    await again.next()
    await again.next()
    expect(await isLookedUp()).toBe(true)
    expect((await walk(both, customer('c1'), 7)).ids).toEqual(ids.toReversed())
  })

  it('lose a job with its record, whether somebody looks for it or not', async () => {
    const process = processBy(['customer'])
    const { redis, keys, store } = process
    await process.newRelist().next()
    const members = async (): Promise<string[]> => {
      const stored = await redis.zrange(keys.pairs(5), '0', '-1')
      return stored.filter(each => each.length > 12).map(each => `job_${each.slice(12)}`)
    }
    const [read, trimmed, kept] = [
      ...(await createdBy(process, 1, 'c1')),
      ...(await createdBy(process, 1, 'c2')),
      ...(await createdBy(process, 1, 'c3')),
    ]
    const removed = await process.running({ background: true, tenant: 'acme', ...customer('c4') })
    await store.finalise(removed, answer('x'))
    expect((await members()).toSorted()).toEqual([read, trimmed, kept, removed.id, removed.id].toSorted())
    expect(await store.remove(removed.id)).toBe(true)
    await redis.del(keys.record(read!), keys.record(trimmed!))
    expect((await walk(process, customer('c1'))).ids).toEqual([])
    expect((await members()).toSorted()).toEqual([trimmed, kept].toSorted())
    passTime(retentionMs + 1_000)
    const { clock } = process
    const times = { retentionMs, now: () => clock.nowMs, aheadMs: () => 0 }
    const trim = createIndexTrim({ run: createScriptRunner(redis), keys, ...times })
    for (let i = 0; i < 4; i++) await trim.next(2)
    expect(await members()).toEqual([kept])
    expect((await walk(process, customer('c3'))).ids).toEqual([kept])
  })
})
