import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import type { Depth } from '../../src/queue/ready-list.ts'
import { batchJobId } from '../../src/redis/keys.ts'
import type { ConfigInput } from '../support/open-baton.ts'
import { lines } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

/** Lines that wait though all places are taken; a look that is on its way counts a little more. */
const lead = 100
const slack = 100

let rig: BatchRig
const open = async (batches: ConfigInput, first: ConfigInput): Promise<void> => {
  rig = await openBatchRig({ config: { batches }, first })
}
const depth = (): Promise<Depth> => rig.baton.context.doorbells.depth(providerQueue('first'))

const parkedOf = async (id: string, fed: number): Promise<number> => {
  const ids = Array.from({ length: fed }, (_, i) => batchJobId(id, i + 1))
  const records = await rig.baton.context.store.readHeads(ids)
  return records.filter(record => record?.status === 'parked').length
}

/** The most that waited, and the most that was fed and not collected, while the test ran. */
const watch = (...ids: readonly string[]) => {
  let isOver = false
  const most = { waiting: 0, uncollected: 0 }
  const done = (async () => {
    while (!isOver) {
      most.waiting = Math.max(most.waiting, (await depth()).total)
      for (const id of ids) {
        const { cursor, collected } = await rig.read(id)
        most.uncollected = Math.max(most.uncollected, cursor.fed - collected)
      }
    }
  })()
  return async () => {
    isOver = true
    await done
    return most
  }
}

describe('places of a provider whose calls last', () => {
  beforeAll(() => open({}, { concurrency: 1_000 }))
  afterAll(() => rig.close())

  it('are all taken by a batch before one answer has come, while little waits', async () => {
    const id = await rig.batch(lines(3_000, 'hang'))
    const seen = watch(id)
    await until(() => rig.first.calls.inFlight === 1_000)
    await until(async () => (await rig.read(id)).cursor.fed >= 1_000 + lead)
    expect((await rig.read(id)).collected).toBe(0)
    expect((await seen()).waiting).toBeLessThanOrEqual(1_000 + lead)
    expect((await depth()).total).toBeLessThanOrEqual(lead + slack)
    await rig.batches.cancel(id)
    expect((await rig.ended(id)).counts.canceled).toBe(3_000)
  })
})

describe('places that several batches want', () => {
  beforeAll(() => open({}, { concurrency: 1_000 }))
  afterAll(() => rig.close())

  it('are shared by batches, which do not overfill the queue together', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => rig.batch(lines(1_500, 'hang'))))
    const seen = watch()
    await until(() => rig.first.calls.inFlight === 1_000)
    for (const id of ids) await until(async () => (await rig.read(id)).cursor.fed >= 16)
    expect((await seen()).waiting).toBeLessThanOrEqual(1_000 + lead + slack)
    expect((await depth()).total).toBeLessThanOrEqual(lead + slack)
    const fed = (await Promise.all(ids.map(rig.read))).map(({ cursor }) => cursor.fed)
    expect(Math.max(...fed) - Math.min(...fed)).toBeLessThan(600)
    await Promise.all(ids.map(id => rig.batches.cancel(id)))
    await Promise.all(ids.map(rig.ended))
  })
})

describe('a provider of few places', () => {
  beforeAll(() => open({}, { concurrency: 5 }))
  afterAll(() => rig.close())

  it('answers a small batch long before the large one that came first', async () => {
    const large = await rig.batch(lines(5_000, 'slow-50ms'))
    await rig.reached(large, batch => batch.collected > 50)
    const small = await rig.batch(lines(10, 'slow-50ms'))
    await rig.ended(small)
    const { collected, cursor } = await rig.read(large)
    expect(collected).toBeLessThan(2_000)
    expect(cursor.fed - collected).toBeLessThan(600)
    await rig.batches.cancel(large)
    await rig.ended(large)
  })
})

describe('a narrow window', () => {
  beforeAll(() => open({ window_jobs: 200 }, { concurrency: 400 }))
  afterAll(() => rig.close())

  it('holds no call back', async () => {
    const id = await rig.batch(lines(1_000, 'hang'))
    await until(() => rig.first.calls.inFlight === 400)
    await rig.reached(id, batch => batch.cursor.fed >= 400 + lead)
    await rig.batches.cancel(id)
    await rig.ended(id)
  })

  it('holds none back for a feeder that takes over', async () => {
    const id = await rig.batch(lines(1_000, 'hang'))
    await rig.reached(id, ({ cursor }) => cursor.fed >= 200)
    await rig.feeder()
    await rig.feeders[0]!.stop()
    await rig.reached(id, batch => batch.cursor.fed >= 400 + lead)
    await until(() => rig.first.calls.inFlight === 400)
    expect((await depth()).total).toBeLessThanOrEqual(200)
    await rig.batches.cancel(id)
    expect((await rig.ended(id)).counts.canceled).toBe(1_000)
  })

  it('counts parked lines as waiting', async () => {
    const id = await rig.batch(lines(2_000, 'throttle-60000ms'))
    const seen = watch(id)
    await rig.reached(id, batch => batch.cursor.fed >= 200)
    let [fed, unchanged] = [0, 0]
    await until(async () => {
      const { cursor } = await rig.read(id)
      unchanged = cursor.fed === fed && (await parkedOf(id, fed)) >= 150 ? unchanged + 1 : 0
      fed = cursor.fed
      return unchanged === 50
    })
    const { uncollected } = await seen()
    expect(uncollected).toBeGreaterThanOrEqual(200)
    expect(uncollected).toBeLessThanOrEqual(200 + 400)
    await rig.batches.cancel(id)
    await rig.ended(id)
  })
})
