import { createVerify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { bodyFor, chats } from './vendors/all.ts'
import { accountPublicKey, serviceAccount, tokenAnswer, vertex, vertexSettings } from './vendors/vertex.ts'

const request = (more: object = {}) =>
  requestOf(chats, bodyFor(chats), { model: vertex.model, apiKey: null, ...more })

/** Vertex AI and a token server beside it. */
const open = async (grant: RequestListener, more: object = {}) => {
  const api = await openUpstream(answering(200, vertex.answer({ text: 'four' })))
  const tokens = await openUpstream(grant)
  const provider = openProvider({ ...vertexSettings(api.url, `${tokens.url}/token`), ...more })
  return { api, tokens, provider }
}

describe('access tokens of Vertex', () => {
  test('a token is asked for once, with an assertion signed by the account’s key', async () => {
    const { api, tokens, provider } = await open(answering(200, tokenAnswer))
    const outcomes = await Promise.all([provider.call(request()), provider.call(request())])
    await provider.call(request())
    expect(outcomes).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(api.arrivals).toHaveLength(3)
    for (const arrival of api.arrivals) vertex.checkAuth(arrival)

    expect(tokens.arrivals).toHaveLength(1)
    expect(tokens.arrivals[0]).toMatchObject({ path: '/token' })
    const form = new URLSearchParams(tokens.arrivals[0]!.text)
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [header, claims, signature] = form.get('assertion')!.split('.')
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
    expect(verify.verify(accountPublicKey, signature!, 'base64url')).toBe(true)
    expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toMatchObject({
      iss: 'baton@my-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
      iat: Math.floor(nowMs / 1_000),
      exp: Math.floor(nowMs / 1_000) + 3_600,
    })
  })

  test('credentials may stand in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-vertex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { api, tokens } = await open(answering(200, tokenAnswer))
    const credentials_file = join(folder, 'account.json')
    writeFileSync(credentials_file, serviceAccount(`${tokens.url}/token`))
    const { credentials: _, ...settings } = vertexSettings(api.url, '')
    const provider = openProvider({ ...settings, credentials_file })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
  })

  test.each([
    ['credentials', { credentials: 'SECRET' }],
    ['credentials_file', { credentials: undefined, credentials_file: 'package.json' }],
  ])('%s that are no key of an account are refused without being quoted', (setting, more) => {
    const start = () => openProvider({ ...vertexSettings('http://127.0.0.1:1', ''), ...more })
    expect(start).toThrow(`${setting} is not the JSON of credentials of Google's`)
    expect(start).not.toThrow('SECRET')
  })

  test('a tuned model is called at its endpoint', async () => {
    const { api, provider } = await open(answering(200, tokenAnswer))
    await provider.call(request({ model: 'endpoints/123' }))
    expect(api.arrivals.map(({ path }) => path)).toEqual([
      '/v1beta1/projects/my-project/locations/us-central1/endpoints/123:generateContent',
    ])
  })

  const verdictOf = async (grant: RequestListener) => {
    const { api, provider, tokens } = await open(grant)
    const outcome = await provider.call(request())
    expect(api.arrivals, 'nothing is sent without a token').toEqual([])
    expect(tokens.arrivals, 'a token is asked for once').toHaveLength(1)
    const { kind, reason, possiblyBilled } = classify(outcome, { endpoint: chats, dialect: 'google', nowMs })
    expect(possiblyBilled).toBe(false)
    const form = new URLSearchParams(tokens.arrivals[0]!.text)
    expect(inspect(outcome, { depth: null })).not.toContain(form.get('assertion')!.slice(-40))
    return `${kind}/${reason}`
  }

  test.each([
    [
      'an account that is gone',
      answering(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }),
      'bad_credentials/no_credentials',
    ],
    [
      'a disabled account',
      answering(401, { error: 'invalid_client', error_description: 'The account is disabled.' }),
      'bad_credentials/no_credentials',
    ],
    ['a token server in trouble', answering(503, { error: 'internal_failure' }), 'transient/http_503'],
    ['a token server that throttles', answering(429, {}), 'rate_limited/http_429'],
    ['an answer without a token', answering(200, {}), 'transient/protocol'],
    [
      'a token server that hangs up',
      ((_request, response) => response.destroy()) as RequestListener,
      'transient/reset',
    ],
  ])('%s', async (_name, grant, verdict) => {
    expect(await verdictOf(grant)).toBe(verdict)
  })

  test('after a failure the next call asks again', async () => {
    let failed = false
    const { provider } = await open((incoming, response) => {
      answering(failed ? 200 : 503, failed ? tokenAnswer : {})(incoming, response)
      failed = true
    })
    expect(await provider.call(request())).toMatchObject({ status: 503 })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
  })

  test('a call that is cancelled while it waits for a token ends at once', async () => {
    const cancel = new AbortController()
    const { api, provider } = await open(() => cancel.abort(new Error('cancelled')))
    expect(await provider.call(request({ signal: cancel.signal }))).toMatchObject({
      kind: 'break',
      reason: 'aborted',
      sent: false,
      cause: { message: 'cancelled' },
    })
    expect(api.arrivals).toEqual([])
  })

  test('waiting for a token is part of the call’s time', async () => {
    const { provider } = await open(() => {}, { timeout: '100ms' })
    expect(await provider.call(request())).toMatchObject({ kind: 'break', reason: 'timeout', sent: false })
  })

  test('a key that cannot sign is bad credentials, and does not get out', async () => {
    const broken = JSON.parse(serviceAccount('http://127.0.0.1:1/token')) as Record<string, unknown>
    const credentials = JSON.stringify({ ...broken, private_key: 'SECRET' })
    const provider = openProvider({ ...vertexSettings('http://127.0.0.1:1', ''), credentials })
    const outcome = await provider.call(request())
    expect(classify(outcome, { endpoint: chats, dialect: 'google', nowMs })).toMatchObject({
      kind: 'bad_credentials',
    })
    expect(inspect(outcome, { depth: null })).not.toContain('SECRET')
  })
})
