import fc from 'fast-check'
import { parseDoorbell } from '../../../src/queue/doorbell.ts'
import { webhookQueue } from '../../../src/queue/doorbells.ts'
import { sweep } from '../../../src/queue/sweeper.ts'
import type { DeliveryResult } from '../../../src/store/deliveries.ts'
import { type Courier, forget, pick, step, type World } from './world.ts'

/** As a webhook worker begins: a doorbell that is not the one its record waits for ends at once. */
export const takeWebhook = async (world: World): Promise<Courier | null> => {
  const { rig, store, couriers } = world
  const ring = await rig.takeRing(webhookQueue, `ring-${world.tokens++}`)
  if (!ring) return null
  const doorbell = parseDoorbell(ring.doorbells[0]!)
  if (doorbell.kind !== 'webhook') throw new Error(`no doorbell of a webhook: ${ring.doorbells[0]}`)
  const { jobId, attempt } = doorbell
  const record = await store.read(jobId)
  const courier = { ring, jobId, attempt }
  if (record?.delivery?.status === 'pending' && record.delivery.attempts === attempt) couriers.push(courier)
  else await rig.endRing(ring)
  return courier
}

const take = fc.constant(
  step(
    'take a webhook',
    0,
    world => (world.model.all().some(job => job.delivery?.status === 'pending') ? [world] : []),
    async world => {
      await takeWebhook(world)
    },
  ),
)

const deliver = fc
  .tuple(pick, fc.constantFrom('delivered' as const, 'pending' as const, 'dead' as const), fc.boolean())
  .map(([which, status, isSentTwice]) =>
    step(
      `deliver: ${status}${isSentTwice ? ' twice' : ''}`,
      which,
      ({ couriers }) => couriers,
      async ({ store, rig, couriers }, courier) => {
        forget(couriers, courier)
        const { jobId, attempt, ring } = courier
        const nextAtMs = rig.clock.nowMs + 5_000
        const result: DeliveryResult =
          status === 'pending' ? { status, reason: 'status_500', nextAtMs } : { status, reason: '200' }
        await store.recordDelivery(jobId, attempt, result)
        if (isSentTwice) await store.recordDelivery(jobId, attempt, result)
        await rig.endRing(ring)
      },
    ),
  )

/** The worker is stopped in the middle of an attempt. Sweepers may be at work before its ring has ended. */
const giveBack = fc.tuple(pick, fc.boolean()).map(([which, isSwept]) =>
  step(
    `give a webhook back${isSwept ? ' while a sweeper looks' : ''}`,
    which,
    ({ couriers }) => couriers,
    async ({ store, rig, couriers, parts }, courier) => {
      forget(couriers, courier)
      await store.owe(courier.jobId, courier.attempt)
      if (isSwept) await sweep(parts)
      await rig.endRing(courier.ring)
    },
  ),
)

const die = pick.map(which =>
  step(
    'die with a webhook',
    which,
    ({ couriers }) => couriers,
    async ({ couriers, orphans }, courier) => {
      forget(couriers, courier)
      orphans.push(courier)
    },
  ),
)

const redeliver = fc.tuple(pick, fc.boolean()).map(([which, isSentTwice]) =>
  step(
    isSentTwice ? 'redeliver twice' : 'redeliver',
    which,
    ({ model }) => model.all().filter(({ delivery }) => delivery !== null),
    async ({ store }, { id }) => {
      await store.redeliver(id)
      if (isSentTwice) await store.redeliver(id)
    },
  ),
)

export const deliverySteps = { take, deliver, giveBack, die, redeliver }
