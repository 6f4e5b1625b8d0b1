import { describe, expect, test } from 'vitest'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { bodyFor, chats } from './vendors/all.ts'
import { awsKeys, bedrock, expectSigned } from './vendors/bedrock.ts'

const call = async (settings: object, apiKey: string | null = null, model = bedrock.model) => {
  const upstream = await openUpstream(answering(200, bedrock.answer({ text: 'four' })))
  const provider = openProvider({
    type: 'bedrock',
    base_url: upstream.url,
    region: 'us-east-1',
    ...settings,
  })
  const outcome = await provider.call(requestOf(chats, bodyFor(chats), { model, apiKey }))
  expect(outcome).toMatchObject({ status: 200 })
  return upstream.arrivals[0]!
}

describe('signatures of Bedrock calls', () => {
  test.each([
    'amazon.nova-pro-v1:0',
    'eu.anthropic.claude-sonnet-4-20250514-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2',
  ])('a call of %s is signed as AWS has it', async model => {
    const arrival = await call(awsKeys, null, model)
    expect(arrival.path).toBe(`/model/${encodeURIComponent(model)}/converse`)
    expectSigned(arrival)
  })

  test('it is signed at the time that all processes go by, and not at that of the host’s clock', async () => {
    const { headers } = await call(awsKeys)
    expect(headers['x-amz-date']).toBe(new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''))
  })

  test('the signature is that of these keys', async () => {
    const arrival = await call({ ...awsKeys, secret_access_key: 'another' })
    expect(() => expectSigned(arrival)).toThrow()
    expectSigned(arrival, 'another')
  })

  test('temporary keys bring their token along, signed', async () => {
    const arrival = await call({ ...awsKeys, session_token: 'session' })
    expect(arrival.headers['x-amz-security-token']).toBe('session')
    expect(arrival.headers.authorization).toContain('x-amz-security-token')
    expectSigned(arrival)
  })

  test('a bearer key takes the place of the signature', async () => {
    const { headers } = await call({ api_key: 'bedrock-key' }, 'bedrock-key')
    expect(headers.authorization).toBe('Bearer bedrock-key')
    expect(headers['x-amz-date']).toBeUndefined()
  })

  test('keys of the environment do not get in between', async () => {
    process.env.AWS_BEARER_TOKEN_BEDROCK = 'of-somebody-else'
    try {
      expectSigned(await call(awsKeys))
    } finally {
      delete process.env.AWS_BEARER_TOKEN_BEDROCK
    }
  })
})
