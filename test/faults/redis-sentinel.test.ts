import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SentinelTopology, startSentinelTopology } from '../../harness/redis/topology.ts'
import { until } from '../../harness/until.ts'
import { isTerminal } from '../../src/domain/job.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { desk as deskOf, idsOf } from '../api/batch-deployment.ts'
import { call } from '../api/test-api.ts'
import { lines, rows } from '../batches/batch-desk.ts'
import { sendPatiently, usersOf } from './patient-senders.ts'
import { openRig, type Rig } from './rig.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const count = 200

let receiver: WebhookReceiver
beforeEach(async () => {
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
})
afterEach(() => receiver.stop())

/** Baton's processes around a topology; `redis` goes beside what says where it is. */
const rigOn = (topology: SentinelTopology, redis: object = {}): Promise<Rig> =>
  openRig({
    config: {
      redis: { ...topology.config, ...redis },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
  })

const urlOf = async (rig: Rig): Promise<string> => (await rig.api.logged('api listening')).url as string

// Fail-overs are timed in seconds, and five to ten processes take part: on a machine that others keep busy one may be late.
const patience = { retry: 1 }

describe('Baton on Redis with Sentinels', () => {
  describe('when the master is killed under load', patience, () => {
    it('every accepted job and line ends once on the new one, which replicas had first', async () => {
      const topology = await startSentinelTopology({ minReplicasToWrite: 1 })
      const rig = await rigOn(topology, { wait_replicas: 1 })
      try {
        const { site, client, first, second } = rig
        await Promise.all(['first', 'first', 'second', 'webhooks', 'batches'].map(name => site.worker(name)))
        first.script({ latency: { kind: 'uniform', minMs: 20, maxMs: 200 } })
        const desk = deskOf(new OpenAI({ baseURL: `${await urlOf(rig)}/v1`, apiKey: 'any' }))
        const batch = await desk.submit(lines(count, 'plain'))
        const order = { model: 'chain', webhook: { url: receiver.url } }
        const { ids, done } = sendPatiently(client, usersOf(count), order)
        await until(() => ids.size > count / 3)
        const seen = (await client.all()).filter(job => isTerminal(job.status))
        const killedMs = performance.now()
        await topology.failover()
        const agreedMs = performance.now() - killedMs
        const acceptedBefore = ids.size
        await until(() => ids.size > acceptedBefore || ids.size === count, 15_000)
        console.log(
          `a new master after ${Math.round(agreedMs)} ms, jobs taken again after ${Math.round(performance.now() - killedMs)} ms`,
        )
        await done

        const jobs = await until(async () => {
          // The Sentinels tell of the new master one by one, and connections are made anew each time.
          const all = await client.all().catch(() => [])
          return all.length >= count && all.every(job => isTerminal(job.status)) ? all : null
        }, 30_000)
        expect(jobs.map(job => job.id).sort()).toEqual([...ids.values()].sort())
        expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
        for (const job of jobs) expect(job.attempts.filter(a => a.verdict === 'ok')).toHaveLength(1)
        // What had its result has the same one.
        for (const { webhook: _, ...job } of seen)
          expect(jobs.find(({ id }) => id === job.id)).toMatchObject(job)
        // Only what was under way can have been called again: 2 workers of 50 calls, of jobs and of lines.
        const calls = { ...second.calls.identities, ...first.calls.identities }
        expect(Object.keys(calls)).toHaveLength(2 * count)
        expect(Object.values(calls).reduce((sum, n) => sum + n - 1, 0)).toBeLessThanOrEqual(100)
        await receiver.waitFor(() => receiver.events.length >= count, 30_000)
        expect(receiver.events).toHaveLength(count)

        const ended = await desk.ended(batch.id)
        expect(ended).toMatchObject({
          status: 'completed',
          request_counts: { total: count, completed: count },
        })
        expect(idsOf(await desk.output(ended))).toEqual(rows(count))
      } finally {
        await rig.close()
        await topology.stop()
      }
    }, 60_000)
  })

  describe('when the master hangs, as one does that is cut off', patience, () => {
    it('requests are refused in time, all goes on with another, and its return changes nothing', async () => {
      const topology = await startSentinelTopology()
      const rig = await rigOn(topology)
      try {
        const { site, client, first } = rig
        await Promise.all([site.worker('first'), site.worker('webhooks')])
        const url = await urlOf(rig)
        first.script({ latency: { kind: 'fixed', ms: 1_500 } })
        const body = { model: 'plain', user: 'waits', messages: [{ role: 'user', content: 'hello' }] }
        const answer = call({ url }, 'POST', '/v1/chat/completions', { body })
        await until(() => first.calls.inFlight === 1)

        const old = await topology.master()
        await old.kill('SIGSTOP')
        const startedMs = performance.now()
        const [refused, ready] = await Promise.all([
          call({ url }, 'POST', '/v1/jobs', { body: { body } }),
          call({ url }, 'GET', '/readyz'),
        ])
        expect(refused).toMatchObject({ status: 503, json: { error: { code: 'redis_unavailable' } } })
        expect(ready.status).toBe(503)
        expect(performance.now() - startedMs).toBeLessThan(2_500)

        await until(async () => (await call({ url }, 'GET', '/readyz')).status === 200, 15_000)
        console.log(
          `ready again ${Math.round(performance.now() - startedMs)} ms after the master began to hang`,
        )
        first.script({ latency: { kind: 'fixed', ms: 10 } })
        const next = sendPatiently(client, ['next'], { model: 'plain', webhook: { url: receiver.url } })
        await next.done
        expect((await client.ended(next.ids.get('next')!)).status).toBe('succeeded')
        expect((await answer).status).toBe(200)
        await receiver.waitFor(() => receiver.events.length === 1)

        await old.kill('SIGCONT')
        const { ids, done } = sendPatiently(client, usersOf(50, 'after'), { model: 'plain' })
        await done
        const jobs = await Promise.all([...ids.values()].map(id => client.ended(id)))
        expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
      } finally {
        await rig.close()
        await topology.stop()
      }
    }, 60_000)
  })
})
