import type { RequestListener } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configSchema } from '../../../../src/config/schema.ts'
import { classify } from '../../../../src/domain/classify/classify.ts'
import { Interrupt } from '../../../../src/domain/interrupt.ts'
import { createProvider } from '../../../../src/providers/create-provider.ts'
import { nowMs, openUpstream, requestOf } from '../open-provider.ts'
import { answering, type RecordingUpstream } from '../recording-upstream.ts'
import { fileWith } from './surroundings.ts'

const chats = '/v1/chat/completions'
const request = () =>
  requestOf(chats, { model: 'm', messages: [{ role: 'user', content: 'hi' }] }, { apiKey: null })
const answer = { choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }
const granted = { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: 'entra-token' }

interface Setting {
  readonly settings?: object
  readonly env?: Record<string, string>
  readonly respond?: RequestListener
}

const openAzure = async ({ settings = {}, env = {}, respond = answering(200, answer) }: Setting) => {
  const api = await openUpstream(respond)
  const document = { providers: { a: { type: 'azure', base_url: api.url, ...settings } } }
  const config = configSchema.parse(document).providers.a!
  const provider = createProvider('a', config, () => nowMs, undefined, { env })
  onTestFinished(() => provider.close())
  return { api, provider }
}

const cameWith = ({ arrivals }: RecordingUpstream, token: string): void => {
  expect(arrivals.at(-1)!.headers).toMatchObject({ authorization: `Bearer ${token}` })
  expect(arrivals.at(-1)!.headers).not.toHaveProperty('api-key')
}

const formOf = ({ arrivals }: RecordingUpstream) => ({
  path: arrivals[0]!.path,
  ...Object.fromEntries(new URLSearchParams(arrivals[0]!.text)),
})

const application = { tenant_id: 'my-tenant', client_id: 'my-client' }
const cognitive = 'https://cognitiveservices.azure.com'

/** A managed identity's own server, by the header that proves that no address was merely fetched. */
const identity =
  (name: string, value: string, token: string): RequestListener =>
  (incoming, response) => {
    if (incoming.headers[name] !== value)
      return answering(400, { error: 'invalid_request' })(incoming, response)
    const end = Math.floor(nowMs / 1_000) + 86_400
    answering(200, {
      access_token: token,
      expires_on: String(end),
      resource: cognitive,
      token_type: 'Bearer',
    })(incoming, response)
  }

