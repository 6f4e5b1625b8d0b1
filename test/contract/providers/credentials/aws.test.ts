import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { classify } from '../../../../src/domain/classify/classify.ts'
import { Interrupt } from '../../../../src/domain/interrupt.ts'
import { nowMs, openProvider, openUpstream, requestOf } from '../open-provider.ts'
import { answering, type RecordingUpstream } from '../recording-upstream.ts'
import { bodyFor, chats } from '../vendors/all.ts'
import { awsKeys, bedrock, expectSigned } from '../vendors/bedrock.ts'
import { openSts, podWithRole } from './aws-ways.ts'
import { container, createFakeAws, type FakeAws, imds, stsError } from './fake-aws.ts'
import { fileWith, folder, surroundedBy } from './surroundings.ts'

const role = 'arn:aws:iam::123456789012:role/baton'
const request = () => requestOf(chats, bodyFor(chats), { model: bedrock.model, apiKey: null })

const openBedrock = async (
  more: object = {},
  respond: RequestListener = answering(200, bedrock.answer({ text: 'four' })),
) => {
  const api = await openUpstream(respond)
  return { api, provider: openProvider({ type: 'bedrock', base_url: api.url, region: 'us-east-1', ...more }) }
}

const signedBy = (api: RecordingUpstream, aws: FakeAws, n = 0): void => {
  const { id, secret, token } = aws.handedOut[n]!
  const arrival = api.arrivals.at(-1)!
  expectSigned(arrival, secret, id)
  expect(arrival.headers['x-amz-security-token']).toBe(token)
}

const proofOf = async (more: object = {}) => {
  const { provider } = await openBedrock(more)
  return provider.prove!(new Interrupt())
}

