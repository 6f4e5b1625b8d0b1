import { connect } from 'node:net'
import { EventSource } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { type Attempt, jobStatuses } from '../../../src/domain/job.ts'
import { startMonitor } from '../../support/monitor.ts'
import { testRedis } from '../../support/redis.ts'
import { type EventReader, readEvents, told } from '../event-stream.ts'
import { call, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const redisAt = testRedis()
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ redis: redisAt })
})
afterAll(() => api[Symbol.asyncDispose]())

const attempt = (hop: number, verdict: Attempt['verdict'], startedMs: number): Attempt => ({
  hop,
  provider: hop === 0 ? 'openai' : 'anthropic',
  model: hop === 0 ? 'gpt-4' : 'claude-3',
  started_at: startedMs / 1_000,
  duration_ms: 41,
  status_code: verdict === 'ok' ? 200 : 429,
  verdict,
  reason: 'test',
  possibly_billed: false,
})

const claimOf = async (id: string, hop = 0, ring = 0) => {
  const claim = await api.parts.store.claim(id, hop, ring, 'token')
  if (typeof claim === 'string') throw new Error(`the job cannot be claimed: ${claim}`)
  return claim
}

/** A job, and a reader that has read its first event. */
const followed = async (): Promise<{ id: string; reader: EventReader }> => {
  const { id } = await submitJob(api)
  const reader = await readEvents(api, id)
  await until(() => reader.events.length === 1)
  return { id, reader }
}

const expectTold = async (reader: EventReader, ...events: string[]): Promise<void> => {
  await until(() => reader.events.length >= events.length, 5_000)
  expect(told(reader)).toEqual(events)
}

/** Whether the process has nothing to do with a job any more. */
const isForgotten = (id: string): boolean => !api.parts.waiter.awaitedJobs().includes(id)

