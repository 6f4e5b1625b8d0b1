import { Worker } from 'bullmq'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { createConsumer } from '../../src/queue/consumer.ts'
import { providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'
import { ringOf } from './rings.ts'

// What the ready list builds on beside BullMQ's public API, so that an update of BullMQ cannot take it away in silence.

let q: QueueFixture
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

const queue = providerQueue('first')

/** A BullMQ worker that says when it was woken, and finds nothing. */
class Sleeper extends Worker {
  wakings = 0

  protected override async moveToActive() {
    this.wakings += 1
    return this.nextJobFromJobData()
  }
}

const sleeper = (): Sleeper => {
  const worker = new Sleeper(queueName(queue), async () => undefined, {
    ...{ connection: q.redis, prefix: q.keys.prefix, autorun: false, skipVersionCheck: true },
    // It would look by itself far later than the test has time.
    ...{ drainDelay: 600, skipStalledCheck: true },
  })
  worker.on('error', () => undefined)
  onTestFinished(() => worker.close(true))
  void worker.run()
  return worker
}

const answering = (adopt?: (doorbells: readonly string[]) => Promise<void>): string[] => {
  const answered: string[] = []
  const consumer = createConsumer({
    ...{ queue, concurrency: 5, redis: q.redis, doorbells: q.doorbells, keys: q.keys, log: q.parts.log },
    handle: async doorbell => void answered.push(doorbell),
    ...(adopt && { adopt }),
  })
  onTestFinished(() => consumer.stop(0, () => undefined))
  consumer.start()
  return answered
}

describe('a BullMQ worker', () => {
  it('that found nothing sleeps, and is woken by the marker that a push sets', async () => {
    const worker = sleeper()
    await until(() => worker.wakings === 1)
    await q.doorbells.ring(ringOf(queue, 'job_1.0.0'))
    await until(() => worker.wakings === 2)
    expect(await q.redis.exists(`${q.keys.prefix}:${queueName(queue)}:marker`)).toBe(0)
    await q.doorbells.ring(ringOf(queue, 'job_2.0.0'))
    await until(() => worker.wakings === 3)
  })

  it('is one of several that sleep on the marker: one push wakes one', async () => {
    const workers = [sleeper(), sleeper()]
    await until(() => workers.every(({ wakings }) => wakings === 1))
    await q.doorbells.ring(ringOf(queue, 'job_1.0.0'))
    await q.doorbells.ring(ringOf(queue, 'job_2.0.0'))
    await until(() => workers.reduce((sum, { wakings }) => sum + wakings, 0) === 4)
  })

  it('stands beside the ready list, in the slot of its queue', () => {
    const tag = /\{[^}]*\}/.exec(q.queueOf('first').toKey('marker'))![0]
    expect(q.keys.ready(queue)).toContain(tag)
    expect(q.queueOf('first').toKey('meta')).toBe(`${q.keys.prefix}:${tag}:meta`)
  })
})

describe('a queue', () => {
  it('that a tool for BullMQ paused gives nothing until it is resumed', async () => {
    await q.queueOf('first').pause()
    const answered = answering()
    await q.doorbells.ring(ringOf(queue, 'job_1.0.0'))
    const ask = { chunk: 'c', most: 5, worker: 'w', free: 5, claimed: [] }
    expect(await q.doorbells.take(queue, ask)).toEqual({ doorbells: [], waiting: 1, paused: true })
    expect(answered).toEqual([])
    await q.queueOf('first').resume()
    await until(() => answered.length === 1)
  })

  it('may still hold BullMQ jobs with doorbells, of an older version or added by hand: they are taken over', async () => {
    await q.queueOf('first').add('j', { d: 'job_1.0.0 job_2.0.0' }, { jobId: '2.old.0' })
    await q.queueOf('first').add('j', {}, { jobId: 'job_3.0.0' })
    const adopted: string[] = []
    const answered = answering(async doorbells => {
      adopted.push(...doorbells)
      await q.doorbells.ringAll(doorbells.map(doorbell => ringOf(queue, doorbell)))
    })
    await until(() => answered.length === 3)
    expect(adopted.toSorted()).toEqual(['job_1.0.0', 'job_2.0.0', 'job_3.0.0'])
    expect(await q.queueOf('first').getJobCounts()).toMatchObject({ waiting: 0, active: 0 })
  })
})
