import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { Place } from '../../src/domain/place.ts'
import { type Consumer, createConsumer } from '../../src/queue/consumer.ts'
import { jobWebhookRing, providerQueue, webhookQueue } from '../../src/queue/doorbells.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'
import { ringOf } from './rings.ts'

let q: QueueFixture
let consumers: Consumer[]
beforeEach(() => {
  q = openQueue()
  consumers = []
})
afterEach(async () => {
  await Promise.all(consumers.map(consumer => consumer.stop(0, () => undefined)))
  await q.shut()
})

const queue = providerQueue('first')
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `job_${i}.0.0`)
const ringTogether = (doorbells: readonly string[], place: Partial<Place> = {}) =>
  q.doorbells.ringAll(doorbells.map(doorbell => ringOf(queue, doorbell, place)))

interface Answering {
  readonly consumer: Consumer
  /** In the order in which they were answered. */
  readonly answered: string[]
  readonly underWay: Set<string>
  /** Ends the answer of one doorbell. */
  end(doorbell: string): void
}

/** A worker whose answers last until the test ends them. */
const worker = (concurrency: number, takesAtOnce = true, of = queue): Answering => {
  const answered: string[] = []
  const ends = new Map<string, () => void>()
  const underWay = new Set<string>()
  const consumer = createConsumer({
    queue: of,
    concurrency,
    redis: q.redis,
    doorbells: q.doorbells,
    keys: q.keys,
    log: q.parts.log,
    handle: (doorbell, taken) =>
      new Promise(end => {
        answered.push(doorbell)
        underWay.add(doorbell)
        ends.set(doorbell, end)
        if (takesAtOnce) taken()
      }),
  })
  consumers.push(consumer)
  consumer.start()
  const end = (doorbell: string): void => {
    underWay.delete(doorbell)
    ends.get(doorbell)!()
  }
  return { consumer, answered, underWay, end }
}
const endAll = (...workers: Answering[]): void => {
  for (const w of workers) for (const doorbell of w.underWay) w.end(doorbell)
}

const ready = (part: string): string => `${q.keys.ready(queue)}:${part}`
const heldChunks = () => q.redis.hlen(ready('taken'))

