import { createHash } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { expect } from 'vitest'
import { nowMs } from '../open-provider.ts'

/** Keys as AWS would hand them out, each time others. */
export interface HandedOut {
  readonly id: string
  readonly secret: string
  readonly token: string
}

export interface FakeAws {
  readonly handedOut: HandedOut[]
  /** The web token that STS knows. */
  webToken: string
  /** How long what is handed out lasts. */
  lastsMs: number
  /** Answers in place of what would be handed out. */
  refuses: RequestListener | null
}

export const createFakeAws = (): FakeAws => ({
  handedOut: [],
  webToken: 'a.web.token',
  lastsMs: 3_600_000,
  refuses: null,
})

export const handOut = (aws: FakeAws): HandedOut & { readonly end: string } => {
  const n = aws.handedOut.length + 1
  const secret = createHash('sha256').update(`secret ${n}`).digest('base64').slice(0, 40)
  const keys = { id: `ASIAIOSFODNN7EXAMPL${n}`, secret, token: `session-${n}` }
  aws.handedOut.push(keys)
  // Without milliseconds, as AWS writes it.
  return { ...keys, end: `${new Date(nowMs + aws.lastsMs).toISOString().slice(0, 19)}Z` }
}

const credentialsXml = ({ id, secret, token, end }: ReturnType<typeof handOut>): string =>
  `<Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey>` +
  `<SessionToken>${token}</SessionToken><Expiration>${end}</Expiration></Credentials>`

const xml = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'content-type': 'text/xml' })
  response.end(text)
}

export const stsError =
  (status: number, code: string, message: string): RequestListener =>
  (_, response) =>
    xml(
      response,
      status,
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
    )

/**
 * STS by what its documentation says of AssumeRoleWithWebIdentity and AssumeRole:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export const sts =
  (aws: FakeAws, bodyOf: (request: IncomingMessage) => string): RequestListener =>
  (request, response) => {
    if (aws.refuses) return aws.refuses(request, response)
    const form = new URLSearchParams(bodyOf(request))
    const action = form.get('Action')
    expect(form.get('Version')).toBe('2011-06-15')
    expect(form.get('RoleArn')).toMatch(/^arn:aws:iam::123456789012:role\//)
    if (action === 'AssumeRoleWithWebIdentity') {
      if (form.get('WebIdentityToken') !== aws.webToken)
        return stsError(400, 'InvalidIdentityToken', 'No OpenIDConnect provider found')(request, response)
    } else {
      expect(action).toBe('AssumeRole')
      expect(request.headers.authorization).toMatch(/\/us-east-1\/sts\/aws4_request/)
    }
    xml(
      response,
      200,
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
        `${credentialsXml(handOut(aws))}<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>` +
        `</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
    )
  }

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

const credentialsJson = (aws: FakeAws) => {
  const { id, secret, token, end } = handOut(aws)
  return { AccessKeyId: id, SecretAccessKey: secret, Token: token, Expiration: end }
}

/** The second version of the metadata service: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
export const imds =
  (aws: FakeAws): RequestListener =>
  (request, response) => {
    const role = '/latest/meta-data/iam/security-credentials/'
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      expect(request.headers['x-aws-ec2-metadata-token-ttl-seconds']).toMatch(/^\d+$/)
      return void response.end('imds-token')
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== 'imds-token') {
      response.writeHead(401)
      return void response.end()
    }
    if (request.url === role) return void response.end('my-role')
    expect(request.url).toBe(`${role}my-role`)
    json(response, { Code: 'Success', Type: 'AWS-HMAC', ...credentialsJson(aws) })
  }

/** The endpoint of ECS and of EKS Pod Identity: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
export const container =
  (aws: FakeAws, authorization: string): RequestListener =>
  (request, response) => {
    expect(request.method).toBe('GET')
    if (request.headers.authorization !== authorization) {
      response.writeHead(401, { 'content-type': 'application/json' })
      return void response.end('{"code":"Unauthorized","message":"no"}')
    }
    json(response, { RoleArn: 'arn:aws:iam::123456789012:role/r', ...credentialsJson(aws) })
  }
