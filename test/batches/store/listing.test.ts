import { afterAll, describe, expect, it } from 'vitest'
import { openBatches } from './batch-fixture.ts'

const { redis, keys, clock, batches, leased, close } = openBatches()
afterAll(close)

describe('the list of batches', () => {
  it('forgets batches that are past their retention, though nobody lists them', async () => {
    const expired = await leased()
    const kept = await leased()
    await redis.del(keys.batch(expired.id))
    const listed = () => redis.zrange(keys.batches('openai', 'default'), '0', '-1')
    // One that is just being made has no record yet.
    await batches.forgetGone('default')
    expect((await listed()).sort()).toEqual([expired.id, kept.id].sort())
    clock.nowMs += 120_000
    await batches.forgetGone('default')
    expect(await listed()).toEqual([kept.id])
  })
})
