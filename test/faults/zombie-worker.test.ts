import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Child, LogLine } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const rival = 'slow-300ms-then-ok'
const slowRival = 'slow-300ms-then-slow-3000ms'

/** A dollar a call, or nearly: those that were made and answered can be counted by their price. */
const price = { input: 1_000, output: 1_000 }
const priced = { [rival]: { provider: 'first', price }, [slowRival]: { provider: 'first', price } }

let rig: Rig
let receiver: WebhookReceiver
beforeEach(async () => {
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
  rig = await openRig({
    routes: priced,
    // With room for more it would hear the next doorbell, and sleep on it for BullMQ's 5 s.
    provider: { concurrency: 1 },
    config: { webhooks: { secret, allowed_networks: ['127.0.0.0/8'] } },
  })
  await rig.site.worker('webhooks')
})
afterEach(async () => {
  await rig.close()
  await receiver.stop()
})

/** A job whose worker was stopped in the middle of its call, with another worker beside it. */
const stopMidCall = async (model: string) => {
  const { site, client, first } = rig
  const zombie = await site.worker('first')
  const webhook = { url: receiver.url }
  const id = await submitted(client, { model, user: model, webhook })
  await until(() => first.calls.calls === 1)
  zombie.signal('SIGSTOP')
  return { id, zombie, other: await site.worker('first') }
}

const finishLine = (worker: Child): Promise<LogLine> => worker.logged('job finished')

describe('a worker taken for dead', () => {
  it('keeps the result when a worker that was taken for dead comes back with another', async () => {
    const { client, first } = rig
    const { id, zombie } = await stopMidCall(rival)
    const job = await client.ended(id)
    expect(job.attempts.map(a => a.verdict ?? a.reason)).toEqual(['worker_lost', 'ok'])
    await until(async () => (await client.read(id)).webhook?.status === 'delivered')
    const before = await client.read(id)

    zombie.signal('SIGCONT')
    expect(await finishLine(zombie)).toMatchObject({ jobId: id, status: 'succeeded', written: false })
    const after = await until(async () => {
      const job = await client.read(id)
      return job.attempts[0]!.verdict && job
    })
    expect(after).toEqual({
      ...before,
      attempts: [expect.objectContaining({ verdict: 'ok' }), before.attempts[1]],
      cost_usd: expect.any(Number),
      started_at: expect.any(Number),
    })
    // Before, the time of its claim stood for that of the call, which came some ms later: perhaps in the next second.
    expect([0, 1]).toContain(after.started_at! - before.started_at!)
    expect(after.cost_usd).toBeCloseTo(2 * before.cost_usd!, 8)
    expect(first.calls.identities).toEqual({ [rival]: 2 })
    expect(receiver.deliveries).toHaveLength(1)
  })

  it('takes the first good answer, even from a worker that was taken for dead', async () => {
    const { client, first } = rig
    const { id, zombie, other } = await stopMidCall(slowRival)
    await until(() => first.calls.calls === 2)
    const stolenAt = Date.now()
    zombie.signal('SIGCONT')
    const job = await client.ended(id)
    expect(await finishLine(zombie)).toMatchObject({ jobId: id, status: 'succeeded', written: true })
    expect(job.attempts).toHaveLength(2)
    expect(job.attempts[1]).toMatchObject({ verdict: 'ok', cost_usd: job.cost_usd })
    expect(job.attempts[1]!.started_at * 1_000).toBeLessThan(stolenAt - 1_000)

    await until(async () => (await client.read(id)).webhook?.status === 'delivered')
    // The other call is dropped, and on the bill.
    expect(await other.logged('attempt interrupted')).toMatchObject({ jobId: id })
    await until(() => first.calls.inFlight === 0)
    const after = await until(async () => {
      const job = await client.read(id)
      return job.attempts[0]!.reason === 'cancelled' && job
    })
    expect(after.attempts).toEqual([
      expect.objectContaining({ verdict: null, possibly_billed: true, duration_ms: expect.any(Number) }),
      job.attempts[1],
    ])
    expect(first.calls.identities).toEqual({ [slowRival]: 2 })
    expect(receiver.deliveries).toHaveLength(1)
  })
})
