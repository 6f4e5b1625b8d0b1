import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { classify } from '../../../../src/domain/classify/classify.ts'
import { Interrupt } from '../../../../src/domain/interrupt.ts'
import { nowMs, openProvider, openUpstream, requestOf } from '../open-provider.ts'
import { answering, type RecordingUpstream } from '../recording-upstream.ts'
import { bodyFor, chats } from '../vendors/all.ts'
import { serviceAccount, vertex } from '../vendors/vertex.ts'
import { granted, metadata, scope } from './fake-google.ts'
import { fileWith, folder, surroundedBy } from './surroundings.ts'

const request = () => requestOf(chats, bodyFor(chats), { model: vertex.model, apiKey: null })

const openVertex = async (
  more: object = {},
  respond: RequestListener = answering(200, vertex.answer({ text: 'four' })),
) => {
  const api = await openUpstream(respond)
  const settings = { type: 'vertex', base_url: api.url, location: 'us-central1', ...more }
  return { api, provider: openProvider(settings) }
}

const cameWith = (api: RecordingUpstream, project: string, token = 'ya29.adc'): void => {
  expect(api.arrivals.at(-1)).toMatchObject({
    path: `/v1beta1/projects/${project}/locations/us-central1/publishers/google/models/${vertex.model}:generateContent`,
    headers: { authorization: `Bearer ${token}` },
  })
}

/** What the console hands out for an identity of elsewhere: https://google.aip.dev/auth/4117 */
const federated = (tokenUrl: string, file: string) => ({
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: tokenUrl,
  credential_source: { file },
})