describe('GET /v1/jobs/{id} as a stream of events', () => {
  describe('a stream', () => {
    it('tells each state of a job once, and ends with the last', async () => {
      const { store } = api.parts
      const { id, reader } = await followed()
      await expectTold(reader, 'job.queued 0')
      const claim = await claimOf(id)
      await expectTold(reader, 'job.queued 0', 'job.running 0')
      await store.retry(claim, 1, [attempt(0, 'transient', 1_000)], 2_000)
      await expectTold(reader, 'job.queued 0', 'job.running 0', 'job.running 1')
      const target = { provider: 'anthropic', model: 'claude-3' }
      const attempts = [attempt(0, 'rate_limited', 2_000)]
      const to = { hop: 1, generation: 0, target, attemptsSpent: 2, attempts }
      await store.park(claim, to, Date.now() + 60_000)
      const before = ['job.queued 0', 'job.running 0', 'job.running 1', 'job.parked 2']
      await expectTold(reader, ...before)
      expect(reader.events.at(-1)!.data).toMatchObject({ provider: 'anthropic', response: null })
      const again = await claimOf(id, 1)
      await store.finalise(again, {
        status: 'succeeded',
        attempts: [attempt(1, 'ok', 3_000)],
        response: { statusCode: 200, body: '{"text":"a\\r\\nb"}' },
        error: null,
        refused: false,
        usage: null,
        costUsd: null,
      })
      await reader.ended
      // That it ran again is told only where it was looked at in between.
      expect(told(reader).filter(line => line !== 'job.running 2')).toEqual([...before, 'job.succeeded 3'])
      expect(reader.events.at(-1)!.data).toEqual((await call(api, 'GET', `/v1/jobs/${id}`)).json)
      expect(new Set(reader.events.map(event => event.id)).size).toBe(reader.events.length)
    })

    it.each([
      ['success', 'succeeded', (id: string) => endJob(api, id)],
      ['failure', 'failed', (id: string) => endJob(api, id, failure)],
      ['being cancelled', 'cancelled', (id: string) => call(api, 'POST', `/v1/jobs/${id}/cancel`)],
      ['its deadline', 'expired', (id: string) => api.parts.store.expire(id, 0)],
    ])('tells of the end by %s at once', async (_, status, end) => {
      const { id, reader } = await followed()
      const startedMs = performance.now()
      await end(id)
      await reader.ended
      expect(performance.now() - startedMs).toBeLessThan(5_000)
      expect(reader.events.map(({ event }) => event)).toEqual(['job.queued', `job.${status}`])
      expect(reader.events.at(-1)!.data).toEqual((await call(api, 'GET', `/v1/jobs/${id}`)).json)
      expect(isForgotten(id)).toBe(true)
    })

    it('of a job that has ended is one event', async () => {
      const { id } = await submitJob(api)
      await endJob(api, id)
      const reader = await readEvents(api, id)
      await reader.ended
      expect(told(reader)).toEqual(['job.succeeded 1'])
      expect(isForgotten(id)).toBe(true)
    })

    it('ends without an end when the record is gone', async () => {
      const { id, reader } = await followed()
      await api.redis.del(...(await api.redis.keys(`${api.prefix}:*:j:${id}`)))
      await reader.ended
      expect(told(reader)).toEqual(['job.queued 0'])
    })

    it('is not kept by caches, nor gathered by proxies', async () => {
      const { reader } = await followed()
      const { headers } = reader.response
      expect([headers.get('cache-control'), headers.get('x-accel-buffering')]).toEqual(['no-store', 'no'])
      expect(headers.get('x-request-id')).toMatch(/^req_/)
      reader.leave()
    })
  })

  describe('a reader that comes back', () => {
    it('is not told again what it saw, but hears at once that it is heard', async () => {
      const { id, reader } = await followed()
      reader.leave()
      const startedMs = performance.now()
      const again = await readEvents(api, id, { 'last-event-id': reader.events[0]!.id })
      expect(performance.now() - startedMs).toBeLessThan(5_000)
      await claimOf(id)
      await expectTold(again, 'job.running 0')
      again.leave()
    })

    it('is told the state of now when it saw an older one', async () => {
      const { id, reader } = await followed()
      reader.leave()
      await endJob(api, id)
      const again = await readEvents(api, id, { 'last-event-id': reader.events[0]!.id })
      await again.ended
      expect(told(again)).toEqual(['job.succeeded 1'])
    })

    it('is told to stay away when it saw the end', async () => {
      const { id } = await submitJob(api)
      await endJob(api, id)
      const reader = await readEvents(api, id)
      await reader.ended
      const headers = { accept: 'text/event-stream', 'last-event-id': reader.events[0]!.id }
      const answer = await call(api, 'GET', `/v1/jobs/${id}`, { headers })
      expect([answer.status, answer.text]).toEqual([204, ''])
    })
  })

  describe('an answer that is no stream', () => {
    it('goes to whoever does not ask for one by name', async () => {
      const { id } = await submitJob(api)
      for (const accept of ['*/*', 'application/json', 'text/event-stream;q=0.5, application/json']) {
        const answer = await call(api, 'GET', `/v1/jobs/${id}`, { headers: { accept } })
        expect([answer.status, answer.json.id]).toEqual([200, id])
      }
    })

    it('goes to a HEAD', async () => {
      const { id } = await submitJob(api)
      const answer = await call(api, 'HEAD', `/v1/jobs/${id}`, { headers: { accept: 'text/event-stream' } })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ])
      expect(isForgotten(id)).toBe(true)
    })

    it('tells what is wrong, as ever', async () => {
      await using guarded = await openTestApi({
        config: {
          api_keys: [
            { key: 'key-a', tenant: 'a' },
            { key: 'key-b', tenant: 'b' },
          ],
        },
      })
      const as = (key: string) => ({ headers: { accept: 'text/event-stream', 'x-api-key': key } })
      const { id } = await submitJob(guarded, {}, as('key-a'))
      const asked = async (key: string, job: string) => {
        const { status, json } = await call(guarded, 'GET', `/v1/jobs/${job}`, as(key))
        return [status, json.error.code]
      }
      expect(await asked('key-b', id)).toEqual([404, 'job_not_found'])
      expect(await asked('key-c', id)).toEqual([401, 'invalid_api_key'])
      expect(await asked('key-a', 'job_nonsense')).toEqual([404, 'job_not_found'])
      expect(guarded.parts.waiter.awaitedJobs()).toEqual([])
    })
  })

  describe('what streams cost', () => {
    const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

    it('nothing once their readers are gone', async () => {
      const { id, reader } = await followed()
      reader.leave()
      await until(() => isForgotten(id))
      const before = timers()
      const readers = await Promise.all(Array.from({ length: 20 }, () => readEvents(api, id)))
      for (const { events } of readers) await until(() => events.length === 1)
      expect(timers()).toBeGreaterThan(before + 10)
      for (const each of readers) each.leave()
      await until(() => isForgotten(id) && timers() <= before)
    })

    it('nothing when their readers do not wait for the answer', async () => {
      const { id } = await submitJob(api)
      const { hostname, port } = new URL(api.url)
      const socket = connect(Number(port), hostname)
      const request = `GET /v1/jobs/${id} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`
      await new Promise<unknown>(sent => socket.write(request, sent))
      socket.destroy()
      await call(api, 'GET', '/healthz')
      await until(() => isForgotten(id))
    })

    it('one read of a job in half a second, for all who follow it', async () => {
      const { id, reader } = await followed()
      const readers = await Promise.all(Array.from({ length: 10 }, () => readEvents(api, id)))
      const monitor = await startMonitor(redisAt.url)
      const reads = () =>
        monitor.commands.filter(line => /^hmget .*:j:/i.test(line) && line.includes(id)).length
      await until(() => reads() > 0)
      const startedMs = performance.now()
      const before = reads()
      await until(() => reads() >= before + 2)
      expect(performance.now() - startedMs).toBeGreaterThan(800)
      for (const each of [reader, ...readers]) each.leave()
      await until(() => isForgotten(id))
      await monitor.stop()
    })
  })

  it('is understood by an EventSource, which does not come back after the end', async () => {
    const { id } = await submitJob(api)
    const source = new EventSource(`${api.url}/v1/jobs/${id}`)
    const heard: string[] = []
    for (const status of jobStatuses) {
      source.addEventListener(`job.${status}`, event => {
        const { type, data, lastEventId } = event as MessageEvent
        heard.push(`${type} ${JSON.parse(data).status} ${lastEventId.split('.').at(-1)}`)
      })
    }
    await until(() => heard.length === 1)
    await endJob(api, id)
    await until(() => source.readyState === source.CLOSED)
    expect(heard).toEqual(['job.queued queued queued', 'job.succeeded succeeded succeeded'])
  })
})
