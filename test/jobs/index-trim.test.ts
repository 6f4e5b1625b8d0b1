import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIndexTrim, type IndexTrim } from '../../src/jobs/index-trim.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { indexedJobs } from '../support/indexed-jobs.ts'
import { openStore, retentionMs, type StoreFixture } from './store-fixture.ts'

let fixture: StoreFixture
let trim: IndexTrim

beforeEach(() => {
  fixture = openStore()
  const { redis, keys, clock } = fixture
  const aheadMs = clock.nowMs - Date.now()
  const run = createScriptRunner(redis)
  trim = createIndexTrim({ run, keys, retentionMs, now: () => clock.nowMs, aheadMs: () => aheadMs })
})
afterEach(() => fixture.close())

const created = (shard: number): Promise<string> =>
  fixture.created({ id: newJobId(shard, fixture.clock.nowMs) })
const listed = (): Promise<string[]> => indexedJobs(fixture.redis, fixture.keys)

describe('the trim of the index', () => {
  it('removes jobs past their retention, wherever they stand, and no others', async () => {
    const { redis, keys, clock } = fixture
    const ids: string[] = []
    for (let i = 0; i < 6; i++) ids.push(await created(1))
    await redis.del(...[0, 1, 3, 4].map(i => keys.record(ids[i]!)))
    clock.nowMs += retentionMs + 60_000
    for (let i = 0; i < 4; i++) await trim.next(2)
    expect(await listed()).toEqual([ids[5], ids[2]])
  })

  it('does not look at jobs that are too young to be past it', async () => {
    const { redis, keys, clock } = fixture
    const ids = [await created(1), await created(1)]
    await redis.del(keys.record(ids[0]!))
    clock.nowMs += retentionMs - 60_000
    await trim.next(2)
    expect(await listed()).toEqual([ids[1], ids[0]])
  })

  it('begins anew after a rest', async () => {
    const { redis, keys, clock } = fixture
    const id = await created(1)
    clock.nowMs += retentionMs + 60_000
    await trim.next(2)
    await redis.del(keys.record(id))
    await trim.next(2)
    expect(await listed()).toEqual([id])
    clock.nowMs += 60_000
    await trim.next(2)
    expect(await listed()).toEqual([])
  })
})
