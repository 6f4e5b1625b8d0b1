import { Session } from 'node:inspector/promises'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { type Answer, call, chat, endJob, type Json, openTestApi, type TestApi } from '../test-api.ts'

const MB = 1024 * 1024

const config = {
  api_keys: [
    { key: 'one', tenant: 'one' },
    { key: 'two', tenant: 'two' },
    { key: 'watch', tenant: 'two', role: 'operator' },
  ],
  server: {
    max_bytes_in_flight: 8 * MB,
    max_body_bytes: 8 * MB,
    max_waiting: 8,
    max_polls: 2,
    max_streams: 2,
    max_connections: 100,
  },
}

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config })
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${key}`, ...more })
const submit = (key: string, body: unknown = chat(), more = {}): Promise<Answer> =>
  call(api, 'POST', '/v1/jobs', { body: { body }, headers: as(key, more) })

/** One metric of the process, or all samples of its name together. */
const metric = async (name: string): Promise<number> => {
  const { text } = await call(api, 'GET', '/metrics', { headers: as('watch') })
  const lines = text.split('\n').filter(line => line.startsWith(name))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

interface Sender {
  readonly socket: Socket
  readonly answer: () => string
  send(text: string | Buffer): void
}

const begin = async (key: string, headers: readonly string[], path = '/v1/jobs'): Promise<Sender> => {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
  let answer = ''
  socket.on('error', () => undefined)
  socket.setEncoding('utf8').on('data', text => {
    answer += text
  })
  await new Promise(connected => socket.once('connect', connected))
  const lines = ['host: x', 'content-type: application/json', `authorization: Bearer ${key}`, ...headers]
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  return { socket, answer: () => answer, send: text => void socket.write(text) }
}

const refused = (code: string) => ({ status: 503, json: { error: { code } } })

describe('the capacity of the API', () => {
  describe('bodies', () => {
    it('are refused before they are read, where there is no room for what they announce', async () => {
      const first = await begin('one', [`content-length: ${3 * MB}`])
      await until(async () => (await metric('baton_in_flight_bytes')) === 3 * MB)
      // Half of all, but for an eighth of that, is what one of two tenants has.
      const second = await begin('one', [`content-length: ${MB}`, 'expect: 100-continue'])
      await until(() => second.answer().includes('too_many_bytes'))
      expect(second.answer()).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 2\r\n/i)
      expect(second.answer()).not.toContain('100 Continue')
      // Others, and what is small, pass.
      expect(await submit('one')).toMatchObject({ status: 202 })
      const third = await begin('two', [`content-length: ${3 * MB}`])
      await until(async () => (await metric('baton_in_flight_bytes')) === 6 * MB)
      expect(await submit('two')).toMatchObject({ status: 202 })
      for (const { socket } of [first, second, third]) socket.destroy()
      // Given back by clients that go.
      await until(async () => (await metric('baton_in_flight_bytes')) === 0)
      expect(await metric('baton_requests_refused_total{reason="tenant_bytes"}')).toBe(1)
    })

    it('are counted as they come where they do not announce their length', async () => {
      const before = await metric('baton_requests_refused_total')
      const [first, second] = [
        await begin('one', ['transfer-encoding: chunked']),
        await begin('one', ['transfer-encoding: chunked']),
      ]
      const piece = `${(MB).toString(16)}\r\n${'x'.repeat(MB)}\r\n`
      for (let i = 0; i < 2; i += 1) first!.send(piece)
      await until(async () => (await metric('baton_in_flight_bytes')) >= 2 * MB)
      for (let i = 0; i < 3; i += 1) second!.send(piece)
      await until(() => second!.answer().includes('too_many_bytes'))
      expect(await metric('baton_in_flight_bytes')).toBeLessThanOrEqual(3.5 * MB)
      // The other one is not harmed, and answered by what it says.
      first!.send('0\r\n\r\n')
      await until(() => first!.answer().includes('invalid_json'))
      for (const { socket } of [first!, second!]) socket.destroy()
      await until(async () => (await metric('baton_in_flight_bytes')) === 0)
      expect(await metric('baton_requests_refused_total')).toBe(before + 1)
    })

    it('count by what they decode to', async () => {
      const first = await begin('one', [`content-length: ${3 * MB}`])
      await until(async () => (await metric('baton_in_flight_bytes')) === 3 * MB)
      const bomb = gzipSync(JSON.stringify({ body: chat('x'.repeat(6 * MB)) }))
      expect(bomb.length).toBeLessThan(64 * 1024)
      const send = () =>
        fetch(`${api.url}/v1/jobs`, {
          method: 'POST',
          headers: as('one', { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
          body: bomb,
        })
      const answer = await send()
      expect([answer.status, ((await answer.json()) as Json).error.code]).toEqual([503, 'too_many_bytes'])
      first.socket.destroy()
      await until(async () => (await metric('baton_in_flight_bytes')) === 0)
      // Larger than a tenant's share, but there is no other.
      expect((await send()).status).toBe(202)
      await until(async () => (await metric('baton_in_flight_bytes')) === 0)
    })
  })

  /** Waits on a sync path, until the answer or until `leave`. */
  const waitFor = (key: string, content = 'hi'): { answer: Promise<Answer>; leave: () => void } => {
    const leaving = new AbortController()
    const answer = call(api, 'POST', '/v1/chat/completions', {
      body: chat(content),
      headers: as(key),
      signal: leaving.signal,
    })
    answer.catch(() => undefined)
    return { answer, leave: () => leaving.abort() }
  }

  const liveJobs = async (key: string): Promise<string[]> => {
    const { json } = await call(api, 'GET', '/v1/jobs?status=queued&limit=100', { headers: as(key) })
    return json.data.map(({ id }: { id: string }) => id)
  }

  describe('connections', () => {
    it('wait for answers in a number that is bounded, in all and for each tenant', async () => {
      const waiting = Array.from({ length: 4 }, () => waitFor('one'))
      await until(async () => (await metric('baton_waiting_connections{kind="answer"}')) === 4)
      expect(await waitFor('one').answer).toMatchObject(refused('too_many_waiting'))
      waiting.push(waitFor('two'))
      await until(async () => (await metric('baton_waiting_connections{kind="answer"}')) === 5)
      for (const { leave } of waiting) leave()
      await until(async () => (await metric('baton_waiting_connections{kind="answer"}')) === 0)
    })

    it('follow jobs, and poll for them, in a number that is bounded', async () => {
      const { id } = (await submit('one')).json
      const read = (key: string, headers: object, signal?: AbortSignal) =>
        call(api, 'GET', `/v1/jobs/${id}`, { headers: as(key, headers as never), ...(signal && { signal }) })
      for (const [kind, headers] of [
        ['poll', { prefer: 'wait=60' }],
        ['stream', { accept: 'text/event-stream' }],
      ] as const) {
        const leaving = new AbortController()
        const held = read('one', headers, leaving.signal)
        held.catch(() => undefined)
        await until(async () => (await metric(`baton_waiting_connections{kind="${kind}"}`)) === 1)
        const answer = await read('one', headers)
        expect(answer).toMatchObject(refused('too_many_waiting'))
        expect(answer.headers.get('retry-after')).toBe('2')
        leaving.abort()
        await until(async () => (await metric(`baton_waiting_connections{kind="${kind}"}`)) === 0)
      }
    })

    it('hold nothing of their bodies while they wait', async () => {
      const inspector = new Session()
      inspector.connect()
      const heap = async (): Promise<number> => {
        await inspector.post('HeapProfiler.collectGarbage')
        const { heapUsed, external } = process.memoryUsage()
        return heapUsed + external
      }
      const text = JSON.stringify(chat('x'.repeat(3 * MB)))
      // One buffer for all of them: the sender's memory is this process's, too.
      const bytes = Buffer.from(text)
      const known = await liveJobs('two')
      const waiting: Sender[] = []
      const wait = async (): Promise<void> => {
        const sender = await begin('two', [`content-length: ${bytes.length}`], '/v1/chat/completions')
        sender.send(bytes)
        waiting.push(sender)
        await until(async () => (await liveJobs('two')).length === known.length + waiting.length)
        // Its connection waits, and its body counts no more.
        expect(await metric('baton_in_flight_bytes')).toBe(0)
      }
      await wait()
      const before = await heap()
      for (let i = 0; i < 3; i += 1) await wait()
      await until(async () => (await heap()) - before < 3 * MB)
      inspector.disconnect()
      const ids = (await liveJobs('two')).filter(id => !known.includes(id))
      for (const id of ids) await endJob(api, id)
      for (const { answer, socket } of waiting) {
        await until(() => answer().includes('HTTP/1.1 200'))
        socket.destroy()
      }
    })

    it('are bounded themselves, and probes are answered beyond that', async () => {
      const port = Number(new URL(api.url).port)
      const idle = Array.from({ length: 100 }, () => connect(port, '127.0.0.1'))
      await until(async () => (await metric('baton_connections')) >= 100)
      const beyond = await begin('one', [])
      await until(() => beyond.answer().includes('too_many_connections'))
      expect(beyond.answer()).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 2\r\n/i)
      await until(() => beyond.socket.closed)
      const probe = await begin('one', [], '/healthz')
      await until(() => probe.answer().includes('method_not_allowed'))
      probe.socket.destroy()
      for (const socket of idle) socket.destroy()
      await until(async () => (await metric('baton_connections')) < 50)
      const again = await begin('one', [])
      await until(() => again.answer().includes('HTTP/1.1 4'))
      again.socket.destroy()
    })
  })
})
