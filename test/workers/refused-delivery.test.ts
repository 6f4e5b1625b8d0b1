import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { webhookQueue } from '../../src/queue/doorbells.ts'
import { shardOf } from '../../src/redis/keys.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { createWebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

describe('a delivery that Redis refuses', () => {
  // BullMQ forgets a doorbell that was answered with an error, and the reconciler looks for it only after a minute.
  it('asks again for a delivery that Redis refuses to lease', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const sim = createSimProvider()
    const receiver = createWebhookReceiver({ secret })
    await Promise.all([sim.start(), receiver.start()])
    const { prefix } = testRedis()
    const config = {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: { 'gpt-4': { provider: 'first' } },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    }
    const baton = await openBaton({ level: 'workers', config, prefix })
    const { redis, keys, doorbells } = baton.context
    const id = await baton.chat('gpt-4', { webhook: { url: receiver.url } })
    await baton.ended(id)
    await until(async () => (await doorbells.waiting(webhookQueue)) === 1)

    const schedule = keys.schedule(shardOf(id))
    await redis.set(schedule, 'not a schedule')
    const worker = await openBaton({ level: 'workers', config, prefix, webhooks: true, workers: [] })
    await until(async () => (await redis.info('errorstats')).includes('WRONGTYPE'))
    await until(async () => (await doorbells.waiting(webhookQueue)) === 0)
    await redis.del(schedule)
    await until(() => receiver.events.length === 1)
    expect(receiver.events).toHaveLength(1)

    await Promise.all([worker.stop(), baton.stop()])
    await Promise.all([sim.stop(), receiver.stop()])
  })
})
