import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

let rig: Rig
beforeEach(async () => {
  rig = await openRig({
    scripts: ['hang-then-ok'],
    config: { webhooks: { secret, allowed_networks: ['127.0.0.0/8'] } },
  })
})
afterEach(() => rig.close())

describe('a worker that is killed', () => {
  it('answers a job whose worker was killed mid-call, and says that the lost call may be billed', async () => {
    const { site, client, first } = rig
    const doomed = await site.worker('first')
    const id = await submitted(client, { model: 'hang-then-ok', user: 'lost' })
    await until(() => first.calls.calls === 1)
    const heir = site.worker('first')
    await doomed.kill()
    const job = await client.ended(id)
    expect(job.status).toBe('succeeded')
    expect(job.attempts).toEqual([
      expect.objectContaining({ hop: 0, verdict: null, reason: 'worker_lost', possibly_billed: true }),
      expect.objectContaining({ hop: 0, verdict: 'ok', possibly_billed: false }),
    ])
    expect(first.calls.identities).toEqual({ lost: 2 })
    await heir
  })

  it('finishes every job of a worker that is killed again and again, with no call for those that were not under way', async () => {
    const { site, client, first } = rig
    first.script({ latency: { kind: 'fixed', ms: 100 } })
    const users = Array.from({ length: 60 }, (_, i) => `user-${i}`)
    const ids = await Promise.all(users.map(user => submitted(client, { model: 'plain', user })))
    let killed = 0
    while (killed < 3) {
      const worker = await site.worker('first')
      const before = first.calls.calls
      await until(() => first.calls.calls > before, 10_000)
      await worker.kill()
      killed += 1
    }
    await site.worker('first')
    const jobs = await Promise.all(ids.map(id => client.ended(id)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    for (const [i, job] of jobs.entries()) {
      const lost = job.attempts.filter(a => a.reason === 'worker_lost')
      expect(job.attempts).toHaveLength(lost.length + 1)
      // A worker can die after it has the job and before the provider has the call.
      expect(first.calls.identities[users[i]!]).toBeLessThanOrEqual(1 + lost.length)
    }
  })

  it('delivers an event again, under the same id, whose webhook worker was killed mid-delivery', async () => {
    const { site, client } = rig
    const receiver = createWebhookReceiver({ secret })
    await receiver.start()
    receiver.script({ kind: 'hang' })
    const [doomed] = await Promise.all([site.worker('webhooks'), site.worker('first')])
    const id = await submitted(client, { model: 'plain', user: 'told', webhook: { url: receiver.url } })
    await receiver.waitFor(deliveries => deliveries.length === 1)
    const heir = site.worker('webhooks')
    await doomed.kill()
    await receiver.waitFor(deliveries => deliveries.length === 2)
    expect([...receiver.countById.values()]).toEqual([2])
    expect(receiver.events).toEqual([expect.objectContaining({ type: 'job.succeeded' })])
    await until(async () => (await client.read(id)).webhook?.status === 'delivered')
    await heir
    await receiver.stop()
  })
})