describe('keys of AWS where its own tools find them', () => {
  test('the web identity of a pod (IRSA) is asked for once by calls at the same time', async () => {
    const { aws, server } = await podWithRole()
    const { api, provider } = await openBedrock()
    const outcomes = await Promise.all([provider.call(request()), provider.call(request())])
    expect(outcomes).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(server.arrivals).toHaveLength(1)
    signedBy(api, aws)
    expect(await provider.prove!(new Interrupt())).toMatchObject({ source: 'the web identity of this pod' })
  })

  test('the role of an instance is asked for by the second version of the metadata service', async () => {
    const aws = createFakeAws()
    const server = await openUpstream(imds(aws))
    surroundedBy({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url })
    const { api, provider } = await openBedrock()
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    signedBy(api, aws)
    expect(await provider.prove!(new Interrupt())).toMatchObject({ source: 'the role of this instance' })
  })

  test('the endpoint of a container (ECS, EKS Pod Identity) is shown the token of its file', async () => {
    const aws = createFakeAws()
    const server = await openUpstream(container(aws, 'pod-token'))
    surroundedBy({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileWith('pod-token'),
    })
    const { api, provider } = await openBedrock()
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    signedBy(api, aws)
  })

  test('a profile may take on a role with the keys of another', async () => {
    const aws = createFakeAws()
    const server = await openSts(aws)
    const home = folder()
    const { access_key_id, secret_access_key } = awsKeys
    writeFileSync(
      join(home, 'config'),
      `[profile work]\nrole_arn = ${role}\nsource_profile = base\nregion = us-east-1\n`,
    )
    writeFileSync(
      join(home, 'credentials'),
      `[base]\naws_access_key_id = ${access_key_id}\naws_secret_access_key = ${secret_access_key}\n`,
    )
    surroundedBy({
      AWS_CONFIG_FILE: join(home, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
      AWS_ENDPOINT_URL_STS: server.url,
    })
    const { api, provider } = await openBedrock({ profile: 'work' })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    expect(server.arrivals[0]!.headers.authorization).toContain(access_key_id)
    signedBy(api, aws)
    expect(await provider.prove!(new Interrupt())).toMatchObject({
      source: expect.stringMatching(/^a role, by .*"work"/),
    })
  })

  test.each([
    ['of the environment', {}, { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 's' }],
    ['of the config', awsKeys, {}],
  ])('role_arn is taken on with the keys %s', async (_, settings, variables) => {
    const aws = createFakeAws()
    const server = await openSts(aws)
    surroundedBy({ AWS_ENDPOINT_URL_STS: server.url, ...variables })
    const { api, provider } = await openBedrock({ ...settings, role_arn: role })
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    signedBy(api, aws)
  })

  test('keys of the config ask nobody', async () => {
    const { server } = await podWithRole()
    const { api, provider } = await openBedrock(awsKeys)
    expect(await provider.call(request())).toMatchObject({ status: 200 })
    expectSigned(api.arrivals[0]!)
    expect(server.arrivals).toEqual([])
  })

  test('keys that AWS calls ended are renewed within the call, once for all', async () => {
    const { aws, server } = await podWithRole()
    const ended = new Set(['session-1'])
    const { api, provider } = await openBedrock({}, (incoming, response) => {
      const isEnded = ended.has(String(incoming.headers['x-amz-security-token']))
      const type = { 'x-amzn-errortype': 'ExpiredTokenException:http://internal.amazon.com/' }
      if (isEnded)
        answering(
          403,
          { message: 'The security token included in the request is expired' },
          type,
        )(incoming, response)
      else answering(200, bedrock.answer({ text: 'four' }))(incoming, response)
    })
    const outcomes = await Promise.all([provider.call(request()), provider.call(request())])
    expect(outcomes).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(server.arrivals).toHaveLength(2)
    expect(api.arrivals).toHaveLength(4)
    signedBy(api, aws, 1)
  })

  test('keys of the config that have ended are bad credentials at once', async () => {
    surroundedBy({})
    const type = { 'x-amzn-errortype': 'ExpiredTokenException' }
    const { api, provider } = await openBedrock(awsKeys, answering(403, { message: 'expired' }, type))
    const outcome = await provider.call(request())
    expect(classify(outcome, { endpoint: chats, dialect: 'bedrock', nowMs }).kind).toBe('bad_credentials')
    expect(api.arrivals).toHaveLength(1)
  })

  const failures: [string, RequestListener, string, RegExp | null][] = [
    [
      'a role that does not trust the pod',
      stsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
      'bad_credentials/no_credentials',
      /^AWS refuses \(AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\)\. See whether the role/,
    ],
    ['a server that turns away', stsError(429, 'Throttling', 'Rate exceeded'), 'rate_limited/http_429', null],
    ['a server in trouble', stsError(503, 'ServiceUnavailable', 'away'), 'transient/http_503', null],
    ['a server that hangs up', (_, response) => response.destroy(), 'transient/reset', null],
  ]
  test.each(failures)('%s', async (_, refuses, verdict, sentence) => {
    const { aws } = await podWithRole()
    aws.refuses = refuses
    const { api, provider } = await openBedrock()
    const outcome = await provider.call(request())
    const judged = classify(outcome, { endpoint: chats, dialect: 'bedrock', nowMs })
    expect(`${judged.kind}/${judged.reason}`).toBe(verdict)
    expect(judged.possiblyBilled).toBe(false)
    expect(api.arrivals).toEqual([])
    expect(inspect(outcome, { depth: null })).not.toContain('a.web.token')
    if (sentence) expect(outcome).toMatchObject({ cause: { message: expect.stringMatching(sentence) } })
  })

  test.each([
    ['nothing is found', {}, {}, /^No credentials of AWS were found: .*`access_key_id`/],
    ['there is no such profile', { profile: 'nobody' }, {}, /nobody.*~\/\.aws\/config\.$/],
    [
      'nobody answers as the metadata service',
      {},
      { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' },
      /^No credentials of AWS were found/,
    ],
  ])('where %s, a sentence says what to do', async (_, settings, variables, sentence) => {
    surroundedBy(variables)
    expect(await proofOf(settings)).toMatchObject({
      ...{ kind: 'break', reason: 'credentials', sent: false },
      cause: { message: expect.stringMatching(sentence) },
    })
  })

  test('nothing of the SDK is said on the console', async () => {
    surroundedBy({ AWS_PROFILE: 'nobody', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })
    const warn = vi.spyOn(console, 'warn')
    await proofOf()
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })
})
