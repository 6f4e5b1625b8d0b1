import { describe, expect, test } from 'vitest'
import { until } from '../../../harness/until.ts'
import type { UpstreamOutcome } from '../../../src/domain/upstream.ts'
import { StreamingHabits } from '../../../src/providers/streaming-habits.ts'
import { isStreamedInside, longCallMs, manyTokens } from '../../../src/providers/streams-inside.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { collectingSink, openStreams } from './stream-fixture.ts'

const always = { upstream_stream: 'always' }

describe.each(['/v1/chat/completions', '/v1/messages', '/v1/responses'] as const)(
  'a call of %s that is streamed though nobody reads along',
  path => {
    test('brings the answer of a plain call', async () => {
      const { sim, provider, body } = await openStreams(path, always)
      const plain = await openStreams(path)
      const request = () => requestOf(path, body({ stream: undefined }), { model: 'm' })
      const expected = await plain.provider.call(request())
      const outcome = await provider.call(request())
      if (outcome.kind !== 'answer' || expected.kind !== 'answer') throw new Error('no answer')
      const { usage, ...answer } = expected.json as { usage: object }
      expect(outcome.json).toMatchObject(answer)
      expect(Object.keys((outcome.json as { usage: object }).usage)).toEqual(
        expect.arrayContaining(Object.keys(usage)),
      )
      expect(outcome.firstTokenMs).toEqual(expect.any(Number))
      expect(sim.calls.calls).toBe(1)
    })

    test('finds a stall that a plain call would wait for', async () => {
      const { sim, provider, body } = await openStreams(path, { ...always, stream: { idle_timeout: '50ms' } })
      const outcome = await provider.call(
        requestOf(path, body({ stream: false }), { model: 'stream-stall-midway' }),
      )
      expect(outcome).toMatchObject({ kind: 'break', reason: 'idle_timeout' })
      await until(() => sim.calls.inFlight === 0)
    })
  },
)

describe('whether a call is streamed that nobody reads along', () => {
  test.each([
    ['never', '/v1/messages', {}, false],
    ['always', '/v1/messages', { max_tokens: 5 }, true],
    ['always', '/v1/completions', {}, false],
    ['always', '/v1/embeddings', {}, false],
    ['always', '/v1/chat/completions', { n: 2 }, false],
    ['always', '/v1/chat/completions', { n: null }, true],
    ['always', '/v1/responses', { background: true }, false],
    ['auto', '/v1/chat/completions', {}, false],
    ['auto', '/v1/chat/completions', { max_tokens: manyTokens - 1 }, false],
    ['auto', '/v1/chat/completions', { max_completion_tokens: manyTokens }, true],
    ['auto', '/v1/chat/completions', { max_tokens: 64_000, logprobs: true }, false],
    ['auto', '/v1/responses', { max_output_tokens: 100 }, false],
    ['auto', '/v1/messages', { max_tokens: 64_000 }, true],
    ['auto', '/v1/messages', { messages: [{ role: 'user', content: '"max_tokens": 64000' }] }, false],
  ] as const)('%s, %s %j: %s', (mode, endpoint, body, isStreamed) => {
    expect(isStreamedInside(mode, endpoint, JSON.stringify(body), false)).toBe(isStreamed)
  })

  test.each([
    ['auto', {}, true],
    ['auto', { max_tokens: manyTokens - 1 }, false],
    ['auto', { n: 2 }, false],
    ['never', {}, false],
  ] as const)('%s, where the model takes long, %j: %s', (mode, body, isStreamed) => {
    expect(isStreamedInside(mode, '/v1/chat/completions', JSON.stringify(body), true)).toBe(isStreamed)
  })

  test('without the setting, a request goes out as it was', async () => {
    const upstream = await openUpstream(answering(200, { choices: [] }))
    const provider = openProvider({ type: 'openai', api_key: 'k', base_url: `${upstream.url}/v1` })
    await provider.call(requestOf(chat, '{"model":"m","messages":[]}', { model: 'm' }))
    expect(upstream.arrivals[0]?.text).toBe('{"model":"m","messages":[]}')
    expect(upstream.arrivals[0]?.headers.accept).toBe('application/json')
  })

  test('without the setting, a request for much is streamed', async () => {
    const { sim, provider, body } = await openStreams('/v1/messages')
    const long = body({ stream: undefined, max_tokens: manyTokens })
    const outcome = await provider.call(requestOf('/v1/messages', long, { model: 'm' }))
    expect(outcome).toMatchObject({ kind: 'answer', status: 200, firstTokenMs: expect.any(Number) })
    expect(sim.calls.calls).toBe(1)
  })
})

const chat = '/v1/chat/completions'
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
const choice = { index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }
const answer = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage }
const unverified = {
  error: {
    message: 'Your organization must be verified to stream this model.',
    ...{ type: 'invalid_request_error', param: 'stream', code: 'unsupported_value' },
  },
}
const unknownOptions = { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'] }] }

const eventsOf = (...chunks: object[]) =>
  [...chunks.map(chunk => JSON.stringify(chunk)), '[DONE]'].map(data => `data: ${data}\n\n`).join('')
const delta = { index: 0, delta: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }
const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [delta] }

