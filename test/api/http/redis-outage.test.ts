import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createApiRedis } from '../../../src/redis/connect.ts'
import { patience } from '../../support/patience.ts'
import { type OwnRedis, ownRedis } from '../../support/redis.ts'
import { readEvents, told } from '../event-stream.ts'
import {
  type Answer,
  call,
  chat,
  endJob,
  openTestApi,
  submitJob,
  type TestApi,
  waitedFor,
} from '../test-api.ts'

let server: OwnRedis
let api: TestApi
beforeEach(async () => {
  server = await ownRedis()
  api = await openTestApi({ redis: { url: server.url, prefix: 'outage' } })
})
afterEach(async () => {
  server.thaw()
  await api[Symbol.asyncDispose]()
  await server.stop()
})

const post = () => call(api, 'POST', '/v1/jobs', { body: { body: chat() } })

const expectUnavailable = (answer: Answer): void => {
  expect([answer.status, answer.json.error.code]).toEqual([503, 'redis_unavailable'])
  expect(answer.headers.get('retry-after')).toBe('2')
  expect(answer.json.request_id).toBe(answer.headers.get('x-request-id'))
}

const timed = async <T>(act: () => Promise<T>): Promise<[T, number]> => {
  const startedMs = performance.now()
  return [await act(), performance.now() - startedMs]
}

const recovers = () =>
  vi.waitUntil(async () => (await post()).status === 202, { timeout: 10_000, interval: 20 })

const requests = (id: string): readonly (() => Promise<Answer>)[] => [
  post,
  () => call(api, 'GET', `/v1/jobs/${id}`),
  () => call(api, 'GET', '/v1/jobs'),
  () => call(api, 'POST', `/v1/jobs/${id}/cancel`),
  () => call(api, 'POST', `/v1/jobs/${id}/retry`),
  () => call(api, 'GET', '/v1/dead-letters'),
  () => call(api, 'GET', '/v1/providers'),
  () => call(api, 'POST', '/v1/chat/completions', { body: chat() }),
]

describe('the API in an outage of Redis', () => {
  describe('while Redis is gone', () => {
    it('everything that needs it answers 503 at once, and works again when it is back', async () => {
      const { id } = await submitJob(api)
      await server.kill()
      await vi.waitUntil(() => api.redis.status !== 'ready', patience)
      for (const request of requests(id)) {
        const [answer, tookMs] = await timed(request)
        expectUnavailable(answer)
        expect(tookMs).toBeLessThan(5_000)
      }
      expect((await call(api, 'GET', '/readyz')).json).toEqual({
        status: 'unavailable',
        reason: 'redis_unavailable',
      })
      expect((await call(api, 'GET', '/healthz')).status).toBe(200)

      await server.restart()
      await recovers()
      expect((await call(api, 'GET', '/readyz')).json).toEqual({ status: 'ready' })
    })
  })

  describe('a request that waits for its answer', () => {
    it('outlasts an outage', async () => {
      const answer = call(api, 'POST', '/v1/chat/completions', { body: chat() })
      const id = await waitedFor(api)
      await server.kill()
      await server.restart()
      await recovers()
      await endJob(api, id)
      expect(await answer).toMatchObject({ status: 200, text: '{"object":"chat.completion"}' })
    })

    it('stays when its subscription is back before the record can be read', async () => {
      const answer = call(api, 'POST', '/v1/chat/completions', { body: chat() })
      const id = await waitedFor(api)
      const bystander = createApiRedis(server.url, api.parts.log)
      await new Promise(ready => bystander.once('ready', ready))
      api.redis.disconnect()
      await bystander.client('KILL', 'TYPE', 'PUBSUB')
      const isHeardAgain = async () =>
        ((await bystander.pubsub('CHANNELS', 'outage:health')) as string[]).length > 0
      await vi.waitUntil(isHeardAgain, patience)
      await api.redis.connect()
      await endJob(api, id)
      expect((await answer).status).toBe(200)
      bystander.disconnect()
    })
  })

  describe('a stream of events', () => {
    it('outlasts an outage', async () => {
      const { id } = await submitJob(api)
      const reader = await readEvents(api, id)
      await vi.waitUntil(() => reader.events.length === 1, patience)
      await server.kill()
      await vi.waitUntil(() => api.redis.status !== 'ready', patience)
      const refused = await call(api, 'GET', `/v1/jobs/${id}`, { headers: { accept: 'text/event-stream' } })
      expectUnavailable(refused)
      await server.restart()
      await recovers()
      const claim = await api.parts.store.claim(id, 0, 0, 'token')
      await vi.waitUntil(() => reader.events.length === 2, patience)
      expect(claim).toMatchObject({ id })
      await api.parts.store.cancel(id)
      await reader.ended
      expect(told(reader)).toEqual(['job.queued 0', 'job.running 0', 'job.cancelled 1'])
    })
  })

  describe('while Redis hangs', () => {
    it('a request is answered 503 after one wait for it, of two seconds, and works again when it goes on', async () => {
      const { id } = await submitJob(api)
      server.freeze()
      const [answers, tookMs] = await timed(() => Promise.all(requests(id).map(request => request())))
      for (const answer of answers) expectUnavailable(answer)
      // Four waits in a row would take longer; a busy machine does not make one so long.
      expect(tookMs).toBeLessThan(8_000)
      const [ready, readyMs] = await timed(() => call(api, 'GET', '/readyz'))
      expect(ready.status).toBe(503)
      expect(readyMs).toBeLessThan(5_000)
      server.thaw()
      await recovers()
    })
  })

  it('a full Redis is told as what it is, and serves again once there is room', async () => {
    await api.redis.config('SET', 'maxmemory', '1')
    const refused = await post()
    expect([refused.status, refused.json.error.code]).toEqual([503, 'storage_full'])
    await api.redis.config('SET', 'maxmemory', '0')
    await until(async () => (await post()).status === 202)
  })
})
