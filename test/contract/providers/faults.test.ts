import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapters } from './adapters.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }

/** A server that speaks whatever `talk` writes to the socket. */
const openSocketServer = async (talk: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const breakOffAfter =
  (written: string): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write(written, () => response.destroy())
  }

const faults: {
  fault: string
  respond: RequestListener
  settings?: Record<string, unknown>
  outcome: Record<string, unknown>
}[] = [
  {
    fault: 'a reset before the answer',
    respond: (_request, response) => response.socket?.resetAndDestroy(),
    outcome: { kind: 'break', reason: 'reset', sent: true },
  },
  {
    fault: 'a close before the answer',
    respond: (_request, response) => response.destroy(),
    outcome: { kind: 'break', reason: 'reset', sent: true },
  },
  {
    fault: 'an answer shorter than announced',
    respond: breakOffAfter('{"half":'),
    outcome: { kind: 'break', reason: 'reset', sent: true },
  },
  {
    fault: 'a chunked answer that ends early',
    respond: (_request, response) => response.write('{"half":', () => response.destroy()),
    outcome: { kind: 'break', reason: 'reset', sent: true },
  },
  {
    fault: 'no answer in time',
    respond: () => {},
    settings: { timeout: '500ms' },
    outcome: { kind: 'break', reason: 'timeout', sent: true },
  },
  {
    fault: 'a body that stalls',
    respond: (_request, response) => response.write('{'),
    settings: { timeout: '500ms' },
    outcome: { kind: 'break', reason: 'timeout', sent: true },
  },
  {
    fault: 'an answer announced as too large',
    respond: answering(200, 'x'.repeat(100), { 'content-length': '100' }),
    settings: { max_response_bytes: 99 },
    outcome: { kind: 'answer', status: 200, text: '', unread: 'too_large' },
  },
  {
    fault: 'an answer that grows too large',
    respond: (_request, response) => {
      response.write('x'.repeat(60))
      response.write('x'.repeat(60))
    },
    settings: { max_response_bytes: 99 },
    outcome: { kind: 'answer', status: 200, text: '', unread: 'too_large' },
  },
  {
    fault: 'an answer that unpacks too large',
    respond: (_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(10_000))),
    settings: { max_response_bytes: 999 },
    outcome: { kind: 'answer', status: 200, text: '', unread: 'too_large' },
  },
  {
    fault: 'bytes that are not in their encoding',
    respond: (_request, response) => response.setHeader('content-encoding', 'gzip').end('plain'),
    outcome: { kind: 'answer', status: 200, text: '', unread: 'undecodable' },
  },
  {
    fault: 'an answer whose compressed bytes break off',
    respond: (_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('{"half":"of it"}').subarray(0, -9)),
    outcome: { kind: 'break', reason: 'reset', sent: true },
  },
  {
    fault: 'an unknown encoding',
    respond: (_request, response) => response.setHeader('content-encoding', 'rot13').end('nothing'),
    outcome: { kind: 'answer', status: 200, text: '', unread: 'undecodable' },
  },
]