describe('Azure by Entra ID', () => {
  test.each([
    [
      'of the config',
      (authority: string) => ({ settings: { ...application, client_secret: 's3cret', authority } }),
    ],
    [
      'of the environment',
      (authority: string) => ({
        env: {
          AZURE_TENANT_ID: 'my-tenant',
          AZURE_CLIENT_ID: 'my-client',
          AZURE_CLIENT_SECRET: 's3cret',
          AZURE_AUTHORITY_HOST: `${authority}/`,
        },
      }),
    ],
  ])('a client secret %s gets a token, once for all calls', async (_, settingOf) => {
    const entra = await openUpstream(answering(200, granted))
    const { api, provider } = await openAzure(settingOf(entra.url))
    const outcomes = await Promise.all([provider.call(request()), provider.call(request())])
    expect(outcomes).toMatchObject([{ status: 200 }, { status: 200 }])
    cameWith(api, 'entra-token')
    expect(entra.arrivals).toHaveLength(1)
    expect(formOf(entra)).toEqual({
      path: '/my-tenant/oauth2/v2.0/token',
      grant_type: 'client_credentials',
      client_id: 'my-client',
      client_secret: 's3cret',
      scope: `${cognitive}/.default`,
    })
    expect(await provider.prove!(new Interrupt())).toMatchObject({
      source: 'the client my-client of Entra ID',
    })
  })

  test('a token does not come back with an error that repeats the request', async () => {
    const entra = await openUpstream(answering(200, granted))
    const { provider } = await openAzure({
      settings: { ...application, client_secret: 's', authority: entra.url },
      respond: ({ headers }, response) =>
        answering(400, { error: { message: `what is ${headers.authorization}?` } })({} as never, response),
    })
    expect(await provider.call(request())).toMatchObject({
      ...{ status: 400, text: '{"error":{"message":"what is Bearer [redacted]?"}}' },
      json: { error: { message: 'what is Bearer [redacted]?' } },
    })
  })

  test('the federated token of a pod is its proof', async () => {
    const entra = await openUpstream(answering(200, granted))
    const env = {
      AZURE_TENANT_ID: 'my-tenant',
      AZURE_CLIENT_ID: 'my-client',
      AZURE_FEDERATED_TOKEN_FILE: fileWith('a.pod.token\n'),
      AZURE_AUTHORITY_HOST: entra.url,
    }
    const { api, provider } = await openAzure({ env, settings: { scope: 'https://ai.azure.com/.default' } })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'entra-token')
    expect(formOf(entra)).toMatchObject({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.pod.token',
      scope: 'https://ai.azure.com/.default',
    })
  })

  test('the managed identity of an app is asked for at its endpoint', async () => {
    const server = await openUpstream(identity('x-identity-header', 'proof', 'app-token'))
    const env = { IDENTITY_ENDPOINT: `${server.url}/msi/token`, IDENTITY_HEADER: 'proof' }
    const { api, provider } = await openAzure({ env, settings: { client_id: 'mine' } })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'app-token')
    expect(server.arrivals[0]!.path).toBe(
      `/msi/token?api-version=2019-08-01&resource=${encodeURIComponent(cognitive)}&client_id=mine`,
    )
  })

  test('the managed identity of a machine is asked for at the metadata service', async () => {
    const server = await openUpstream(identity('metadata', 'true', 'machine-token'))
    const { api, provider } = await openAzure({ env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: server.url } })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'machine-token')
    expect(server.arrivals.map(({ path }) => path)).toEqual([
      `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(cognitive)}`,
    ])
  })

  test('a token that Azure calls ended is asked for anew within the call, also in a stream', async () => {
    let n = 0
    const entra = await openUpstream((incoming, response) =>
      answering(200, { ...granted, access_token: `token-${++n}` })(incoming, response),
    )
    const { api, provider } = await openAzure({
      settings: { ...application, client_secret: 's', authority: entra.url },
      respond: (incoming, response) => {
        if (incoming.headers.authorization === 'Bearer token-1')
          return answering(401, { error: { code: '401', message: 'Access token has expired.' } })(
            incoming,
            response,
          )
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const chunk = {
          choices: [{ index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: null }],
        }
        const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
        response.end(`${[chunk, last].map(c => `data: ${JSON.stringify(c)}\n\n`).join('')}data: [DONE]\n\n`)
      },
    })
    const told: unknown[] = []
    const stream = { write: (...parts: unknown[]) => void told.push(parts) }
    const outcome = await provider.call({ ...request(), stream })
    expect(outcome).toMatchObject({ status: 200, json: { choices: [{ message: { content: 'hi' } }] } })
    expect(api.arrivals).toHaveLength(2)
    cameWith(api, 'token-2')
  })

  const expired =
    'AADSTS7000222: The provided client secret keys for app are expired.\r\nTrace ID: 1\r\nCorrelation ID: 2'
  test.each([
    [
      'refuses the secret',
      answering(401, { error: 'invalid_client', error_description: expired }),
      'bad_credentials/no_credentials',
      /^Entra ID at 127\.0\.0\.1:\d+ refuses \(invalid_client: AADSTS7000222: The provided client secret keys for app are expired\)\. Compare/,
    ],
    ['throttles', answering(429, {}), 'rate_limited/http_429', null],
    ['is in trouble', answering(503, {}), 'transient/http_503', null],
    ['gives no token', answering(200, {}), 'transient/protocol', null],
  ] as const)('an authority that %s', async (_, respond, verdict, sentence) => {
    const entra = await openUpstream(respond)
    const { api, provider } = await openAzure({
      settings: { ...application, client_secret: 's3cret', authority: entra.url },
    })
    const outcome = await provider.call(request())
    const { kind, reason } = classify(outcome, { endpoint: chats, dialect: 'openai', nowMs })
    expect(`${kind}/${reason}`).toBe(verdict)
    expect(api.arrivals).toEqual([])
    expect(inspect(outcome, { depth: null })).not.toContain('s3cret')
    if (sentence) expect(outcome).toMatchObject({ cause: { message: expect.stringMatching(sentence) } })
  })

  test.each([
    [
      'there is no identity',
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' },
      /^No identity for Entra ID was found/,
    ],
    [
      'the federated token is not mounted',
      { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token' },
      /^The federated token \/nowhere\/token cannot be read/,
    ],
  ])('where %s, a sentence says what to do', async (_, env, sentence) => {
    const { provider } = await openAzure({ env })
    expect(await provider.prove!(new Interrupt())).toMatchObject({
      ...{ kind: 'break', reason: 'credentials', sent: false },
      cause: { message: expect.stringMatching(sentence) },
    })
  })
})
