import fc from 'fast-check'
import { expect } from 'vitest'
import { deliveryEntry, parseDoorbell, webhookDoorbell } from '../../../src/jobs/doorbell.ts'
import { webhookQueue } from '../../../src/queue/doorbells.ts'
import type { DeliveryResult } from '../../../src/webhooks/deliveries.ts'
import { leaseMs } from '../../jobs/store-fixture.ts'
import { forget, pick, step, type World } from './world.ts'

/** As a webhook worker begins with a chunk: doorbells that are not those their records wait for end at once. */
export const takeWebhooks = async (world: World, isSentTwice = false): Promise<boolean> => {
  const { rig, store, couriers } = world
  const chunk = await rig.takeChunk(webhookQueue, `chunk-${world.tokens++}`)
  if (!chunk) return false
  for (const name of chunk.doorbells) {
    const doorbell = parseDoorbell(name)
    if (doorbell.kind !== 'webhook') throw new Error(`no doorbell of a webhook: ${name}`)
    const { jobId, attempt } = doorbell
    let fields = await store.takeDelivery(jobId, attempt)
    if (isSentTwice && fields) fields = await store.takeDelivery(jobId, attempt)
    if (!fields) continue
    const nowMs = rig.clock.nowMs
    const rival = couriers.find(c => c.jobId === jobId && c.attempt === attempt && c.leasedUntilMs > nowMs)
    // To the millisecond, it could be the same worker that asks again.
    expect(rival === undefined || rival.leasedUntilMs === nowMs + leaseMs, `${name} is taken`).toBe(true)
    couriers.push({ jobId, attempt, leasedUntilMs: nowMs + leaseMs })
  }
  await rig.endChunk(chunk)
  return true
}

const take = fc.boolean().map(isSentTwice =>
  step(
    `take webhooks${isSentTwice ? ' twice' : ''}`,
    0,
    world => (world.model.all().some(job => job.delivery?.status === 'pending') ? [world] : []),
    async world => {
      await takeWebhooks(world, isSentTwice)
    },
  ),
)

const dieWithRing = fc.constant(
  step(
    'die with a chunk of webhooks',
    0,
    world => (world.model.all().some(job => job.delivery?.status === 'pending') ? [world] : []),
    async ({ rig, orphans, ...world }) => {
      const chunk = await rig.takeChunk(webhookQueue, `dead-${world.tokens++}`)
      if (chunk) orphans.push({ chunk })
    },
  ),
)

const renew = pick.map(which =>
  step(
    'renew a webhook',
    which,
    ({ couriers }) => couriers,
    async ({ store, rig }, courier) => {
      await store.renewDelivery(webhookDoorbell(courier.jobId, courier.attempt))
      const [holds] = await rig.schedule.has([deliveryEntry(courier.jobId, courier.attempt)])
      if (holds) courier.leasedUntilMs = rig.clock.nowMs + leaseMs
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
        const { jobId, attempt } = courier
        const nextAtMs = rig.clock.nowMs + 5_000
        const result: DeliveryResult =
          status === 'pending' ? { status, reason: 'status_500', nextAtMs } : { status, reason: '200' }
        await store.recordDelivery(jobId, attempt, result)
        if (isSentTwice) await store.recordDelivery(jobId, attempt, result)
      },
    ),
  )

/** The worker is stopped in the middle of an attempt. */
const giveBack = pick.map(which =>
  step(
    'give a webhook back',
    which,
    ({ couriers }) => couriers,
    async ({ store, couriers }, courier) => {
      forget(couriers, courier)
      await store.reschedule(courier.jobId, courier.attempt)
    },
  ),
)

const die = pick.map(which =>
  step(
    'die with a webhook',
    which,
    ({ couriers }) => couriers,
    async ({ couriers }, courier) => forget(couriers, courier),
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

export const deliverySteps = { take, dieWithRing, renew, deliver, giveBack, die, redeliver }