describe('the queue consumer', () => {
  it('a doorbell that is rung again while it is answered is answered again', async () => {
    const doorbell = 'job_0.w.0'
    await q.doorbells.ring(jobWebhookRing(doorbell, 'default', 0))
    const held = worker(1, true, webhookQueue)
    await until(() => held.answered.length === 1)
    await q.doorbells.ring(jobWebhookRing(doorbell, 'default', 0))
    held.end(doorbell)
    await until(() => held.answered.length === 2)
    endAll(held)
  })

  describe('a worker', () => {
    it('takes as much as it has slots for; others get the rest at once', async () => {
      await ringTogether(names(10))
      const few = worker(3)
      await until(() => few.underWay.size === 3)
      const many = worker(50)
      await until(() => many.underWay.size === 7)
      expect([...few.answered, ...many.answered]).toEqual(names(10))
      endAll(few, many)
    })

    it('waits for nobody’s slow call: a place that is left gets the next doorbell', async () => {
      await ringTogether(names(6))
      const alone = worker(2)
      await until(() => alone.answered.length === 2)
      alone.end('job_1.0.0')
      await until(() => alone.answered.length === 3)
      for (const doorbell of ['job_2.0.0', 'job_3.0.0', 'job_4.0.0']) {
        alone.end(doorbell)
        await until(() => alone.underWay.size === 2)
      }
      // The first call still runs.
      expect(alone.answered).toEqual(names(6))
      expect(alone.underWay).toContain('job_0.0.0')
      endAll(alone)
    })

    it('answers in the order of the deadlines', async () => {
      await ringTogether(names(4))
      const one = worker(1)
      await until(() => one.answered.length === 1)
      await ringTogether(['job_later.0.0'])
      for (const doorbell of names(4)) {
        await until(() => one.underWay.has(doorbell))
        one.end(doorbell)
      }
      await until(() => one.answered.length === 5)
      expect(one.answered).toEqual([...names(4), 'job_later.0.0'])
      endAll(one)
    })

    it('answers what is urgent before the rest of a batch', async () => {
      await ringTogether(names(3), { class: 'bulk' })
      const one = worker(1)
      await until(() => one.answered.length === 1)
      await ringTogether(['job_urgent.0.0'])
      one.end('job_0.0.0')
      await until(() => one.answered.length === 2)
      expect(one.answered[1]).toBe('job_urgent.0.0')
      one.end('job_urgent.0.0')
      await until(() => one.underWay.has('job_1.0.0'))
      endAll(one)
      await until(() => one.underWay.has('job_2.0.0'))
      endAll(one)
    })

    it('takes a long queue in pieces, and what waits is counted at each moment', async () => {
      await ringTogether(names(250))
      expect(await q.doorbells.waiting(queue)).toBe(250)
      const many = worker(230)
      await until(() => many.underWay.size === 230)
      expect(await q.doorbells.waiting(queue)).toBe(20)
      endAll(many)
      await until(() => many.answered.length === 250)
      expect(await q.doorbells.waiting(queue)).toBe(0)
      endAll(many)
    })

    it('leaves the bell to an idle one while it is busy', async () => {
      await ringTogether(names(3))
      const busy = worker(2)
      await until(() => busy.underWay.size === 2)
      const idle = worker(2)
      await until(() => idle.underWay.size === 1)
      await ringTogether(['job_more.0.0'])
      await until(() => idle.underWay.size === 2)
      expect(busy.answered).toHaveLength(2)
      endAll(busy, idle)
    })
  })

  describe('the ready list', () => {
    it('lets go of what was taken as soon as it is claimed', async () => {
      await ringTogether(names(2))
      const busy = worker(5)
      await until(() => busy.underWay.size === 2)
      await until(async () => (await heldChunks()) === 0)
      expect(busy.underWay.size).toBe(2)
      endAll(busy)
    })

    it('keeps what was taken and is not claimed', async () => {
      await ringTogether(names(2))
      const busy = worker(5, false)
      await until(() => busy.underWay.size === 2)
      expect(await heldChunks()).toBe(1)
      busy.end('job_0.0.0')
      expect(await heldChunks()).toBe(1)
      busy.end('job_1.0.0')
      await until(async () => (await heldChunks()) === 0)
    })

    it('gives what a silent worker took to another, at its old place', async () => {
      await ringTogether(names(3))
      const ask = { chunk: 'lost', most: 2, worker: 'silent', free: 2, claimed: [] }
      expect((await q.doorbells.take(queue, ask)).doorbells).toEqual(names(2))
      await q.redis.zadd(ready('leases'), 1, 'lost')
      const heir = worker(5)
      await until(() => heir.underWay.size === 3)
      expect(heir.answered).toEqual(names(3))
      endAll(heir)
    })
  })

  describe('a worker that stops', () => {
    it('ends what it answers, and leaves the rest to others', async () => {
      await ringTogether(names(5))
      const stopping = worker(2)
      await until(() => stopping.underWay.size === 2)
      const stopped = stopping.consumer.stop(60_000, () => undefined)
      stopping.end('job_0.0.0')
      stopping.end('job_1.0.0')
      await stopped
      expect(stopping.answered).toEqual(names(2))
      const heir = worker(5)
      await until(() => heir.underWay.size === 3)
      expect(heir.answered).toEqual(names(5).slice(2))
      endAll(heir)
    })

    it('hands back what has not ended in time', async () => {
      await ringTogether(names(1))
      const stopping = worker(2)
      await until(() => stopping.underWay.size === 1)
      await stopping.consumer.stop(10, () => endAll(stopping))
      expect(stopping.underWay.size).toBe(0)
    })
  })
})
