import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import { lines } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

let rig: BatchRig
const waitingAt = (provider: string): Promise<number> =>
  rig.baton.context.doorbells.waiting(providerQueue(provider))

describe('a route with two providers of which one is stuck', () => {
  beforeAll(async () => {
    rig = await openBatchRig({ first: { concurrency: 5 } })
  })
  afterAll(() => rig.close())

  it('feeds the other, and heaps up only so much in front of the first', async () => {
    const id = await rig.batch(lines(4_000, 'split'))
    // Half go to each, by chance.
    await rig.reached(id, batch => batch.collected > 700)
    await until(async () => (await waitingAt('second')) === 0)
    const { cursor, counts } = await rig.read(id)
    expect(counts.succeeded).toBeGreaterThan(700)
    expect(await waitingAt('first')).toBeLessThanOrEqual(1_100 + 200)
    expect(cursor.fed).toBeLessThan(4_000)
    await rig.batches.cancel(id)
    await rig.ended(id)
  })
})

describe('a provider without a worker', () => {
  beforeAll(async () => {
    rig = await openBatchRig({ workers: ['first'] })
  })
  afterAll(() => rig.close())

  it('gets a few lines, and holds no other batch up', async () => {
    const stuck = await rig.batch(lines(2_000, 'claude'))
    await rig.reached(stuck, batch => batch.cursor.fed >= 100)
    await rig.ended(await rig.batch(lines(300, 'plain')))
    expect((await rig.read(stuck)).cursor.fed).toBe(100)
    expect(await waitingAt('second')).toBe(100)
    await rig.batches.cancel(stuck)
    await rig.ended(stuck)
  })
})

describe('batches of two tenants at a provider of few places', () => {
  beforeAll(async () => {
    rig = await openBatchRig({ first: { concurrency: 5 }, feeders: 2 })
  })
  afterAll(() => rig.close())

  it('share it, whichever process drives them', async () => {
    const large = await rig.batch(lines(5_000, 'slow-50ms'), { tenant: 'large' })
    await rig.reached(large, batch => batch.collected > 50)
    const before = (await rig.read(large)).collected
    const small = await rig.batch(lines(100, 'slow-50ms'), { tenant: 'small' })
    await rig.ended(small)
    // It has half of the calls while it runs, and its lines are fed and collected beside them.
    expect((await rig.read(large)).collected - before).toBeLessThan(1_000)
    await rig.batches.cancel(large)
    await rig.ended(large)
  })
})
