import { connect, type Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { patience } from '../../support/patience.ts'
import { testRedis } from '../../support/redis.ts'
import { readEvents, told } from '../event-stream.ts'
import { field, file, postForm } from '../forms.ts'
import { call, chat, endJob, openTestApi, submitJob, type TestApi, waitedFor } from '../test-api.ts'

describe('an API that stops', () => {
  it('long polls are answered at once with the job as it stands', async () => {
    await using api = await openTestApi()
    const { id } = await submitJob(api)
    const waiting = call(api, 'GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=60' } })
    await waitedFor(api)
    await api.app.drain(20_000)
    expect(await waiting).toMatchObject({ status: 200, json: { id, status: 'queued' } })
  })

  it('streams of events end at once, and go on in another process', async () => {
    const redis = testRedis()
    await using api = await openTestApi({ redis })
    const { id } = await submitJob(api)
    const reader = await readEvents(api, id)
    await vi.waitUntil(() => reader.events.length === 1, patience)
    const startedMs = performance.now()
    await api.app.drain(20_000)
    await reader.ended
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(told(reader)).toEqual(['job.queued 0'])

    await using other = await openTestApi({ redis })
    const again = await readEvents(other, id, { 'last-event-id': reader.events[0]!.id })
    await endJob(other, id)
    await again.ended
    expect(told(again)).toEqual(['job.succeeded 1'])
  })

  it('a request that waits for its answer still gets it', async () => {
    await using api = await openTestApi()
    const waiting = call(api, 'POST', '/v1/chat/completions', { body: chat() })
    const id = await waitedFor(api)
    const drained = api.app.drain(20_000)
    await endJob(api, id)
    const answer = await waiting
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    await drained
  })

  it('a download that has begun is sent to its end, and its connection is not kept', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>()
    await using api = await openTestApi({
      blobs: disk => ({
        ...disk,
        read: async function* (key) {
          yield* disk.read(key, { start: 0, end: 1 })
          await gate
          yield* disk.read(key, { start: 1, end: 3 })
        },
      }),
    })
    const form = [file('abc'), field('purpose', 'batch')]
    const { id } = (await postForm(api, '/v1/files', form)).json
    const download = await fetch(`${api.url}/v1/files/${id}/content`)
    const startedMs = performance.now()
    const drained = api.app.drain(20_000)
    openGate()
    expect(await download.text()).toBe('abc')
    await drained
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('a request still waiting at the deadline is answered 503, and its job, which nobody will ask for, is cancelled', async () => {
    await using api = await openTestApi()
    const waiting = call(api, 'POST', '/v1/messages', { body: { ...chat(), model: 'claude' } })
    const id = await waitedFor(api)
    const startedMs = performance.now()
    await api.app.drain(1_200)
    expect(performance.now() - startedMs).toBeLessThan(1_500)
    const answer = await waiting
    expect([answer.status, answer.json.error.details.error_code]).toEqual([503, 'shutting_down'])
    expect(answer.headers.get('x-baton-job-id')).toBe(id)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await api.parts.store.read(id))?.status).toBe('cancelled')
  })

  it('the job of one with a key goes on, for its client comes again with the key', async () => {
    const redis = testRedis()
    const headers = { 'idempotency-key': 'k-1' }
    await using api = await openTestApi({ redis })
    const waiting = call(api, 'POST', '/v1/chat/completions', { body: chat(), headers })
    const id = await waitedFor(api)
    await api.app.drain(0)
    expect((await waiting).status).toBe(503)
    expect((await api.parts.store.read(id))?.status).toBe('queued')

    await using other = await openTestApi({ redis })
    const again = call(other, 'POST', '/v1/chat/completions', { body: chat(), headers })
    expect(await waitedFor(other)).toBe(id)
    await endJob(other, id)
    const answer = await again
    expect([answer.status, answer.headers.get('x-baton-job-id')]).toEqual([200, id])
  })

  it('an answer that comes in the last moment is given', async () => {
    await using api = await openTestApi()
    const waiting = call(api, 'POST', '/v1/chat/completions', { body: chat() })
    const id = await waitedFor(api)
    const { store } = api.parts
    const { cancel } = store
    // It ends just before the cancel reaches Redis.
    store.cancel = async id => {
      await endJob(api, id)
      return cancel(id)
    }
    await api.app.drain(0)
    expect((await waiting).status).toBe(200)
    expect((await store.read(id))?.status).toBe('succeeded')
  })

  it('it says that it leaves and serves on for a while, and closes each connection', async () => {
    await using api = await openTestApi({ config: { server: { drain_delay: '1s' } } })
    const probe = async () => {
      const [ready, alive] = await Promise.all([call(api, 'GET', '/readyz'), call(api, 'GET', '/healthz')])
      return [ready.status, alive.status, alive.headers.get('connection')]
    }
    expect(await probe()).toEqual([200, 200, 'keep-alive'])
    const drained = api.app.drain(20_000)
    expect(await probe()).toEqual([503, 200, 'close'])
    expect((await call(api, 'GET', '/readyz')).json).toEqual({
      status: 'unavailable',
      reason: 'shutting_down',
    })
    const { id } = await submitJob(api)
    expect((await api.parts.store.read(id))?.status).toBe('queued')
    await drained
    await expect(call(api, 'GET', '/healthz')).rejects.toThrow()
  })

  /** A connection on which something was sent, and the server has read it. */
  const openSocket = async (api: TestApi, head: string): Promise<Socket> => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    socket.setEncoding('utf8')
    await new Promise<unknown>(sent => socket.write(head, sent))
    // The server reads its connections in turn, so by now this one has been read too.
    await call(api, 'GET', '/healthz')
    return socket
  }

  it('a request that arrives on an open connection is refused', async () => {
    await using api = await openTestApi()
    const socket = await openSocket(api, 'GET /v1/jobs HTTP/1.1\r\n')
    const drained = api.app.drain(20_000)
    socket.write('host: x\r\n\r\n')
    const answer = (await socket.toArray()).join('')
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(answer).toContain('"code":"shutting_down"')
    await drained
  })

  it('a client that never finishes its request does not hold the process', async () => {
    await using api = await openTestApi()
    const head =
      'POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{'
    const socket = await openSocket(api, head)
    socket.on('error', () => undefined)
    const startedMs = performance.now()
    await api.app.drain(1_000)
    expect(performance.now() - startedMs).toBeLessThan(1_500)
    socket.destroy()
  })
})
