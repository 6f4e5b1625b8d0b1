import { describe, expect, test } from 'vitest'
import { until } from '../../../harness/until.ts'
import { isStreamedInside, manyTokens } from '../../../src/providers/streams-inside.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { openStreams } from './stream-fixture.ts'

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
    ['auto', '/v1/chat/completions', {}, true],
    ['auto', '/v1/chat/completions', { max_tokens: manyTokens - 1 }, false],
    ['auto', '/v1/chat/completions', { max_completion_tokens: manyTokens }, true],
    ['auto', '/v1/chat/completions', { logprobs: true }, false],
    ['auto', '/v1/responses', { max_output_tokens: 100 }, false],
    ['auto', '/v1/messages', { max_tokens: 64_000 }, true],
  ] as const)('%s, %s %j: %s', (mode, endpoint, body, isStreamed) => {
    expect(isStreamedInside(mode, endpoint, JSON.stringify(body))).toBe(isStreamed)
  })

  test('without the setting, a request goes out as it was', async () => {
    const upstream = await openUpstream(answering(200, { choices: [] }))
    const provider = openProvider({ type: 'openai', api_key: 'k', base_url: `${upstream.url}/v1` })
    await provider.call(requestOf('/v1/chat/completions', '{"model":"m","messages":[]}', { model: 'm' }))
    expect(upstream.arrivals[0]?.text).toBe('{"model":"m","messages":[]}')
    expect(upstream.arrivals[0]?.headers.accept).toBe('application/json')
  })
})
