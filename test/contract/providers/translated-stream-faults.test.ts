import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { UpstreamRequest } from '../../../src/providers/provider.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { collectingSink } from './stream-fixture.ts'
import { bodyFor, chats, type messages, responses } from './vendors/all.ts'
import { type StreamingApi, streaming, streamingApis, streamingPairs } from './vendors/streaming-apis.ts'
import { awsEvent, type Stream } from './vendors/streams.ts'

type Format = typeof chats | typeof messages | typeof responses

const said = { text: 'two and two are four' }
const tools = { tools: [{ type: 'function', function: { name: 'find' } }] }

/** What one streamed call comes to that is answered like this. */
const streamed = async (
  api: StreamingApi,
  format: Format,
  respond: RequestListener,
  more: { settings?: object; body?: object; request?: Partial<UpstreamRequest> } = {},
) => {
  const upstream = await openUpstream(respond)
  const provider = openProvider({ ...(await api.settings(upstream.url)), ...more.settings })
  const sink = collectingSink()
  const body = bodyFor(format, { stream: true, ...more.body })
  const request = { model: api.model, apiKey: api.key, stream: sink, ...more.request }
  const outcome = await provider.call(requestOf(format, body, request))
  const verdict = classify(outcome, { endpoint: format, dialect: provider.dialect, nowMs })
  return { outcome, verdict, sink, upstream, word: `${verdict.kind}/${verdict.reason}` }
}

/** Where the answer's first content stands in the stream. */
const preambleOf = (api: StreamingApi): Stream => {
  const whole = api.stream(said)
  const last = whole.findLastIndex(piece => /two|tw/.test(piece.toString()))
  return whole.slice(0, last)
}

