import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Place, QueueClass } from '../../src/domain/place.ts'
import { createDoorbells, type Doorbells, providerQueue } from '../../src/queue/doorbells.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let q: QueueFixture
let queues = 0
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

interface Item extends Place {
  readonly name: string
}

/** A queue of its own, on which one worker takes and claims at once. */
const openOrder = (weights: Readonly<Record<string, number>> = {}) => {
  const queue = providerQueue(`order-${queues++}`)
  const doorbells: Doorbells = createDoorbells(
    q.redis,
    createScriptRunner(q.redis),
    q.keys,
    new Map(Object.entries(weights)),
  )
  const items = new Map<string, Item>()
  let chunks = 0
  const push = async (more: readonly Omit<Item, 'name'>[]): Promise<void> => {
    const named = more.map(place => ({ ...place, name: `job_${items.size + 1}.${queues}.0` }))
    for (const [i, item] of named.entries())
      items.set(`${i}.${item.name}`, { ...item, name: `${i}.${item.name}` })
    await doorbells.ringAll(
      named.map(({ name, ...place }, i) => ({ queue, doorbell: `${i}.${name}`, place })),
    )
  }
  const take = async (most: number): Promise<readonly Item[]> => {
    const chunk = `c${chunks++}`
    const ask = { chunk, most, worker: '', free: 0, claimed: chunks > 1 ? [`c${chunks - 2}`] : [] }
    return (await doorbells.take(queue, ask)).doorbells.map(name => items.get(name)!)
  }
  return { queue, doorbells, push, take, waiting: () => doorbells.waiting(queue) }
}

const of = (tenant: string, more: Partial<Place> = {}): Place => ({
  ...{ tenant, class: 'bulk', dueMs: 1_000, tokens: 500 },
  ...more,
})
const many = (count: number, make: (i: number) => Place): Place[] =>
  Array.from({ length: count }, (_, i) => make(i))
const tokensOf = (items: readonly Item[], tenant: string): number =>
  items.filter(item => item.tenant === tenant).reduce((sum, { tokens }) => sum + tokens, 0)

describe('the order of a queue', () => {
  it('shares by weight among tenants that wait, counted in tokens', async () => {
    const weights = { a: 1, b: 2, c: 4 }
    const costs = { a: [100, 500], b: [100, 2_000], c: [500, 4_000] } as const
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 40, maxLength: 40 }),
        async sizes => {
          const order = openOrder(weights)
          for (const tenant of ['a', 'b', 'c'] as const) {
            const [least, most] = costs[tenant]
            const spread = (i: number): number => least + ((i * 7_919) % (most - least))
            await order.push(many(4_000, i => of(tenant, { dueMs: i, tokens: spread(i) })))
          }
          const taken: Item[] = []
          for (const size of sizes) taken.push(...(await order.take(size)))
          const shares = (['a', 'b', 'c'] as const).map(tenant => tokensOf(taken, tenant) / weights[tenant])
          // Each may be ahead by the slack and by one job.
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(4_000 + 4_000)
        },
      ),
      { numRuns: 4 },
    )
  })

  it('serves a tenant’s earliest deadline first', async () => {
    const order = openOrder()
    const dues = fc.sample(fc.integer({ min: 0, max: 1_000_000 }), 500)
    await order.push(dues.map(dueMs => of('a', { dueMs })))
    const taken: Item[] = []
    while (taken.length < dues.length) taken.push(...(await order.take(37)))
    expect(taken.map(({ dueMs }) => dueMs)).toEqual(dues.toSorted((x, y) => x - y))
  })

  it('lets a late tenant with little to do pass one with much', async () => {
    const order = openOrder()
    await order.push(many(5_000, i => of('large', { dueMs: i })))
    await order.take(500)
    await order.push(many(10, i => of('small', { dueMs: 1e9 + i })))
    const next = await order.take(40)
    expect(next.filter(({ tenant }) => tenant === 'small')).toHaveLength(10)
  })

  it('gives who comes back no more than its share of what is to come', async () => {
    const order = openOrder()
    await order.push(many(3_000, i => of('steady', { dueMs: i })))
    await order.push(many(10, i => of('returning', { dueMs: i })))
    await order.take(1_000)
    await order.push(many(2_000, i => of('returning', { dueMs: 1e6 + i })))
    const next = await order.take(400)
    expect(Math.abs(tokensOf(next, 'steady') - tokensOf(next, 'returning'))).toBeLessThanOrEqual(
      2 * 4_000 + 500,
    )
  })

  it('shares 64, 8 and 1 among the classes, so that nothing starves', async () => {
    const order = openOrder()
    const classes: readonly QueueClass[] = ['interactive', 'default', 'bulk']
    for (const name of classes) await order.push(many(4_000, i => of('a', { class: name, dueMs: i })))
    const taken: Item[] = []
    for (let i = 0; i < 30; i++) taken.push(...(await order.take(100)))
    const counts = classes.map(name => taken.filter(item => item.class === name).length)
    expect(counts.map(count => Math.round((count * 73) / taken.length))).toEqual([64, 8, 1])
  })

  it('serves what a connection waits for next, though a batch has waited for long', async () => {
    const order = openOrder()
    await order.push(many(3_000, i => of('batch', { dueMs: i })))
    for (let i = 0; i < 10; i++) await order.take(100)
    await order.push([of('batch', { class: 'interactive', dueMs: 1e9 })])
    expect((await order.take(1)).map(item => item.class)).toEqual(['interactive'])
  })

  it('takes turns between batches of one tenant with about the same deadline', async () => {
    const order = openOrder()
    const line = (batch: number, i: number): Place =>
      of('a', { dueMs: batch + 1_000 * i, tokens: 500 + batch })
    await order.push(many(500, i => line(0, i)))
    await order.take(200)
    await order.push(many(10, i => line(7, i)))
    const next = await order.take(20)
    expect(next.filter(({ tokens }) => tokens === 507)).toHaveLength(10)
  })
})

