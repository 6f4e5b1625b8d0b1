import { Queue } from 'bullmq'
import { type Logger, pino } from 'pino'
import type { BatchStore } from '../../src/batches/store.ts'
import { placeOf } from '../../src/domain/place.ts'
import { createDoorbells, type Doorbells, providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import type { Deliveries } from '../../src/webhooks/deliveries.ts'
import { openStore, type StoreFixture } from '../jobs/store-fixture.ts'

export interface QueueFixture extends StoreFixture {
  readonly doorbells: Doorbells
  /** What the sweeper and the reconciler are made of. */
  readonly parts: Pick<StoreFixture, 'schedule' | 'store'> & {
    readonly doorbells: Doorbells
    readonly readDelivery: BatchStore['readDelivery']
    readonly recoverDelivery: Deliveries['recoverDelivery']
    readonly log: Logger
    readonly now: () => number
  }
  /** Names of the doorbells that wait at a provider, in the order they will be answered. */
  ringingAt(provider: string): Promise<readonly string[]>
  /** Rings a doorbell of a job where its record says that it stands. */
  ring(id: string, doorbell?: string): Promise<void>
  /** BullMQ's own view of a provider's queue, for a test to tamper with. */
  readonly queueOf: (provider: string) => Queue
  shut(): Promise<void>
}

/** A store with real queues and a clock of its own, and nobody who takes care of them. */
export const openQueue = (at?: Parameters<typeof openStore>[0]): QueueFixture => {
  const fixture = openStore(at)
  const { redis, keys, schedule, store, batches, clock } = fixture
  const log: Logger = pino({ level: 'silent' })
  const doorbells = createDoorbells(redis, createScriptRunner(redis), keys)
  const queues = new Map<string, Queue>()
  const queueOf = (provider: string): Queue => {
    const known = queues.get(provider)
    if (known) return known
    const queue = new Queue(queueName(providerQueue(provider)), { connection: redis, prefix: keys.prefix })
    queues.set(provider, queue)
    return queue
  }
  return {
    ...fixture,
    doorbells,
    parts: {
      ...{ schedule, store, doorbells, log, now: () => clock.nowMs },
      readDelivery: batches.readDelivery,
      recoverDelivery: store.recoverDelivery,
    },
    ringingAt: async provider => {
      const waiting = await doorbells.page(providerQueue(provider), 0, 1_000)
      return waiting.map(({ doorbell }) => doorbell)
    },
    ring: async (id, doorbell = `${id}.0.0`) => {
      const record = (await store.read(id))!
      await doorbells.ring({ queue: providerQueue(record.target.provider), doorbell, place: placeOf(record) })
    },
    queueOf,
    shut: async () => {
      await Promise.all([...queues.values()].map(queue => queue.close()))
      fixture.close()
    },
  }
}