/** The stream up to the middle of its text. */
const halfOf = (api: StreamingApi): Stream => {
  const whole = api.stream(said)
  return whole.slice(
    0,
    whole.findIndex(piece => piece.toString().includes('fo')),
  )
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`

const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
const unavailable = {
  error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' },
}
const serverError = { error: { message: 'The server had an error.', type: 'server_error', code: null } }

/** How each API tells that it cannot go on, and what that means. */
const told: Readonly<Record<string, { piece: string | Buffer; status: number; json: object; word: string }>> =
  {
    openai: { piece: event(serverError), status: 500, json: serverError, word: 'transient/server_error' },
    'openai-compatible': {
      piece: event({ error: { message: 'slow down', type: 'rate_limit_exceeded' } }),
      status: 429,
      json: { error: { message: 'slow down', type: 'rate_limit_exceeded' } },
      word: 'rate_limited/rate_limit_exceeded',
    },
    anthropic: {
      piece: `event: error\n${event(overloaded)}`,
      status: 529,
      json: overloaded,
      word: 'overloaded/overloaded_error',
    },
    google: { piece: event(unavailable), status: 503, json: unavailable, word: 'overloaded/overloaded' },
    vertex: { piece: event(unavailable), status: 503, json: unavailable, word: 'overloaded/overloaded' },
    mistral: {
      piece: event({
        object: 'error',
        message: 'Service unavailable.',
        type: 'unreachable_backend',
        code: '1100',
      }),
      status: 500,
      json: { object: 'error', message: 'Service unavailable.', type: 'unreachable_backend', code: '1100' },
      word: 'transient/unreachable_backend',
    },
    cohere: {
      piece: event({ error: { message: 'internal server error' } }),
      status: 500,
      json: { error: { message: 'internal server error' } },
      word: 'transient/http_500',
    },
    bedrock: {
      piece: awsEvent('throttlingException', { message: 'Too many requests.' }, 'exception'),
      status: 429,
      json: { message: 'Too many requests.' },
      word: 'rate_limited/throttlingexception',
    },
  }

/** Answers with these pieces, and leaves the connection open. */
const leavingOpen =
  (api: StreamingApi, pieces: Stream): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': api.contentType })
    response.write(Buffer.concat(pieces.map(piece => Buffer.from(piece))))
  }

const breakingOff =
  (api: StreamingApi, pieces: Stream): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': api.contentType })
    response.write(Buffer.concat(pieces.map(piece => Buffer.from(piece))), () => response.destroy())
  }

describe.each(streamingPairs)('a stream between $pair', ({ api, endpoint }) => {
  const error = told[api.name]!

  test.each([
    ['first', () => []],
    ['after its beginning', () => preambleOf(api)],
  ])('whose error comes %s is judged as an answer with it', async (_, before) => {
    const respond = leavingOpen(api, [...before(), error.piece])
    const { outcome, sink, word } = await streamed(api, endpoint, respond)
    expect(outcome).toMatchObject({ kind: 'answer', status: error.status, json: error.json })
    expect(word).toBe(error.word)
    expect(sink.writes).toEqual([])
  })

  test('whose error comes midway breaks with what had come', async () => {
    const { outcome, sink } = await streamed(api, endpoint, leavingOpen(api, [...halfOf(api), error.piece]))
    expect(outcome).toMatchObject({ kind: 'break', reason: 'error_event', sent: true, error: error.json })
    expect(JSON.stringify(outcome.kind === 'break' && outcome.partial)).toContain('two and two')
    expect(sink.text).toContain('two')
    expect(sink.text).not.toMatch(/message_stop|\[DONE\]|content_block_stop|"finish_reason":"/)
  })

  test('that is an error in JSON is judged as that', async () => {
    const { outcome, sink } = await streamed(api, endpoint, answering(200, error.json))
    expect(outcome).toMatchObject({ kind: 'answer', status: 200, json: error.json })
    expect(sink.writes).toEqual([])
  })

  test('that was refused is judged as any answer', async () => {
    const { outcome } = await streamed(api, endpoint, answering(429, error.json, { 'retry-after': '7' }))
    expect(outcome).toMatchObject({ kind: 'answer', status: 429, json: error.json })
  })

  test('that comes as a whole answer is the answer', async () => {
    const { outcome, word, sink } = await streamed(api, endpoint, answering(200, api.answer(said)))
    expect(word).toMatch(/^ok\//)
    expect(JSON.stringify(outcome.kind === 'answer' && outcome.json)).toContain(said.text)
    expect(sink.writes).toEqual([])
  })

  test('without anything is empty', async () => {
    const { outcome, word } = await streamed(api, endpoint, streaming(api.contentType, []))
    expect(outcome).toMatchObject({ kind: 'answer', status: 200, text: '' })
    expect(word).toBe('transient/empty')
  })

  test.each([
    ['before any content', () => preambleOf(api), undefined],
    ['midway', () => halfOf(api), expect.anything()],
  ])('that ends well, but too early, is cut short: %s', async (_, pieces, partial) => {
    const { outcome } = await streamed(api, endpoint, streaming(api.contentType, pieces()))
    if (pieces().length === 0) return
    expect(outcome).toMatchObject({ kind: 'break', reason: 'cut_short', sent: true })
    expect(outcome.kind === 'break' && outcome.partial).toEqual(partial)
  })

  test('whose connection ends midway breaks with what had come', async () => {
    const { outcome, sink } = await streamed(api, endpoint, breakingOff(api, halfOf(api)))
    expect(outcome).toMatchObject({ kind: 'break', reason: 'reset', sent: true })
    expect(JSON.stringify(outcome.kind === 'break' && outcome.partial)).toContain('two and two')
    expect(sink.text).not.toContain('content_block_stop')
  })

  test('that brings no content in its time breaks without any', async () => {
    const settings = { stream: { first_token_timeout: '200ms' } }
    const { outcome } = await streamed(api, endpoint, leavingOpen(api, preambleOf(api)), { settings })
    expect(outcome).toMatchObject({ kind: 'break', reason: 'first_token_timeout', sent: true })
    expect(outcome).not.toHaveProperty('partial')
  })

  test('that falls silent midway breaks with what had come', async () => {
    const settings = { stream: { idle_timeout: '200ms' } }
    const { outcome } = await streamed(api, endpoint, leavingOpen(api, halfOf(api)), { settings })
    expect(outcome).toMatchObject({ kind: 'break', reason: 'idle_timeout', sent: true })
    expect(JSON.stringify(outcome.kind === 'break' && outcome.partial)).toContain('two and two')
  })

  test('that is cancelled midway is aborted', async () => {
    const cancel = new AbortController()
    const upstream = leavingOpen(api, halfOf(api))
    const sink = collectingSink(() => cancel.abort(new Error('cancelled')))
    const request = { signal: cancel.signal, stream: sink }
    const { outcome } = await streamed(api, endpoint, upstream, { request })
    expect(outcome).toMatchObject({ kind: 'break', reason: 'aborted', cause: { message: 'cancelled' } })
    expect(cancel.signal.onabort).toBeNull()
  })

  test('that grows too large is cut short', async () => {
    const settings = {
      max_response_bytes: Buffer.concat(halfOf(api).map(piece => Buffer.from(piece))).length + 1,
    }
    const respond: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': api.contentType })
      for (const piece of halfOf(api)) response.write(piece)
    }
    const sink = collectingSink(() => undefined)
    const upstream: RequestListener = (request, response) => {
      respond(request, response)
      const more = setInterval(() => sink.text.includes('two') && response.write('  '), 5)
      response.on('close', () => clearInterval(more))
    }
    const { outcome } = await streamed(api, endpoint, upstream, { settings, request: { stream: sink } })
    expect(outcome).toMatchObject({ kind: 'break', reason: 'cut_short', sent: true })
  })

  test('of a request that cannot be translated is not asked for', async () => {
    const turns = [{ role: 'oracle', content: 'SECRET' }]
    const body = endpoint === responses ? { input: turns } : { messages: turns }
    const { outcome, upstream } = await streamed(api, endpoint, answering(200, {}), { body })
    expect(outcome).toMatchObject({ kind: 'answer', status: 400 })
    expect(upstream.arrivals).toEqual([])
  })
})

const ending = streamingApis.filter(({ name }) => !['google', 'vertex', 'bedrock'].includes(name))

describe.each(ending)('a stream of $name', api => {
  test('ends with its last event, whenever the connection does', async () => {
    const { word } = await streamed(api, api.from[0]!, leavingOpen(api, api.stream(said)))
    expect(word).toMatch(/^ok\//)
  })

  test('with an event that is no JSON breaks', async () => {
    const pieces = [...halfOf(api), 'data: {"half"\n\n', ...api.stream(said).slice(halfOf(api).length)]
    const { outcome } = await streamed(api, api.from[0]!, streaming(api.contentType, pieces))
    expect(outcome).toMatchObject({
      kind: 'break',
      reason: 'error_event',
      error: { error: { code: 'malformed_event' } },
    })
  })

  test('goes on after comments and events that nobody knows', async () => {
    const unknown = [': comment\n\n', event({ type: 'weather', wind: 3 }), ...api.stream(said)]
    const { word, sink } = await streamed(api, api.from[0]!, streaming(api.contentType, unknown))
    expect(word).toMatch(/^ok\//)
    expect(sink.text).not.toContain('wind')
  })
})

test('a stream with a piece of the answer that the SDK cannot read breaks', async () => {
  const api = streamingApis.find(({ name }) => name === 'openai-compatible')!
  const choices = [{ index: 0, delta: { content: 4 }, finish_reason: null }]
  const odd = event({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })
  const whole = api.stream(said)
  const stream = [...whole.slice(0, 3), odd, ...whole.slice(3)]
  const { outcome } = await streamed(api, responses, streaming(api.contentType, stream))
  expect(outcome).toMatchObject({ kind: 'break', reason: 'protocol' })
})

describe('a stream that ends in a failure', () => {
  const api = streamingApis.find(({ name }) => name === 'google')!
  const failed = (text?: string): Stream => [
    ...(text === undefined ? [] : api.stream({ text }).slice(0, 1)),
    event({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 }] }),
  ]

  test('is judged by it where nothing came before', async () => {
    const { word, sink } = await streamed(api, chats, streaming(api.contentType, failed()), { body: tools })
    expect(word).toBe('malformed/malformed_function_call')
    expect(sink.writes).toEqual([])
  })

  test('breaks where something did', async () => {
    const { outcome } = await streamed(api, chats, streaming(api.contentType, failed('two')))
    expect(outcome).toMatchObject({
      kind: 'break',
      reason: 'error_event',
      error: { error: { code: 'malformed_function_call' } },
    })
  })
})
