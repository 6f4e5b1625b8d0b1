import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { until } from '../../../harness/until.ts'
import { requestIdOf } from '../../../src/domain/upstream-request-id.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { collectingSink, openStreams } from './stream-fixture.ts'

const chat = '/v1/chat/completions'

/** How each format shows what the tests look for. */
const formats = [
  {
    path: '/v1/chat/completions',
    ...{ begun: 'partial.choices.0', end: /\[DONE\]\n\n$/, usage: 'completion_tokens', overloaded: 503 },
  },
  {
    path: '/v1/completions',
    ...{ begun: 'partial.choices.0', end: /\[DONE\]\n\n$/, usage: 'completion_tokens', overloaded: 503 },
  },
  {
    path: '/v1/messages',
    ...{ begun: 'partial.content.0', end: /"message_stop"\}\n\n$/, usage: 'output_tokens', overloaded: 529 },
  },
  {
    path: '/v1/responses',
    ...{
      begun: 'partial.output.0',
      end: /^event: response\.completed\n.*\n\n$/m,
      usage: 'output_tokens',
      overloaded: 503,
    },
  },
] as const
const optional = formats.slice(0, 2)

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

const role = chunk({ role: 'assistant', content: '' })
const hello = chunk({ content: 'hello' })
const stop = chunk({}, 'stop')
const done = 'data: [DONE]\n\n'

const respondStream =
  (respond: (response: ServerResponse, request: IncomingMessage) => void): RequestListener =>
  (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    respond(response, request)
  }

const streamFrom = async (respond: RequestListener, settings: Record<string, unknown> = {}) => {
  const upstream = await openUpstream(respond)
  const provider = openProvider({ type: 'openai', api_key: 'k', base_url: `${upstream.url}/v1`, ...settings })
  const stream = async (more: object = {}) => {
    const sink = collectingSink()
    const outcome = await provider.call(
      requestOf(chat, { messages: [], stream: true, ...more }, { stream: sink }),
    )
    return { outcome, sink }
  }
  return { upstream, provider, stream }
}

