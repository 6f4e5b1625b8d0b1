import { afterEach, describe, expect, it } from 'vitest'
import { ask } from '../../harness/redis/node.ts'
import {
  type SentinelTopology,
  type SentinelTopologyOptions,
  startSentinelTopology,
} from '../../harness/redis/topology.ts'
import { until } from '../../harness/until.ts'
import { parseInfo } from '../../src/redis/preflight.ts'
import { call } from '../api/test-api.ts'
import { usersOf } from './patient-senders.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const open = async (options: SentinelTopologyOptions): Promise<SentinelTopology> => {
  const topology = await startSentinelTopology(options)
  cleanups.push(topology.stop)
  return topology
}

const rigOn = async ({ config }: SentinelTopology, redis: object, provider: object = {}): Promise<Rig> => {
  const rig = await openRig({ config: { redis: { ...config, ...redis } }, provider })
  cleanups.push(rig.close)
  return rig
}

const urlOf = async (rig: Rig): Promise<string> => (await rig.api.logged('api listening')).url as string

const replicasOf = async (topology: SentinelTopology) => {
  const master = await topology.master()
  return topology.nodes.filter(node => node !== master)
}

const post = (url: string, key: string) =>
  call({ url }, 'POST', '/v1/jobs', {
    body: { body: { model: 'plain', messages: [{ role: 'user', content: 'hello' }] } },
    headers: { 'idempotency-key': key },
  })

const commandsPerSecond = async (port: number): Promise<number> => {
  const info = await ask(port, redis => redis.info('stats'))
  return Number(parseInfo(info ?? '').get('instantaneous_ops_per_sec'))
}

// What an asynchronous replica can lose, and what bounds it: docs/redis.md says the same in words.
// Fail-overs are timed in seconds, and five to ten processes take part: on a machine that others keep busy one may be late.
const patience = { retry: 1 }

describe('Baton on a Redis with replicas', () => {
  describe('a fail-over to a replica that was behind', patience, () => {
    it('loses a job that was accepted, unless acceptance waited for replicas', async () => {
      const topology = await open({ replicas: 2 })
      const careful = await rigOn(topology, { prefix: 'careful', wait_replicas: 1 })
      const careless = await rigOn(topology, { prefix: 'careless' })
      const [carefulUrl, carelessUrl] = [await urlOf(careful), await urlOf(careless)]
      expect((await post(carefulUrl, 'before')).status).toBe(202)

      const replicas = await replicasOf(topology)
      for (const replica of replicas) await replica.kill()
      const startedMs = performance.now()
      const refusing = post(carefulUrl, 'one')
      // Nobody else waits with it.
      expect((await call({ url: carefulUrl }, 'GET', '/v1/jobs')).status).toBe(200)
      expect(performance.now() - startedMs).toBeLessThan(400)
      const refused = await refusing
      expect(refused).toMatchObject({ status: 503, json: { error: { code: 'not_replicated' } } })
      expect(refused.headers.get('retry-after')).toBe('2')
      expect(performance.now() - startedMs).toBeLessThan(2_000)
      // Also where the job of that key is found already: nobody said that replicas have it.
      expect((await post(carefulUrl, 'one')).status).toBe(503)
      const accepted = await post(carelessUrl, 'one')
      expect(accepted.status).toBe(202)

      await (await topology.master()).kill()
      for (const replica of replicas) await replica.restart()
      const read = () => call({ url: carelessUrl }, 'GET', `/v1/jobs/${accepted.json.id}`)
      await until(async () => (await read()).status === 404, 30_000)
      await until(async () => (await post(carefulUrl, 'one')).status === 202)
      expect((await careful.client.all()).length).toBe(2)
    }, 60_000)
  })

  describe('a master without the replicas that `min-replicas-to-write` asks for', patience, () => {
    it('takes no jobs, and what is under way waits and is called no second time', async () => {
      const topology = await open({ replicas: 1, minReplicasToWrite: 1 })
      const { site, client, first, ...rig } = await rigOn(topology, {}, { concurrency: 5 })
      await Promise.all([site.worker('first'), site.worker('first')])
      const url = (await rig.api.logged('api listening')).url as string
      first.script({ latency: { kind: 'fixed', ms: 1_000 } })
      // More than there is room for, so that workers keep asking for work.
      const users = usersOf(20)
      const ids = await Promise.all(users.map(user => submitted(client, { model: 'plain', user })))
      await until(() => first.calls.inFlight === 10)

      const [replica] = await replicasOf(topology)
      await replica!.kill()
      const refused = await until(async () => {
        const answer = await post(url, 'later')
        return answer.status === 202 ? null : answer
      })
      expect(refused).toMatchObject({ status: 503, json: { error: { code: 'redis_unavailable' } } })
      expect(refused.headers.get('retry-after')).toBe('2')
      expect((await call({ url }, 'GET', `/v1/jobs/${ids[0]}`)).status).toBe(200)
      await until(() => first.calls.inFlight === 0)
      // Ten thousands a second were asked before workers took a breath at each refusal.
      const { port } = await topology.master()
      await until(async () => (await commandsPerSecond(port)) < 2_000, 5_000)

      await replica!.restart()
      const backMs = performance.now()
      const jobs = await Promise.all(ids.map(id => client.ended(id)))
      console.log(`all written ${Math.round(performance.now() - backMs)} ms after the replica was back`)
      expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
      expect(first.calls.identities).toMatchObject(Object.fromEntries(users.map(user => [user, 1])))
      await until(async () => (await post(url, 'later')).status === 202)
      const next = await submitted(client, { model: 'plain', user: 'next' })
      expect((await client.ended(next, 15_000)).status).toBe('succeeded')
      console.log(
        `a new job answered ${Math.round(performance.now() - backMs)} ms after the replica was back`,
      )
    }, 60_000)
  })
})
