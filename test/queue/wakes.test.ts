import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Target } from '../../src/domain/job.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import { createWakes, type Wakes } from '../../src/queue/wakes.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let fixture: QueueFixture
let shut: string
let hasTurn: boolean
let wakes: Wakes

beforeEach(() => {
  fixture = openQueue()
  shut = ''
  hasTurn = true
  wakes = createWakes({
    ...{ ...fixture.parts, provider: 'first', canBeAsked: ({ model }) => model !== shut },
    hasTurn: async () => hasTurn,
  })
})
afterEach(() => fixture.shut())

const farAway = { expiresAtMs: Number.MAX_SAFE_INTEGER }

/** Parked until a time that many have in common. */
const park = async (id: string): Promise<void> => {
  const claim = await fixture.claimed(id)
  const { target, generation } = claim
  const stay = { hop: 0, generation: generation + 1, target, attemptsSpent: 0, attempts: [] }
  await fixture.store.park(claim, stay, 4_000_000_000_000)
}

const parked = (count: number, target: Target = { provider: 'first', model: 'm' }): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const id = await fixture.created({ ...farAway, target })
      await park(id)
      return id
    }),
  )

const later = (ms: number): void => {
  fixture.clock.nowMs += ms
}

it('wake all that is parked for the provider in bounded steps, and pass over what cannot be asked', async () => {
  shut = 'shut'
  await parked(1_100, { provider: 'first', model: shut })
  await parked(20, { provider: 'second', model: 'm' })
  const ids = await parked(1_700)
  const steps: number[] = []
  for (let woken = 0; woken < ids.length && steps.length < 10; woken += steps.at(-1)!)
    steps.push(await wakes.next(['a stop']))
  for (const jobs of steps) expect(jobs).toBeLessThan(1_500)
  expect(steps.length).toBeGreaterThan(1)
  expect(await wakes.next(['a stop'])).toBe(0)
  expect((await fixture.doorbells.depth(providerQueue('first'))).total).toBe(ids.length)

  // Its circuit has closed: another pass finds them, in its time.
  shut = ''
  expect(await wakes.next(['a stop'])).toBe(0)
  later(2_000)
  expect(await wakes.next(['a stop'])).toBeGreaterThanOrEqual(1_000)
})

it('ring what others park again a few times, and not each second', async () => {
  const [id] = (await parked(1)) as [string]
  let rings = 0
  for (let seconds = 0; seconds < 300; seconds++) {
    if ((await wakes.next(['a stop'])) > 0) {
      rings += 1
      await park(id)
    }
    later(1_000)
  }
  // At once, and after 2, 6, 14, 30, 62, 126 and 254 s.
  expect(rings).toBe(8)
  // Another stop is another reason.
  expect(await wakes.next(['a stop', 'another'])).toBe(1)
})

it('leave it to the process that has the turn, and take it over where that has died', async () => {
  await parked(1)
  hasTurn = false
  expect(await wakes.next(['a stop'])).toBe(0)
  later(2_000)
  hasTurn = true
  expect(await wakes.next(['a stop'])).toBe(1)
})

it('begin anew once all was well', async () => {
  const [id] = (await parked(1)) as [string]
  expect(await wakes.next(['a stop'])).toBe(1)
  await park(id)
  expect(await wakes.next([])).toBe(0)
  expect(await wakes.next(['a stop'])).toBe(1)
})