describe.each(formats)('a native stream of $path', ({ path, begun, end, usage, overloaded }) => {
  test('is the answer that a plain call gets, and goes on event by event', async () => {
    const { sim, provider, body, stream } = await openStreams(path)
    const plain = await provider.call(requestOf(path, body({ stream: undefined }), { model: 'm' }))
    sim.reset()
    const { outcome, sink } = await stream('m')
    const withoutIds = (json: unknown) => JSON.parse(JSON.stringify(json).replace(/sim\d+/g, 'sim'))
    if (plain.kind !== 'answer' || outcome.kind !== 'answer') throw new Error('no answer')
    expect(outcome.status).toBe(200)
    expect(JSON.parse(outcome.text)).toEqual(outcome.json)
    const { usage: _, ...answer } = withoutIds(plain.json) as Record<string, unknown>
    expect(withoutIds(outcome.json)).toMatchObject(answer)
    expect(outcome.json).toHaveProperty(['usage', usage], 5)
    expect(requestIdOf(outcome.headers)).toMatch(/^req_sim/)
    expect(outcome.firstTokenMs).toEqual(expect.any(Number))
    expect(sink.text).toContain('"echo"')
    expect(sink.text).toMatch(end)
    expect(sink.text).not.toContain('completion_tokens')
  })

  test.each(['stream-crlf', 'stream-packets', 'slow-body-20ms', 'stream-slow-tokens-1ms'])(
    '%s changes nothing of what the client reads',
    async script => {
      const { sim, stream } = await openStreams(path)
      const whole = (await stream('m')).sink.text
      sim.reset()
      const { outcome, sink } = await stream(script)
      const told = (text: string) => text.replace(/"model":"[^"]*"|sim\d+|"(?:input|total)_tokens":\d+/g, '')
      expect(told(sink.text)).toBe(told(whole))
      expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
    },
  )

  test.each([
    ['reset', { kind: 'break', reason: 'reset', sent: true }],
    ['stream-reset', { kind: 'break', reason: 'reset', sent: true }],
    ['stream-error-first', { kind: 'answer', status: overloaded }],
    ['stream-json-error', { kind: 'answer', status: 200, json: { error: { message: expect.any(String) } } }],
    ['stream-no-body', { kind: 'answer', status: 200, text: '' }],
    ['fail-429', { kind: 'answer', status: 429 }],
    ['overloaded', { kind: 'answer', status: overloaded }],
    ['html-error', { kind: 'answer', status: 403 }],
  ])('%s is an outcome of its own, and nothing was passed on', async (script, expected) => {
    const { stream } = await openStreams(path)
    const { outcome, sink } = await stream(script)
    expect(outcome).toMatchObject(expected)
    expect(outcome).not.toHaveProperty('partial')
    expect(sink.writes).toEqual([])
  })

  test.each([
    ['reset-mid-body', { reason: 'reset' }],
    ['stream-no-finish', { reason: 'cut_short' }],
    [
      'stream-error-midway',
      { reason: 'error_event', error: { error: { message: expect.stringMatching(/overloaded/i) } } },
    ],
  ])('%s breaks with what had come by then', async (script, expected) => {
    const { stream } = await openStreams(path)
    const { outcome, sink } = await stream(script)
    expect(outcome).toMatchObject({ kind: 'break', sent: true, ...expected })
    expect(outcome).toHaveProperty(begun)
    expect(requestIdOf(outcome.headers ?? {})).toMatch(/^req_sim/)
    expect(sink.text).toContain('"echo"')
    expect(sink.text).not.toMatch(/overloaded/i)
    expect(sink.text).not.toMatch(end)
  })

  test('an end that is missing is added', async () => {
    const { stream } = await openStreams(path)
    const { outcome, sink } = await stream('stream-no-done')
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
    expect(sink.text).toMatch(end)
  })

  test('a stall before the first content is found, and nothing was passed on', async () => {
    const { sim, stream } = await openStreams(path, { stream: { first_token_timeout: '50ms' } })
    const { outcome, sink } = await stream('stream-stall')
    expect(outcome).toMatchObject({ kind: 'break', reason: 'first_token_timeout', sent: true })
    expect(outcome).not.toHaveProperty('partial')
    expect(sink.writes).toEqual([])
    await until(() => sim.calls.inFlight === 0)
  })

  test('the first streams that stall are found before the time of a whole call is over', async () => {
    const { stream } = await openStreams(path, { timeout: '2s' })
    expect((await stream('stream-stall')).outcome).toMatchObject({ reason: 'first_token_timeout' })
    expect((await stream('stream-stall-midway')).outcome).toMatchObject({ reason: 'idle_timeout' })
  })

  test('a stall behind content is found', async () => {
    const { sim, stream } = await openStreams(path, { stream: { idle_timeout: '50ms' } })
    const { outcome, sink } = await stream('stream-stall-midway')
    expect(outcome).toMatchObject({ kind: 'break', reason: 'idle_timeout', sent: true })
    expect(outcome).toHaveProperty(begun)
    expect(sink.text).toContain('"echo"')
    await until(() => sim.calls.inFlight === 0)
  })

  test('events that come in their time keep a stream alive longer than any silence may be', async () => {
    const { stream } = await openStreams(path, { stream: { idle_timeout: '150ms' } })
    const { outcome } = await stream('stream-slow-tokens-60ms')
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
  })

  test('a cancelled stream is aborted', async () => {
    const { sim, provider, body } = await openStreams(path)
    const leave = new AbortController()
    const sink = collectingSink(() => leave.abort('cancelled'))
    const outcome = await provider.call(
      requestOf(path, body(), { model: 'stream-stall-midway', stream: sink, signal: leave.signal }),
    )
    expect(outcome).toMatchObject({ kind: 'break', reason: 'aborted', sent: true })
    await until(() => sim.calls.inFlight === 0)
  })
})

describe.each(optional)('the usage of a stream of $path', ({ path }) => {
  test('is shown to a client that asked for it', async () => {
    const { stream } = await openStreams(path)
    const { sink } = await stream('m', {}, { stream_options: { include_usage: true } })
    expect(sink.text).toContain('"completion_tokens":5')
  })
})

