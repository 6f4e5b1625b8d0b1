import { describe, expect, test } from 'vitest'
import { endpoints } from '../../../src/domain/endpoint.ts'
import { adapters } from './adapters.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

/** Spacing, number spelling, escapes and key order that a parse and a stringify would not keep. */
const oddBody =
  '{ "temperature":1.0, "model" : "upstream-model","max_tokens":1e3,"new_parameter":1e3,\n"text":"\\u00e9" }'

describe('requests passed through', () => {
  describe.each(adapters)('$name', ({ settings, base, at = '', native, translated, auth }) => {
    const open = async (respond = answering(200, { ok: true })) => {
      const upstream = await openUpstream(respond)
      return { upstream, provider: openProvider({ ...settings, base_url: upstream.url + base }) }
    }

    test('says how it serves each endpoint', async () => {
      const { provider } = await open()
      for (const endpoint of endpoints) {
        const expected = (native as readonly string[]).includes(endpoint)
          ? 'native'
          : translated.includes(endpoint)
            ? 'translated'
            : 'none'
        expect(provider.serves(endpoint), endpoint).toBe(expected)
      }
    })

    test.each(native)('passes a body for %s through byte for byte', async endpoint => {
      const { upstream, provider } = await open()
      await provider.call(requestOf(endpoint, oddBody))
      expect(upstream.arrivals.map(({ path, text }) => ({ path, text }))).toEqual([
        { path: at + endpoint, text: oddBody },
      ])
    })

    test('replaces the model alone, in its place', async () => {
      const { upstream, provider } = await open()
      await provider.call(requestOf(native[0], '{"max_tokens":1,"model":"route","b":{"model":"inner"}}'))
      expect(upstream.arrivals[0]!.text).toBe(
        '{"max_tokens":1,"model":"upstream-model","b":{"model":"inner"}}',
      )
    })

    test('leaves a body that is no object to the provider to judge', async () => {
      const { upstream, provider } = await open()
      await provider.call(requestOf(native[0], '[1,'))
      expect(upstream.arrivals[0]!.text).toBe('[1,')
    })

    test('authenticates as its kind does and asks for an answer that is not compressed', async () => {
      const { upstream, provider } = await open()
      await provider.call(requestOf(native[0], oddBody))
      expect(upstream.arrivals[0]!.headers).toMatchObject({
        ...auth,
        'content-type': 'application/json',
        'accept-encoding': 'identity',
      })
    })

    test('sends no key where there is none', async () => {
      const { upstream, provider } = await open()
      await provider.call(requestOf(native[0], oddBody, { apiKey: null }))
      expect(Object.keys(upstream.arrivals[0]!.headers)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(authorization|x-api-key|api-key)$/)]),
      )
    })

    test.each(['native', 'translated'] as const)('lets headers of the config win, %s', async way => {
      const upstream = await openUpstream(answering(500, {}))
      const headers = { Authorization: 'Custom', 'X-Api-Key': 'custom', 'anthropic-version': '2026-10-21' }
      const provider = openProvider({ ...settings, base_url: upstream.url + base, headers })
      const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
      await provider.call(requestOf(way === 'native' ? native[0] : translated[0], body))
      expect(upstream.arrivals[0]!.headers).toMatchObject({
        authorization: 'Custom',
        'x-api-key': 'custom',
        'anthropic-version': '2026-10-21',
      })
    })

    test('gives the answer as the provider gave it', async () => {
      const text = '{ "model":"upstream-model-2024",  "n":1.0 }'
      const { provider } = await open(answering(200, text, { 'x-ratelimit-remaining-requests': '7' }))
      expect(await provider.call(requestOf(native[0], oddBody))).toMatchObject({
        kind: 'answer',
        status: 200,
        headers: { 'x-ratelimit-remaining-requests': '7' },
        text,
        json: { model: 'upstream-model-2024', n: 1 },
      })
    })

    test.each(['native', 'translated'] as const)('gives an error untouched, %s', async way => {
      const text = '{"error" : {"code":"insufficient_quota"}}'
      const { provider, upstream } = await open(answering(429, text, { 'retry-after': '3' }))
      const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
      const outcome = await provider.call(requestOf(way === 'native' ? native[0] : translated[0], body))
      expect(outcome).toMatchObject({ kind: 'answer', status: 429, headers: { 'retry-after': '3' }, text })
      expect(upstream.arrivals).toHaveLength(1)
    })

    test('does not follow redirects', async () => {
      const { provider, upstream } = await open(answering(307, {}, { location: '/elsewhere' }))
      expect(await provider.call(requestOf(native[0], oddBody))).toMatchObject({ status: 307 })
      expect(upstream.arrivals).toHaveLength(1)
    })

    test('carries everything natively', async () => {
      const { provider } = await open()
      for (const endpoint of native) {
        expect(provider.carriage(endpoint, 'm', { brand_new: 1 })).toEqual({ excluded: [], adjustments: [] })
      }
    })
  })

  test.each([
    ['openai', '/v1/', '/v1/chat/completions', '/v1/chat/completions'],
    ['openai', '/gateway/v1', '/v1/chat/completions', '/gateway/v1/chat/completions'],
    ['openai-compatible', '/openai', '/v1/embeddings', '/openai/embeddings'],
    ['anthropic', '/', '/v1/messages', '/v1/messages'],
    ['anthropic', '/v1', '/v1/messages', '/v1/messages'],
    ['anthropic', '/proxy/v1/', '/v1/messages', '/proxy/v1/messages'],
  ] as const)('%s with a base of %s calls %s at %s', async (type, base, endpoint, path) => {
    const upstream = await openUpstream(answering(200, {}))
    await openProvider({ type, base_url: upstream.url + base }).call(requestOf(endpoint, oddBody))
    expect(upstream.arrivals[0]!.path).toBe(path)
  })

  test.each([
    ['', '/v1/chat/completions', '/openai/v1/chat/completions'],
    ['/openai/v1/', '/v1/responses', '/openai/v1/responses'],
    ['/gateway', '/v1/embeddings', '/gateway/openai/v1/embeddings'],
  ] as const)('azure with a base of "%s" calls %s at %s', async (base, endpoint, path) => {
    const upstream = await openUpstream(answering(200, {}))
    await openProvider({ type: 'azure', api_key: 'sk-test', base_url: upstream.url + base }).call(
      requestOf(endpoint, oddBody),
    )
    expect(upstream.arrivals[0]!.path).toBe(path)
  })

  test.each([
    ['v1', '/v1/chat/completions', '/openai/v1/chat/completions'],
    ['preview', '/v1/responses', '/openai/v1/responses?api-version=preview'],
    [
      '2024-10-21',
      '/v1/chat/completions',
      '/openai/deployments/my%20model/chat/completions?api-version=2024-10-21',
    ],
    ['2024-10-21', '/v1/embeddings', '/openai/deployments/my%20model/embeddings?api-version=2024-10-21'],
    ['2025-04-01-preview', '/v1/responses', '/openai/responses?api-version=2025-04-01-preview'],
    ['2024-10-21', '/v1/messages', '/openai/deployments/my%20model/chat/completions?api-version=2024-10-21'],
  ] as const)('azure in version %s calls %s at %s', async (api_version, endpoint, path) => {
    const upstream = await openUpstream(answering(200, {}))
    const provider = openProvider({ type: 'azure', api_key: 'sk-test', base_url: upstream.url, api_version })
    const messages = [{ role: 'user', content: 'hi' }]
    const body = endpoint === '/v1/messages' ? { max_tokens: 5, messages } : { messages, input: 'hi' }
    await provider.call(requestOf(endpoint, body, { model: 'my model' }))
    expect(upstream.arrivals.map(arrival => arrival.path)).toEqual([path])
    expect(upstream.arrivals[0]!.headers).toMatchObject({ 'api-key': 'sk-test' })
  })

  test.each(['openai-compatible', 'simulated'])('%s needs a base_url', type => {
    expect(() => openProvider({ type })).toThrow('needs a base_url')
  })
})