describe("faults of a provider's connection", () => {
  describe.each(adapters)('$name', ({ settings, native, translated }) => {
    describe.each([native[0], translated[0]])('%s', endpoint => {
      test.each(faults)('$fault', async ({ respond, settings: more, outcome }) => {
        const upstream = await openUpstream(respond)
        const provider = openProvider({ ...settings, base_url: upstream.url, ...more })
        expect(await provider.call(requestOf(endpoint, body))).toMatchObject(outcome)
        expect(upstream.arrivals, 'a POST is never repeated').toHaveLength(1)
      })

      test('a refused connection', async () => {
        const provider = openProvider({ ...settings, base_url: `http://127.0.0.1:${await closedPort()}` })
        expect(await provider.call(requestOf(endpoint, body))).toMatchObject({
          kind: 'break',
          reason: 'connect',
          sent: false,
        })
      })

      test('a cancelled call', async () => {
        const cancel = new AbortController()
        const upstream = await openUpstream(() => cancel.abort(new Error('cancelled')))
        const provider = openProvider({ ...settings, base_url: upstream.url })
        expect(await provider.call(requestOf(endpoint, body, { signal: cancel.signal }))).toMatchObject({
          kind: 'break',
          reason: 'aborted',
          sent: true,
          cause: { message: 'cancelled' },
        })
      })

      test('a call cancelled before it began', async () => {
        const upstream = await openUpstream(answering(200, {}))
        const provider = openProvider({ ...settings, base_url: upstream.url })
        expect(await provider.call(requestOf(endpoint, body, { signal: AbortSignal.abort() }))).toMatchObject(
          {
            kind: 'break',
            reason: 'aborted',
            sent: false,
          },
        )
        expect(upstream.arrivals).toEqual([])
      })
    })

    test('an answer that is not JSON', async () => {
      const upstream = await openUpstream(answering(200, '<html>'))
      const provider = openProvider({ ...settings, base_url: upstream.url })
      expect(await provider.call(requestOf(native[0], body))).toMatchObject({
        kind: 'answer',
        status: 200,
        text: '<html>',
        json: undefined,
      })
      expect(await provider.call(requestOf(translated[0], body))).toMatchObject({
        kind: 'answer',
        status: 200,
        text: '<html>',
        json: undefined,
      })
    })
  })

  const open = (base_url: string, more = {}) => openProvider({ type: 'simulated', base_url, ...more })
  const request = requestOf('/v1/chat/completions', body)

  test('bytes that are not HTTP break the call without ending up in its cause', async () => {
    const address = await openSocketServer(socket =>
      socket.once('data', () => socket.end('SECRET ANSWER\r\n\r\n')),
    )
    const outcome = await open(`http://${address}`).call(request)
    expect(outcome).toMatchObject({ kind: 'break', reason: 'protocol', sent: true })
    expect(inspect(outcome, { depth: null })).not.toContain('SECRET')
  })

  test('a server that speaks no TLS was sent nothing', async () => {
    const address = await openSocketServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await open(`https://${address}`).call(request)).toMatchObject({ reason: 'tls', sent: false })
  })

  test('a connection that is never made was sent nothing', async () => {
    const address = await openSocketServer(() => {})
    expect(await open(`https://${address}`, { connect_timeout: '500ms' }).call(request)).toMatchObject({
      reason: 'connect',
      sent: false,
    })
  })

  test('a call cancelled while it connects is not sent, then or once connected', async () => {
    const upstream = await openUpstream(answering(200, {}))
    const provider = open(upstream.url)
    const cancel = new AbortController()
    const cancelled = provider.call({ ...request, body: '"cancelled"', signal: cancel.signal })
    cancel.abort()
    expect(await cancelled).toMatchObject({ reason: 'aborted', sent: false })
    expect(await provider.call(request)).toMatchObject({ status: 200 })
    await provider.close()
    expect(upstream.arrivals.map(({ text }) => text)).not.toContain('"cancelled"')
  })

  test('calls one after another share connections, and one that dies there is not repeated', async () => {
    const sockets: (Socket | null)[] = []
    const upstream = await openUpstream((incoming, response) => {
      if (sockets.includes(incoming.socket)) return incoming.socket.destroy()
      sockets.push(incoming.socket)
      response.end('{}')
    })
    const provider = open(upstream.url)
    const outcomes = [await provider.call(request)]
    while (outcomes.at(-1)?.kind === 'answer') {
      // undici takes a connection back in the turn after its answer.
      await setImmediate()
      outcomes.push(await provider.call(request))
    }
    expect(outcomes.at(-1)).toMatchObject({ kind: 'break', reason: 'reset', sent: true })
    expect(upstream.arrivals).toHaveLength(outcomes.length)
    expect(outcomes.length).toBeLessThan(10)
  })

  test('as many calls run at once as are made', async () => {
    const waiting: (() => void)[] = []
    const upstream = await openUpstream((_request, response) => {
      waiting.push(() => response.end('{}'))
      if (waiting.length === 40) for (const finish of waiting) finish()
    })
    const provider = open(upstream.url)
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => provider.call(request)))
    expect(outcomes.every(outcome => outcome.kind === 'answer')).toBe(true)
  })

  test('the connection used last is used next, so that those of a burst come to their idle end', async () => {
    const waiting: (() => void)[] = []
    const sockets: Socket[] = []
    let together = 5
    const upstream = await openUpstream(({ socket }, response) => {
      sockets.push(socket)
      waiting.push(() => response.end('{}'))
      if (waiting.length < together) return
      for (const finish of waiting.splice(0)) finish()
    })
    const provider = open(upstream.url)
    await Promise.all(Array.from({ length: together }, () => provider.call(request)))
    expect(new Set(sockets).size).toBe(together)
    together = 1
    sockets.length = 0
    for (let i = 0; i < 10; i++) {
      // undici takes a connection back in the turn after its answer.
      await setImmediate()
      await provider.call(request)
    }
    expect(new Set(sockets).size).toBe(1)
  })

  test('closing ends what is under way, and may be repeated', async () => {
    const arrived = Promise.withResolvers<void>()
    const upstream = await openUpstream(() => arrived.resolve())
    const provider = open(upstream.url)
    const outcome = provider.call(request)
    await arrived.promise
    await Promise.all([provider.close(), provider.close()])
    expect(await outcome).toMatchObject({ kind: 'break', reason: 'aborted', sent: true })
    expect(await provider.call(request)).toMatchObject({ kind: 'break', reason: 'aborted', sent: false })
  })
})