describe('native streams on the wire', () => {
  test('the request asks for a stream and its usage, and keeps every other byte', async () => {
    const { upstream, provider } = await streamFrom(
      respondStream(response => response.end(role + hello + stop + done)),
    )
    const body = '{"model":"a", "seed":12345678901234567890,\n "stream": true, "messages":[]}'
    await provider.call(requestOf(chat, body, { model: 'b', stream: collectingSink() }))
    expect(upstream.arrivals[0]?.text).toBe(
      '{"stream_options":{"include_usage":true},"model":"b", "seed":12345678901234567890,\n "stream": true, "messages":[]}',
    )
    expect(upstream.arrivals[0]?.headers.accept).toBe('text/event-stream')
  })

  test('what precedes the content waits for it, and each packet is one write', async () => {
    const { stream } = await streamFrom(
      respondStream(async response => {
        response.write(': hello\n\n')
        response.write(role)
        await new Promise(resolve => response.write(hello + hello, resolve))
        response.write(hello)
        response.end(stop + done)
      }),
    )
    const { sink } = await stream()
    expect(sink.writes[0]).toBe(`: hello\n\n${role}${hello}${hello}`)
    expect(sink.text).toBe(`: hello\n\n${role}${hello}${hello}${hello}${stop}${done}`)
  })

  test('an answer without content is given whole, and not passed on', async () => {
    const { stream } = await streamFrom(
      respondStream(response => response.end(role + chunk({}, 'content_filter') + done)),
    )
    const { outcome, sink } = await stream()
    expect(outcome).toMatchObject({ status: 200, json: { choices: [{ finish_reason: 'content_filter' }] } })
    expect(sink.writes).toEqual([])
  })

  test('a plain answer to a request for a stream is the answer', async () => {
    const json = {
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    }
    const { stream } = await streamFrom((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    })
    const { outcome, sink } = await stream()
    expect(outcome).toMatchObject({ kind: 'answer', status: 200, json })
    expect(sink.writes).toEqual([])
  })

  test.each([
    ['under another type', { 'content-type': 'text/plain' }, (text: string) => Buffer.from(text)],
    [
      'compressed',
      { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
      (text: string) => gzipSync(text),
    ],
  ])('a stream that comes %s is read in one piece', async (_, headers, written) => {
    const { stream } = await streamFrom((_request, response) => {
      response.writeHead(200, headers).end(written(role + hello + stop + done))
    })
    const { outcome, sink } = await stream()
    expect(outcome).toMatchObject({ json: { choices: [{ message: { content: 'hello' } }] } })
    expect(sink.text).toBe(role + hello + stop + done)
  })

  test('the end of the stream is not waited for behind its last event', async () => {
    const { stream } = await streamFrom(respondStream(response => response.write(role + hello + stop + done)))
    const { outcome } = await stream()
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
  })

  test('a connection is used again by the next stream', async () => {
    const ports = new Set<number | undefined>()
    const { stream } = await streamFrom(
      respondStream((response, { socket }) => {
        ports.add(socket.remotePort)
        response.end(role + hello + stop + done)
      }),
    )
    for (let call = 0; call < 3; call++) await stream()
    expect(ports.size).toBe(1)
  })

  test('comments of a gateway do not pass for a model at work', async () => {
    const { stream } = await streamFrom(
      respondStream(response => {
        response.write(role + hello)
        const beat = setInterval(() => response.write(': beat\n\n'), 10)
        response.on('close', () => clearInterval(beat))
      }),
      { stream: { idle_timeout: '100ms' } },
    )
    expect((await stream()).outcome).toMatchObject({ kind: 'break', reason: 'idle_timeout' })
  })

  test('a stream that is larger than an answer may be breaks with what came', async () => {
    const { stream } = await streamFrom(
      respondStream(response => response.write(role + hello, () => response.write(hello.repeat(20)))),
      { max_response_bytes: 1_000 },
    )
    const { outcome } = await stream()
    expect(outcome).toMatchObject({ kind: 'break', reason: 'cut_short', partial: { choices: [{}] } })
  })
})