/** A server that answers by what it is asked, and a provider for it. */
const openServer = async (
  answerTo: (asked: { stream?: true; stream_options?: object }) => [status: number, body: object | string],
) => {
  const upstream = await openUpstream((_request, response) => {
    const [status, body] = answerTo(JSON.parse(upstream.arrivals.at(-1)!.text))
    const isStream = typeof body === 'string'
    response.writeHead(status, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    response.end(isStream ? body : JSON.stringify(body))
  })
  const provider = openProvider({ type: 'openai-compatible', base_url: `${upstream.url}/v1`, ...always })
  const call = (rest: Parameters<typeof requestOf>[2] = {}) =>
    provider.call(requestOf(chat, { messages: [] }, { model: 'm', apiKey: null, ...rest }))
  const asked = () => upstream.arrivals.map(({ text }) => JSON.parse(text))
  return { call, asked }
}

const whole = { messages: [], model: 'm' }
const streamed = { ...whole, stream: true, stream_options: { include_usage: true } }

describe('a server that does not stream as it is asked to', () => {
  test.each([
    [400, unverified],
    [422, unknownOptions],
  ])('refuses it with %d: is asked again without, and from then on', async (status, refusal) => {
    const { call, asked } = await openServer(({ stream }) => (stream ? [status, refusal] : [200, answer]))
    expect(await call()).toMatchObject({ kind: 'answer', status: 200, json: answer })
    expect(asked()).toEqual([streamed, whole])
    await call()
    expect(asked()).toEqual([streamed, whole, whole])
  })

  test('refuses the request itself: streams the next one nevertheless', async () => {
    const { call, asked } = await openServer(() => [400, unverified])
    expect(await call()).toMatchObject({ kind: 'answer', status: 400 })
    await call()
    expect(asked()).toEqual([streamed, whole, streamed, whole])
  })

  test('refuses for another reason: is asked once', async () => {
    const { call, asked } = await openServer(() => [400, { error: { message: 'messages: too long' } }])
    expect(await call()).toMatchObject({ kind: 'answer', status: 400 })
    expect(asked()).toEqual([streamed])
  })

  test('does not tell what was used: is asked for whole answers from then on', async () => {
    const { call, asked } = await openServer(({ stream }) => [200, stream ? eventsOf(chunk) : answer])
    expect(await call()).toMatchObject({ json: { choices: [choice] } })
    expect(await call()).toMatchObject({ json: answer })
    expect(asked()).toEqual([streamed, whole])
  })

  test('tells what was used: goes on streaming', async () => {
    const last = { ...chunk, choices: [], usage }
    const { call, asked } = await openServer(() => [200, eventsOf(chunk, last)])
    expect(await call()).toMatchObject({ json: answer })
    await call()
    expect(asked()).toEqual([streamed, streamed])
  })

  test('refuses to tell what was used: streams to a reader without, from then on', async () => {
    const { call, asked } = await openServer(({ stream_options }) =>
      stream_options ? [400, unknownOptions] : [200, eventsOf(chunk)],
    )
    const sink = collectingSink()
    expect(await call({ stream: sink })).toMatchObject({ kind: 'answer', status: 200 })
    expect(sink.text).toBe(eventsOf(chunk))
    await call({ stream: sink })
    const bare = { ...whole, stream: true }
    expect(asked()).toEqual([streamed, bare, bare])
  })

  test('refuses what a reader has asked for itself: is not asked otherwise', async () => {
    const { call, asked } = await openServer(() => [400, unknownOptions])
    const body = JSON.stringify(streamed)
    expect(await call({ stream: collectingSink(), body })).toMatchObject({ kind: 'answer', status: 400 })
    expect(asked()).toEqual([streamed])
  })
})

test('what was seen of a model holds for an hour, for the same endpoint', () => {
  let now = 1_000
  const habits = new StreamingHabits(() => now)
  const streams = (model: string, text = '{}') => habits.streamsInside('auto', chat, model, text)
  habits.took(chat, 'slow', longCallMs)
  habits.took(chat, 'quick', longCallMs - 1)
  habits.broughtWithout('stream', chat, 'plain', { kind: 'answer', status: 200 } as UpstreamOutcome)
  expect([streams('slow'), streams('quick'), streams('plain', '{"max_tokens":9000}')]).toEqual([
    ...[true, false, false],
  ])
  expect(habits.streamsInside('auto', '/v1/messages', 'slow', '{}')).toBe(false)
  now += 3_600_000
  expect([streams('slow'), streams('plain', '{"max_tokens":9000}')]).toEqual([false, true])
})

test('the input of a tool keeps its numbers as they were written', async () => {
  const input = '{"id":2512292042121000001,"price":1.10,"count":3}'
  const events = [
    {
      type: 'message_start',
      message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 1 } },
    },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 't', name: 'f', input: {} },
    },
    ...[input.slice(0, 15), input.slice(15)].map(partial_json => ({
      ...{ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json } },
    })),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]
  const upstream = await openUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
  })
  const provider = openProvider({ type: 'anthropic', api_key: 'k', base_url: upstream.url, ...always })
  const outcome = await provider.call(requestOf('/v1/messages', { max_tokens: 5, messages: [] }))
  expect(outcome).toMatchObject({ kind: 'answer', text: expect.stringContaining(`"input":${input}`) })
})
