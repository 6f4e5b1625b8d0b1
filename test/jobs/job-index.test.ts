import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJobIndex, type JobIndex, parseCursor } from '../../src/jobs/index-stream.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { openStore, type StoreFixture } from './store-fixture.ts'

let fixture: StoreFixture
let index: JobIndex

beforeEach(() => {
  fixture = openStore()
  index = createJobIndex(fixture.redis, fixture.keys)
})
afterEach(() => fixture.close())

const createdIn = async (shards: readonly number[]): Promise<string[]> => {
  const ids: string[] = []
  for (const shard of shards) ids.push(await fixture.created({ id: newJobId(shard, fixture.clock.nowMs) }))
  return ids
}

describe('the index of jobs', () => {
  describe('the list of jobs', () => {
    it('goes through all shards, newest first, each job once, whatever the page size', async () => {
      const ids = await createdIn([3, 15, 0, 0, 7, 3, 15, 1, 2, 3])
      // Arrivals of one millisecond in several shards have no order but that of the shards.
      const whole = (await index.list(null, 100)).map(entry => entry.id)
      expect(whole.toSorted()).toEqual(ids.toSorted())
      const placeOf = (id: string) => parseCursor(byId.get(id)!)!
      const byId = new Map((await index.list(null, 100)).map(entry => [entry.id, entry.cursor]))
      const times = whole.map(id => placeOf(id).ms)
      expect(times).toEqual(times.toSorted((a, b) => b - a))

      for (const limit of [1, 3, 4]) {
        const paged: string[] = []
        for (let cursor: string | null = null; ; ) {
          const page = await index.list(cursor, limit)
          paged.push(...page.map(entry => entry.id))
          cursor = page.at(-1)?.cursor ?? null
          if (cursor === null) break
        }
        expect(paged).toEqual(whole)
      }
    })

    it('is told apart also where arrivals of several shards have the same stream id', async () => {
      const { redis, keys } = fixture
      for (const shard of [2, 9, 4]) await redis.xadd(keys.index(shard), '5-0', 'j', `in-${shard}`)
      const [first] = await index.list(null, 1)
      expect(first).toEqual({ id: 'in-2', cursor: '5-0-2' })
      expect((await index.list('5-0-2', 5)).map(e => e.id)).toEqual(['in-4', 'in-9'])
      expect((await index.list('5-0-4', 5)).map(e => e.id)).toEqual(['in-9'])
      expect(await index.list('5-0-9', 5)).toEqual([])
    })

    it.each(['', 'x', '1-2', '1-2-3-4', '1-2-3 ', '-1-2-3', '99999999999999999-0-0', '0-0-0', '00-000-5'])(
      'knows that %j is no cursor',
      text => {
        expect(parseCursor(text)).toBeNull()
      },
    )
  })
})