const place = fc.record({
  tenant: fc.constantFrom('a', 'b', 'c'),
  class: fc.constantFrom<QueueClass>('interactive', 'default', 'bulk'),
  dueMs: fc.integer({ min: 0, max: 100 }),
  tokens: fc.integer({ min: 1, max: 5_000 }),
})
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('push' as const), places: fc.array(place, { maxLength: 20 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), most: fc.nat(12), twice: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('silent' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), count: fc.nat(5) }) },
)

describe('what waits in a queue', () => {
  it('is given once, comes back where its worker is silent, and is counted at each moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 20, maxLength: 60 }), async happenings => {
        const queue = providerQueue(`model-${queues++}`)
        const entries = new Map<string, Place>()
        const waiting = new Set<string>()
        const held = new Map<string, readonly string[]>()
        const gone = new Set<string>()
        let chunks = 0
        const ask = { worker: '', free: 0, claimed: [] as readonly string[] }
        for (const step of happenings) {
          if (step.kind === 'push') {
            const rings = step.places.map(each => ({
              queue,
              doorbell: `job_${entries.size}.0.0`,
              place: each,
            }))
            const named = rings.map((ring, i) => ({ ...ring, doorbell: `job_${entries.size + i}.0.0` }))
            await q.doorbells.ringAll(named)
            // Rung again: nothing of it stands twice.
            await q.doorbells.ringAll(named.slice(0, 2))
            for (const { doorbell, place: at } of named) {
              entries.set(doorbell, at)
              waiting.add(doorbell)
            }
          } else if (step.kind === 'take') {
            const chunk = `c${chunks++}`
            const request = { ...ask, chunk, most: step.most }
            const { doorbells } = await q.doorbells.take(queue, request)
            if (step.twice && step.most > 0 && doorbells.length > 0)
              expect((await q.doorbells.take(queue, request)).doorbells).toEqual(doorbells)
            expect(doorbells).toHaveLength(Math.min(step.most, waiting.size))
            for (const name of doorbells) expect(waiting.delete(name), `${name} waited`).toBe(true)
            if (doorbells.length > 0) held.set(chunk, doorbells)
          } else if (step.kind === 'claim' || step.kind === 'silent') {
            const chunk = [...held.keys()][step.which]
            if (chunk === undefined) continue
            if (step.kind === 'claim') {
              for (const name of held.get(chunk)!) gone.add(name)
              await q.doorbells.take(queue, { ...ask, chunk: '', most: 0, claimed: [chunk] })
            } else {
              await q.redis.zadd(`${q.keys.ready(queue)}:leases`, 'XX', 1, chunk)
              await q.doorbells.take(queue, { ...ask, chunk: '', most: 0 })
              for (const name of held.get(chunk)!) waiting.add(name)
            }
            held.delete(chunk)
          } else {
            const some = [...waiting].slice(0, step.count)
            await q.doorbells.withdraw(
              queue,
              some.map(doorbell => ({ doorbell, place: entries.get(doorbell)! })),
            )
            for (const name of some) waiting.delete(name)
          }
          expect(await q.doorbells.waiting(queue)).toBe(waiting.size)
        }
        const page = await q.doorbells.page(queue, 0, 10_000)
        expect(page.map(({ doorbell }) => doorbell).toSorted()).toEqual([...waiting].toSorted())
        for (const { doorbell, place: at } of page) expect(at).toEqual(entries.get(doorbell))
      }),
      { numRuns: 30 },
    )
  })
})
