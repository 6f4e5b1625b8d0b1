import { afterAll, expect, it } from 'vitest'
import { findUnfinishedLines } from '../../../src/api/jobs/unfinished-lines.ts'
import { batchJobId } from '../../../src/redis/keys.ts'
import { openBatches } from '../../batches/store/batch-fixture.ts'
import { answer } from '../../jobs/store-fixture.ts'

const fixture = openBatches()
const { store, work, leased, feedOf, claimed } = fixture
afterAll(fixture.close)

it('lines of one batch are shown in any state, and of all batches those that have not ended', async () => {
  const lease = await leased()
  await work.feed(lease, feedOf(lease.id, 0, 4))
  const ids = [1, 2, 3, 4].map(number => batchJobId(lease.id, number))
  await store.finalise(await claimed(ids[1]!), answer('x'))
  const find = async (only: string | undefined, status?: string) => {
    const wanted = (record: { status: string }) => status === undefined || record.status === status
    const { found, ...rest } = await findUnfinishedLines(fixture, 'default', null, 10, wanted, only)
    return { ids: found.map(({ id }) => id), ...rest }
  }
  expect(await find(lease.id)).toEqual({ ids, nextCursor: null, collected: 0 })
  expect(await find(lease.id, 'succeeded')).toEqual({ ids: [ids[1]], nextCursor: null, collected: 0 })
  expect((await find(undefined)).ids).toEqual([ids[0], ids[2], ids[3]])
})
