import { describe, expect, test } from 'vitest'
import { openProvider, openUpstream } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { awsKeys, bedrock, expectSigned } from './vendors/bedrock.ts'
import { tokenAnswer, vertex, vertexSettings } from './vendors/vertex.ts'

const check = (settings: Record<string, unknown>, key: string | null = 'sk-test') =>
  openProvider(settings).check(key, new AbortController().signal)

const dated = '2024-10-21'

describe('the check of a provider', () => {
  test.each([
    ['openai', {}, '/v1', '/v1/models', { authorization: 'Bearer sk-test' }],
    ['openai-compatible', {}, '/api/v3/', '/api/v3/models', { authorization: 'Bearer sk-test' }],
    ['mistral', {}, '/v1', '/v1/models', { authorization: 'Bearer sk-test' }],
    [
      'anthropic',
      {},
      '',
      '/v1/models?limit=1',
      { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
    ],
    ['anthropic', {}, '/v1', '/v1/models?limit=1', { 'x-api-key': 'sk-test' }],
    ['azure', {}, '/openai/v1', '/openai/v1/models', { 'api-key': 'sk-test' }],
    [
      'azure',
      { api_version: 'preview' },
      '',
      '/openai/v1/models?api-version=preview',
      { 'api-key': 'sk-test' },
    ],
    ['azure', { api_version: dated }, '', `/openai/models?api-version=${dated}`, { 'api-key': 'sk-test' }],
    ['google', {}, '/v1beta', '/v1beta/models?pageSize=1', { 'x-goog-api-key': 'sk-test' }],
    ['cohere', {}, '/v2', '/v1/models?page_size=1', { authorization: 'Bearer sk-test' }],
    ['simulated', { format: 'anthropic' }, '', '/v1/models?limit=1', { 'x-api-key': 'sk-test' }],
  ])('%s %j at %s lists its models at %s', async (type, more, base, path, headers) => {
    const upstream = await openUpstream(answering(200, { data: [] }))
    const { status: standing } = await check({ type, base_url: upstream.url + base, api_key: 'k', ...more })
    expect(standing).toBe('ok')
    expect(upstream.arrivals).toMatchObject([{ path, headers, text: '' }])
  })

  test('a provider without a key is asked without one', async () => {
    const upstream = await openUpstream(answering(200, { data: [] }))
    await check({ type: 'openai-compatible', base_url: upstream.url }, null)
    expect(upstream.arrivals[0]!.headers).not.toHaveProperty('authorization')
  })

  test.each([
    ['unknown model', 'ok'],
    ['bad key', 'refused'],
    ['throttled', 'throttled'],
    ['internal', 'unreachable'],
  ] as const)('bedrock is asked for a model that nobody has, signed: %s is %s', async (kind, standing) => {
    const { status, body, headers } = bedrock.errors[kind]
    const upstream = await openUpstream(answering(status, body, headers))
    const settings = { type: 'bedrock', base_url: upstream.url, region: 'us-east-1', ...awsKeys }
    expect(await check(settings, null)).toMatchObject({ status: standing })
    expect(upstream.arrivals[0]).toMatchObject({ path: '/model/baton-check/converse' })
    expectSigned(upstream.arrivals[0]!)
  })

  test.each([
    ['unknown model', 'ok'],
    ['bad key', 'refused'],
  ] as const)('vertex is asked for a model that nobody has: %s is %s', async (kind, standing) => {
    const { status, body } = vertex.errors[kind]
    const [upstream, tokens] = await Promise.all([
      openUpstream(answering(status, body)),
      openUpstream(answering(200, tokenAnswer)),
    ])
    expect(await check(vertexSettings(upstream.url, tokens.url), null)).toMatchObject({ status: standing })
    expect(upstream.arrivals[0]!.path).toContain('/models/baton-check:generateContent')
  })

  test('credentials that get no token are refused', async () => {
    const tokens = await openUpstream(answering(400, { error: 'invalid_grant' }))
    expect(await check(vertexSettings('http://127.0.0.1:1', tokens.url), null)).toMatchObject({
      status: 'refused',
    })
  })

  const openaiError = (code: string) => ({ error: { message: 'sk-test is no good', code, type: code } })
  test.each([
    ['a bad key', 401, openaiError('invalid_api_key'), 'refused'],
    ['a key without the right', 403, openaiError('permission_denied'), 'refused'],
    ['an empty account', 429, openaiError('insufficient_quota'), 'out_of_quota'],
    ['no money', 402, openaiError('payment_required'), 'out_of_quota'],
    ['too much asked', 429, openaiError('rate_limit_exceeded'), 'throttled'],
    ['an error of the provider', 500, openaiError('server_error'), 'unreachable'],
    ['a gateway without a server', 502, '<html>', 'unreachable'],
    ['a server that lists no models', 404, openaiError('not_found'), 'unclear'],
    ['a path that nobody knows', 404, 'nothing here', 'unclear'],
    ['a page in place of the list', 200, '<html>', 'unclear'],
    ['a moved API', 301, '', 'unclear'],
  ])('%s: %s', async (_, status, body, standing) => {
    const upstream = await openUpstream(answering(status, body))
    expect(await check({ type: 'openai-compatible', base_url: upstream.url })).toMatchObject({
      status: standing,
    })
  })

  test('a port on which nothing listens is unreachable', async () => {
    const settings = { type: 'openai-compatible', base_url: 'http://127.0.0.1:1' }
    expect(await check(settings)).toMatchObject({ status: 'unreachable', outcome: { reason: 'connect' } })
  })

  test('a server that never answers is unreachable once the timeout has passed', async () => {
    const upstream = await openUpstream(() => undefined)
    const settings = { type: 'openai-compatible', base_url: upstream.url, timeout: '500ms' }
    expect(await check(settings)).toMatchObject({ status: 'unreachable', outcome: { reason: 'timeout' } })
  })
})
