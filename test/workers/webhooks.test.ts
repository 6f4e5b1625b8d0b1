import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { deliveryEntry } from '../../src/jobs/doorbell.ts'
import { shardOf } from '../../src/redis/keys.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { createDeadLetters } from '../../src/webhooks/dead-letters.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`
const lockMs = 1_000
const ownSecret = `whsec_${randomBytes(32).toString('base64')}`

let sim: SimProvider
let baton: Baton
let receiver: WebhookReceiver

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  baton = await openBaton({
    level: 'workers',
    webhooks: true,
    config: {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: {
        'gpt-4': { provider: 'first' },
        'fail-400': { provider: 'first' },
        hang: { provider: 'first' },
      },
      jobs: { lease: `${lockMs}ms` },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'], concurrency: 2 },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await sim.stop()
})
beforeEach(async () => {
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
})
afterEach(() => receiver.stop())

const job = (model = 'gpt-4', url = receiver.url) => baton.chat(model, { webhook: { url } })

/** Waits for the state of the delivery that tells `status` after so many attempts. */
const delivery = (id: string, status: string, attempts: number) =>
  until(async () => {
    const record = await baton.context.store.read(id)
    const now = record?.delivery
    return now?.status === status && now.attempts === attempts ? record : null
  })
/** Brings the next attempt forward, which would be due in minutes. */
const hasten = async (id: string, attempt: number): Promise<void> => {
  const { redis, keys } = baton.context
  await redis.zadd(keys.schedule(shardOf(id)), 'XX', Date.now(), `${id}.w.${attempt}`)
}

describe('the webhook of a job', () => {
  it.each([
    ['gpt-4', 'succeeded'],
    ['fail-400', 'failed'],
  ])('tells once, signed, that %s has %s', async (model, status) => {
    const id = await job(model)
    await receiver.waitFor(deliveries => deliveries.length > 0)
    expect(receiver.events).toEqual([
      expect.objectContaining({
        type: `job.${status}`,
        object: 'event',
        data: expect.objectContaining({ id, object: 'job', status }),
      }),
    ])
    await delivery(id, 'delivered', 1)
    expect(receiver.deliveries).toHaveLength(1)
  })

  it('tells of a cancel', async () => {
    const id = await job('hang')
    await baton.context.store.cancel(id)
    await receiver.waitFor(deliveries => deliveries.length > 0)
    expect(receiver.events).toEqual([expect.objectContaining({ type: 'job.cancelled' })])
  })

  it('is signed with the secret that the job brought', async () => {
    const own = createWebhookReceiver({ secret: ownSecret })
    await own.start()
    await baton.chat('gpt-4', { webhook: { url: own.url, secret: ownSecret } })
    await own.waitFor(deliveries => deliveries.length > 0)
    expect(own.deliveries.map(d => d.isVerified)).toEqual([true])
    await own.stop()
  })

  it('comes again after 5 s, under the same id, where the first attempt failed', async () => {
    receiver.script({ kind: 'status', status: 500 })
    const id = await job()
    const failed = await delivery(id, 'pending', 1)
    expect(failed.delivery!.reason).toBe('status_500')
    const dueAtMs = Number(
      await baton.context.redis.zscore(baton.context.keys.schedule(shardOf(id)), `${id}.w.1`),
    )
    expect(dueAtMs - Date.now()).toBeGreaterThan(3_000)
    expect(dueAtMs - Date.now()).toBeLessThan(6_100)
    await hasten(id, 1)
    await delivery(id, 'delivered', 2)
    const [first] = receiver.deliveries
    expect(receiver.countById).toEqual(new Map([[first!.id, 2]]))
    expect(receiver.events).toHaveLength(1)
  })

  it('stands in the dead letters after its tenth attempt, and can be sent again from the start', async () => {
    receiver.script({ kind: 'status', status: 503, times: 11 })
    const id = await job()
    for (let attempt = 1; attempt <= 9; attempt++) {
      await delivery(id, 'pending', attempt)
      await hasten(id, attempt)
    }
    const dead = await delivery(id, 'dead', 10)
    expect(dead.status).toBe('succeeded')
    const retentionMs = { jobs: 86_400_000, batches: 86_400_000 }
    const letters = createDeadLetters({ ...baton.context, retentionMs })
    expect(await letters.list('default', null, 10)).toContainEqual(expect.objectContaining({ id }))

    expect(await baton.context.deliveries.jobs.redeliver(id)).toBe(true)
    await delivery(id, 'pending', 11) // failed, and is tried again: not dead at once
    await hasten(id, 11)
    await delivery(id, 'delivered', 12)
    expect(receiver.countById).toEqual(new Map([[receiver.deliveries[0]!.id, 12]]))
  })

  it('is given up at once where the receiver says that it is gone', async () => {
    receiver.script({ kind: 'status', status: 410 })
    const id = await job()
    expect((await delivery(id, 'dead', 1)).delivery!.reason).toBe('gone_410')
  })

  it('that leads nowhere leaves the result as it is', async () => {
    const id = await job('gpt-4', 'http://127.0.0.1:1/')
    const record = await delivery(id, 'pending', 1)
    expect(record).toMatchObject({ status: 'succeeded', error: null, response: { statusCode: 200 } })
  })

  it('that is slow does not hold up other jobs', async () => {
    receiver.script({ kind: 'hang', times: Number.POSITIVE_INFINITY })
    await Promise.all(Array.from({ length: 4 }, () => job()))
    await receiver.waitFor(deliveries => deliveries.length === 1) // which is all that this receiver is given
    const startedAt = performance.now()
    const ids = await Promise.all(Array.from({ length: 20 }, () => job()))
    const records = await Promise.all(ids.map(baton.ended))
    expect(new Set(records.map(r => r.status))).toEqual(new Set(['succeeded']))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(receiver.deliveries).toHaveLength(1)
  })

  it('that is slow holds up no other receiver’s, and stays with its worker', async () => {
    const { redis, keys } = baton.context
    receiver.script({ kind: 'hang' })
    const slow = await job()
    await receiver.waitFor(deliveries => deliveries.length === 1)
    const leasedUntilMs = async () =>
      Number(await redis.zscore(keys.schedule(shardOf(slow)), deliveryEntry(slow, 0)))
    const firstLeaseEndsMs = await leasedUntilMs()
    const other = createWebhookReceiver({ secret })
    onTestFinished(() => other.stop())
    await other.start()
    const others = await Promise.all(Array.from({ length: 20 }, () => job('gpt-4', other.url)))
    await Promise.all(others.map(id => delivery(id, 'delivered', 1)))
    await until(async () => (await leasedUntilMs()) > firstLeaseEndsMs + lockMs)
    expect(other.deliveries).toHaveLength(20)
    expect(receiver.deliveries).toHaveLength(1)
    expect((await baton.context.store.read(slow))!.delivery).toMatchObject({ status: 'pending', attempts: 0 })
  })
})