describe('Google’s application default credentials', () => {
  test('the metadata server gives tokens, and the project', async () => {
    const server = await openUpstream(metadata)
    surroundedBy({ GCE_METADATA_HOST: new URL(server.url).host, METADATA_SERVER_DETECTION: 'assume-present' })
    const { api, provider } = await openVertex()
    const outcomes = await Promise.all([provider.call(request()), provider.call(request())])
    expect(outcomes).toMatchObject([{ status: 200 }, { status: 200 }])
    cameWith(api, 'project-of-machine')
    expect(server.arrivals.filter(({ path }) => path.includes('/token'))).toHaveLength(1)
    expect(await provider.prove!(new Interrupt())).toMatchObject({ source: 'the metadata server' })
  })

  test('workload identity federation exchanges the token of a file', async () => {
    const tokens = await openUpstream(
      answering(200, { ...granted, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }),
    )
    const file = fileWith('a.subject.token')
    const adc = federated(`${tokens.url}/v1/token`, file)
    surroundedBy({ GOOGLE_APPLICATION_CREDENTIALS: fileWith(JSON.stringify(adc)) })
    const { api, provider } = await openVertex({ project: 'my-project' })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'my-project')
    const form = new URLSearchParams(tokens.arrivals[0]!.text)
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: adc.audience,
      subject_token: 'a.subject.token',
      subject_token_type: adc.subject_token_type,
      scope,
    })
    expect(await provider.prove!(new Interrupt())).toMatchObject({ source: 'workload identity federation' })
  })

  test('federation by an address, for an account that it may act as: the token of that account is shown', async () => {
    const subject = await openUpstream(answering(200, { id_token: 'a.subject.token' }))
    const tokens = await openUpstream(answering(200, { ...granted, access_token: 'ya29.federated' }))
    const ends = new Date(Math.max(nowMs, Date.now()) + 3_600_000).toISOString()
    const accounts = await openUpstream(answering(200, { accessToken: 'ya29.of-account', expireTime: ends }))
    const acting =
      '/v1/projects/-/serviceAccounts/baton@my-project.iam.gserviceaccount.com:generateAccessToken'
    const adc = {
      ...federated(`${tokens.url}/v1/token`, ''),
      service_account_impersonation_url: accounts.url + acting,
      credential_source: {
        url: `${subject.url}/token?audience=google`,
        headers: { metadata: 'true' },
        format: { type: 'json', subject_token_field_name: 'id_token' },
      },
    }
    surroundedBy({ GOOGLE_APPLICATION_CREDENTIALS: fileWith(JSON.stringify(adc)) })
    const { api, provider } = await openVertex({ project: 'my-project' })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'my-project', 'ya29.of-account')
    expect(subject.arrivals).toMatchObject([
      { path: '/token?audience=google', headers: { metadata: 'true' } },
    ])
    expect(new URLSearchParams(tokens.arrivals[0]!.text).get('subject_token')).toBe('a.subject.token')
    expect(accounts.arrivals).toMatchObject([
      { path: acting, headers: { authorization: 'Bearer ya29.federated' } },
    ])
  })

  test('a subject token that is written anew is read anew', async () => {
    let n = 0
    const tokens = await openUpstream((incoming, response) =>
      answering(200, { ...granted, access_token: `ya29.${++n}` })(incoming, response),
    )
    const file = fileWith('first.token')
    const credentials = JSON.stringify(federated(`${tokens.url}/v1/token`, file))
    surroundedBy({})
    const ended = { error: { code: 401, status: 'UNAUTHENTICATED', message: 'ended' } }
    const { api, provider } = await openVertex(
      { project: 'my-project', credentials },
      (incoming, response) => {
        const isFirst = incoming.headers.authorization === 'Bearer ya29.1'
        if (isFirst) writeFileSync(file, 'second.token')
        answering(isFirst ? 401 : 200, isFirst ? ended : vertex.answer({ text: 'four' }))(incoming, response)
      },
    )
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    const shown = tokens.arrivals.map(({ text }) => new URLSearchParams(text).get('subject_token'))
    expect(shown).toEqual(['first.token', 'second.token'])
    cameWith(api, 'my-project', 'ya29.2')
  })

  test.each(['credentials', 'credentials_file'])('%s may be those of another cloud', async setting => {
    const tokens = await openUpstream(answering(200, granted))
    const adc = JSON.stringify(federated(`${tokens.url}/v1/token`, fileWith('a.subject.token')))
    surroundedBy({})
    const { api, provider } = await openVertex({
      project: 'my-project',
      [setting]: setting === 'credentials' ? adc : fileWith(adc),
    })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'my-project')
  })

  test('the project is that of a service account’s key', async () => {
    const tokens = await openUpstream(answering(200, granted))
    const { api, provider } = await openVertex({ credentials: serviceAccount(`${tokens.url}/token`) })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    cameWith(api, 'my-project')
  })

  test('a token that Google calls ended is asked for anew within the call', async () => {
    let n = 0
    const server = await openUpstream((incoming, response) =>
      incoming.url!.includes('/token')
        ? answering(
            200,
            { ...granted, access_token: `ya29.${++n}` },
            { 'metadata-flavor': 'Google' },
          )(incoming, response)
        : metadata(incoming, response),
    )
    surroundedBy({ GCE_METADATA_HOST: new URL(server.url).host, METADATA_SERVER_DETECTION: 'assume-present' })
    const { api, provider } = await openVertex({}, (incoming, response) => {
      const { status, body } = {
        status: 401,
        body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'ended' } },
      }
      const isEnded = incoming.headers.authorization === 'Bearer ya29.1'
      answering(isEnded ? status : 200, isEnded ? body : vertex.answer({ text: 'four' }))(incoming, response)
    })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    expect(api.arrivals).toHaveLength(2)
    cameWith(api, 'project-of-machine', 'ya29.2')
  })

  const wellKnown = (adc: object): string => {
    const home = folder()
    writeFileSync(join(home, 'application_default_credentials.json'), JSON.stringify(adc))
    return home
  }

  test.each([
    ['nothing is found', {}, /^No credentials of Google were found: .*`credentials_file`/],
    [
      'the file is not there',
      { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/adc.json' },
      /\/nowhere\/adc\.json/,
    ],
  ])('where %s, a sentence says what to do', async (_, variables, sentence) => {
    surroundedBy(variables)
    const { provider } = await openVertex()
    expect(await provider.prove!(new Interrupt())).toMatchObject({
      ...{ kind: 'break', reason: 'credentials', sent: false },
      cause: { message: expect.stringMatching(sentence) },
    })
  })

  test.each([
    [
      'refuses',
      answering(400, { error: 'invalid_grant', error_description: 'The token is not for this pool.' }),
      'bad_credentials/no_credentials',
    ],
    ['is in trouble', answering(503, {}), 'transient/http_503'],
    ['hangs up', ((_, response) => response.destroy()) as RequestListener, 'transient/connect'],
  ])('a server of tokens that %s', async (_, respond, verdict) => {
    const tokens = await openUpstream(respond)
    const adc = federated(`${tokens.url}/v1/token`, fileWith('a.subject.token'))
    surroundedBy({ CLOUDSDK_CONFIG: wellKnown(adc) })
    const { api, provider } = await openVertex({ project: 'p' })
    const outcome = await provider.call(request())
    const { kind, reason } = classify(outcome, { endpoint: chats, dialect: 'google', nowMs })
    expect(`${kind}/${reason}`).toBe(verdict)
    expect(api.arrivals).toEqual([])
    expect(inspect(outcome, { depth: null })).not.toContain('a.subject.token')
    if (kind === 'bad_credentials')
      expect(outcome).toMatchObject({
        cause: { message: expect.stringMatching(/invalid_grant: The token is not for this pool/) },
      })
  })
})
