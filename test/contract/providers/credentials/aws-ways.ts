import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { join } from 'node:path'
import { expect } from 'vitest'
import { nowMs, openUpstream } from '../open-provider.ts'
import { answering, type RecordingUpstream } from '../recording-upstream.ts'
import { container, createFakeAws, type FakeAws, handOut, imds, sts } from './fake-aws.ts'
import { fileWith, folder, surroundedBy } from './surroundings.ts'

const role = 'arn:aws:iam::123456789012:role/baton'

/** Where keys of AWS come from, and what it takes to hand out others there. */
export interface Way {
  readonly aws: FakeAws
  /** Settings of a provider or a bucket; empty where the surroundings say all. */
  readonly settings: Readonly<Record<string, string>>
  /** In the words of `baton doctor`. */
  readonly source: RegExp
}

export const openSts = async (aws: FakeAws): Promise<RecordingUpstream> => {
  const bodyOf = (_: IncomingMessage): string => server.arrivals.at(-1)!.text
  const server: RecordingUpstream = await openUpstream(sts(aws, bodyOf))
  return server
}

/** What EKS puts into a pod whose service account has a role. The file is written anew by it now and then. */
export const podWithRole = async (token = 'a.web.token') => {
  const aws = createFakeAws()
  const server = await openSts(aws)
  const file = fileWith(token)
  surroundedBy({ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_ENDPOINT_URL_STS: server.url })
  return { aws, server, file }
}

const homeWith = (config: string, credentials = ''): Record<string, string> => {
  const home = folder()
  writeFileSync(join(home, 'config'), config)
  writeFileSync(join(home, 'credentials'), credentials)
  return { AWS_CONFIG_FILE: join(home, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials') }
}

const withSource = (aws: FakeAws): Promise<Way> => roleOf(aws, 'source_profile = base')

const roleOf = async (aws: FakeAws, by: string): Promise<Way> => {
  const server = await openSts(aws)
  const files = homeWith(
    `[profile work]\nrole_arn = ${role}\n${by}\nregion = us-east-1\n`,
    '[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n',
  )
  surroundedBy({ ...files, AWS_ENDPOINT_URL_STS: server.url })
  return { aws, settings: { profile: 'work' }, source: /^a role, by .*"work"/ }
}

/** A program of the profile: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
const byProgram = async (aws: FakeAws): Promise<Way> => {
  const handing = await openUpstream((_, response) => {
    const { id, secret, token } = handOut(aws)
    // The SDK looks whether they have ended, by the clock of this host.
    const end = new Date(Math.max(nowMs, Date.now()) + aws.lastsMs).toISOString()
    const keys = { AccessKeyId: id, SecretAccessKey: secret, SessionToken: token, Expiration: end }
    response.end(JSON.stringify({ Version: 1, ...keys }))
  })
  const program = join(folder(), 'credentials.mjs')
  writeFileSync(program, `console.log(await (await fetch('${handing.url}')).text())\n`)
  chmodSync(program, 0o700)
  surroundedBy(homeWith(`[profile work]\ncredential_process = ${process.execPath} ${program}\n`))
  return { aws, settings: { profile: 'work' }, source: /^the program of a profile \("work"\)$/ }
}

/** The login of IAM Identity Center: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html */
const bySso = async (aws: FakeAws): Promise<Way> => {
  const portal: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://portal')
    expect([request.method, pathname]).toEqual(['GET', '/federation/credentials'])
    expect([searchParams.get('role_name'), searchParams.get('account_id')]).toEqual(['Dev', '123456789012'])
    expect(request.headers['x-amz-sso_bearer_token']).toBe('sso-token')
    const { id, secret, token, end } = handOut(aws)
    const roleCredentials = {
      ...{ accessKeyId: id, secretAccessKey: secret, sessionToken: token },
      expiration: Date.parse(end),
    }
    answering(200, { roleCredentials })(request, response)
  }
  const server = await openUpstream(portal)
  const files = homeWith(
    '[sso-session mine]\nsso_region = us-east-1\nsso_start_url = https://mine.awsapps.com/start\n' +
      '[profile work]\nsso_session = mine\nsso_account_id = 123456789012\nsso_role_name = Dev\n',
  )
  surroundedBy({ ...files, AWS_ENDPOINT_URL_SSO: server.url })
  const cache = join(process.env.HOME!, '.aws', 'sso', 'cache')
  mkdirSync(cache, { recursive: true })
  const name = createHash('sha1').update('mine').digest('hex')
  const expiresAt = new Date(Math.max(nowMs, Date.now()) + 8 * 3_600_000).toISOString()
  writeFileSync(join(cache, `${name}.json`), JSON.stringify({ accessToken: 'sso-token', expiresAt }))
  return { aws, settings: { profile: 'work' }, source: /^the SSO login of a profile \("work"\)$/ }
}

/** Each kind that docs/providers.md promises, and that hands out keys which end. */
export const ways: readonly (readonly [name: string, open: () => Promise<Way>])[] = [
  [
    'web identity (IRSA)',
    async () => ({ aws: (await podWithRole()).aws, settings: {}, source: /^the web identity of this pod$/ }),
  ],
  [
    'EKS Pod Identity, and ECS with a token',
    async () => {
      const aws = createFakeAws()
      const server = await openUpstream(container(aws, 'pod-token'))
      surroundedBy({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileWith('pod-token'),
      })
      return { aws, settings: {}, source: /^the endpoint of this container or pod$/ }
    },
  ],
  [
    'role of the instance (IMDSv2)',
    async () => {
      const aws = createFakeAws()
      const server = await openUpstream(imds(aws))
      surroundedBy({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url })
      return { aws, settings: {}, source: /^the role of this instance$/ }
    },
  ],
  ['profile with role_arn and source_profile', () => withSource(createFakeAws())],
  ['profile with credential_process', () => byProgram(createFakeAws())],
  ['profile with an SSO session', () => bySso(createFakeAws())],
]
