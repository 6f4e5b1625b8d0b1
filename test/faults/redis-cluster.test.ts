import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../harness/redis/node.ts'
import { type ClusterTopology, startClusterTopology } from '../../harness/redis/topology.ts'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { desk as deskOf, idsOf } from '../api/batch-deployment.ts'
import { call } from '../api/test-api.ts'
import { lines, rows } from '../batches/batch-desk.ts'
import { sendPatiently, usersOf } from './patient-senders.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const atOnce = 20

let cluster: ClusterTopology
let rig: Rig
let url: string
const receiver = createWebhookReceiver({ secret })

beforeAll(async () => {
  cluster = await startClusterTopology()
  await receiver.start()
  rig = await openRig({
    // Every call of every test asks for room; of requests and tokens there are enough.
    provider: { limits: { concurrency: atOnce, rpm: 100_000, tpm: 100_000_000 } },
    scripts: ['hang', 'fail-429-then-ok'],
    routes: { shared: { provider: 'first', cache: {}, mirror: { to: 'spare', sample: 1 } } },
    config: {
      redis: { ...cluster.config, prefix: 'spread' },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
  })
  url = (await rig.api.logged('api listening')).url as string
  const { site } = rig
  await Promise.all(['first', 'first', 'second', 'webhooks', 'batches'].map(name => site.worker(name)))
})
afterAll(async () => {
  await rig?.close()
  await receiver.stop()
  await cluster?.stop()
})

const keysOn = (port: number) => ask(port, redis => redis.keys('spread:*'))

// Fail-overs are timed in seconds, and five to ten processes take part: on a machine that others keep busy one may be late.
const patience = { retry: 1 }

describe('Baton on a Redis Cluster', () => {
  describe('on three masters', patience, () => {
    it('jobs of all shards are answered once, and their webhooks delivered', async () => {
      const { client, first } = rig
      // With keys of their own, jobs are spread over the shards.
      const users = usersOf(150)
      const webhook = { url: receiver.url }
      const ids = await Promise.all(
        users.map(user => submitted(client, { model: 'plain', user, key: user, webhook })),
      )
      const jobs = await Promise.all(ids.map(id => client.ended(id)))
      expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
      expect(first.calls.identities).toEqual(Object.fromEntries(users.map(user => [user, 1])))
      await receiver.waitFor(() => receiver.events.length === users.length)
      expect((await client.all()).map(job => job.id).sort()).toEqual(ids.toSorted())
      for (const { port } of cluster.masters) expect((await keysOn(port))!.length).toBeGreaterThan(0)
    })

    it('a request that comes again finds its job, and a cancel reaches the call', async () => {
      const { client, first } = rig
      const order = { model: 'hang', user: 'twice', key: 'twice' }
      const id = await submitted(client, order)
      expect(await submitted(client, order)).toBe(id)
      await client.reached(id, 'running')
      await until(() => first.calls.inFlight === 1)
      expect(await client.cancel(id)).toMatchObject({ status: 200, body: { status: 'cancelled' } })
      await until(() => first.calls.inFlight === 0, 2_000)
    })

    it('calls are limited over all workers, and what they had is there again when they end', async () => {
      const { client, first } = rig
      first.reset()
      first.script({ latency: { kind: 'fixed', ms: 50 } })
      const users = usersOf(150, 'limited')
      const ids = await Promise.all(users.map(user => submitted(client, { model: 'plain', user, key: user })))
      const jobs = await Promise.all(ids.map(id => client.ended(id)))
      expect(jobs.every(job => job.status === 'succeeded' && job.attempts.length === 1)).toBe(true)
      expect(first.calls).toMatchObject({ calls: 150, maxInFlight: atOnce })
      first.script({})
      await until(async () => {
        const { data } = (await call({ url }, 'GET', '/v1/providers')).json
        return data[0].limits.seen.every((meter: { calls_in_flight: number }) => meter.calls_in_flight === 0)
      })
    })

    it('a request may wait for its answer', async () => {
      const body = { model: 'plain', user: 'waits', messages: [{ role: 'user', content: 'hello' }] }
      const answer = await call({ url }, 'POST', '/v1/chat/completions', { body })
      expect(answer).toMatchObject({ status: 200, json: { object: 'chat.completion' } })
    })

    it('identical requests share a call, and a mirror is asked, whatever the slots', async () => {
      const { first } = rig
      first.reset()
      const prompts = Array.from({ length: 40 }, (_, i) => `prompt ${i}`)
      const ask = (content: string) =>
        call({ url }, 'POST', '/v1/chat/completions', {
          body: { model: 'shared', messages: [{ role: 'user', content }] },
        })
      const answers = await Promise.all([...prompts, ...prompts, ...prompts].map(ask))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(first.calls.calls).toBe(prompts.length)
      expect(answers.filter(({ headers }) => headers.get('x-baton-cache') === 'hit')).toHaveLength(80)
      await until(async () => (await call({ url }, 'GET', '/v1/mirrors')).json.data[0].compared === 40)
    })

    it('a batch goes through files, with a line of output for each of its input', async () => {
      const desk = deskOf(new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }))
      const batch = await desk.ended((await desk.submit(lines(400, 'chain'))).id)
      expect(batch).toMatchObject({
        status: 'completed',
        request_counts: { total: 400, completed: 400, failed: 0 },
      })
      expect(idsOf(await desk.output(batch))).toEqual(rows(400))
    })

    it('a webhook that was given up stands in the dead letters', async () => {
      receiver.script({ kind: 'status', status: 410 })
      const id = await submitted(rig.client, { model: 'plain', user: 'gone', webhook: { url: receiver.url } })
      await until(async () => (await call({ url }, 'GET', '/v1/dead-letters')).text.includes(id))
    })
  })

  describe('a process on three masters', patience, () => {
    it('stops when it is asked to', async () => {
      const worker = await rig.site.worker('first')
      worker.signal('SIGTERM')
      expect(await worker.exited).toEqual({ code: 0, signal: null })
    })
  })

  describe('when a master is killed', patience, () => {
    it('submissions are refused at once, and all goes on when it is back', async () => {
      const { client, first } = rig
      first.script({ latency: { kind: 'uniform', minMs: 20, maxMs: 200 } })
      const { ids, done } = sendPatiently(client, usersOf(200, 'late'), { model: 'plain' })
      await until(() => ids.size > 60)
      const [, doomed] = cluster.masters
      await doomed!.kill()
      await until(async () => (await call({ url }, 'GET', '/readyz')).status === 503)
      // Each shard's own key, so that one of them is where nobody answers.
      const asked = Array.from({ length: 24 }, async (_, i) => {
        const startedMs = performance.now()
        const body = {
          body: { model: 'plain', user: `probe-${i}`, messages: [{ role: 'user', content: 'x' }] },
        }
        const { status, headers } = await call({ url }, 'POST', '/v1/jobs', {
          body,
          headers: { 'idempotency-key': `p${i}` },
        })
        return { status, retryAfter: headers.get('retry-after'), tookMs: performance.now() - startedMs }
      })
      const answers = await Promise.all(asked)
      expect(answers).toContainEqual(expect.objectContaining({ status: 503, retryAfter: '2' }))
      expect(answers.filter(({ status }) => status !== 202 && status !== 503)).toEqual([])
      expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(3_000)

      await doomed!.restart()
      const backMs = performance.now()
      await done
      const jobs = await Promise.all([...ids.values()].map(id => client.ended(id)))
      console.log(`all went on ${Math.round(performance.now() - backMs)} ms after the master was back`)
      expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
      for (const job of jobs) expect(job.attempts.filter(a => a.verdict === 'ok')).toHaveLength(1)
    })
  })

  describe('when a master is killed that has a replica', patience, () => {
    it('the replica takes over, and every accepted job ends once', async () => {
      const topology = await startClusterTopology({ replicas: 1 })
      const redis = { ...topology.config, wait_replicas: 1 }
      const own = await openRig({ config: { redis } })
      try {
        const { site, client, first } = own
        await Promise.all([site.worker('first'), site.worker('first')])
        first.script({ latency: { kind: 'uniform', minMs: 20, maxMs: 100 } })
        const { ids, done } = sendPatiently(client, usersOf(150), { model: 'plain' })
        await until(() => ids.size > 50)
        const ownUrl = (await own.api.logged('api listening')).url as string
        const isReady = async () => (await call({ url: ownUrl }, 'GET', '/readyz')).status === 200
        const [master] = topology.masters
        await master!.kill()
        const killedMs = performance.now()
        await until(async () => !(await isReady()))
        await until(isReady)
        console.log(`the replica took over ${Math.round(performance.now() - killedMs)} ms after the kill`)
        // It follows its heir now: without any replica nothing more would be accepted there.
        await master!.restart()
        await done
        const jobs = await Promise.all([...ids.values()].map(id => client.ended(id)))
        expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
        for (const job of jobs) expect(job.attempts.filter(a => a.verdict === 'ok')).toHaveLength(1)
      } finally {
        await own.close()
        await topology.stop()
      }
    }, 60_000)
  })
})
