import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { UpstreamDialect } from '../../../src/domain/endpoint.ts'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
import { html, json, openai } from './outcomes.ts'

/** Errors of the APIs that are neither OpenAI's nor Anthropic's; the contract suite has the commonest, over the wire. */
type Row = [name: string, answer: UpstreamAnswer, verdict: string]

const verdictIn = (dialect: UpstreamDialect) => (answer: UpstreamAnswer) => {
  const { kind, reason } = classify(answer, { ...openai, dialect })
  return `${kind}/${reason}`
}

describe('classify with answers of vendors', () => {
  describe('Bedrock', () => {
    const aws = (status: number, type: string, message = 'No.') =>
      json(status, { message }, { 'x-amzn-errortype': type })
    const rows: Row[] = [
      ['throttled', aws(429, 'ThrottlingException'), 'rate_limited/throttlingexception'],
      [
        'a day’s tokens',
        aws(429, 'ThrottlingException', 'Too many tokens per day, please wait before trying again.'),
        'rate_limited/throttlingexception',
      ],
      [
        'a service quota, a 400',
        aws(400, 'ServiceQuotaExceededException'),
        'rate_limited/servicequotaexceededexception',
      ],
      ['a model that is starting', aws(429, 'ModelNotReadyException'), 'overloaded/modelnotreadyexception'],
      ['a model that took too long', aws(408, 'ModelTimeoutException'), 'transient/modeltimeoutexception'],
      ['a model that failed, a 424', aws(424, 'ModelErrorException'), 'transient/modelerrorexception'],
      [
        'the name with a URL behind it',
        aws(500, 'InternalServerException:http://internal.amazon.com/coral/'),
        'transient/internalserverexception',
      ],
      [
        'the name in the body',
        json(429, { __type: 'com.amazon.coral.service#ThrottlingException' }),
        'rate_limited/throttlingexception',
      ],
      [
        'a wrong signature',
        aws(403, 'InvalidSignatureException'),
        'bad_credentials/invalidsignatureexception',
      ],
      ['keys that have run out', aws(403, 'ExpiredTokenException'), 'bad_credentials/expiredtokenexception'],
      [
        'a bearer key, in capitals',
        json(403, { Message: 'Authentication failed: Please make sure your API Key is valid.' }),
        'bad_credentials/http_403',
      ],
      [
        'no permission',
        aws(
          403,
          'AccessDeniedException',
          'User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel',
        ),
        'bad_credentials/accessdeniedexception',
      ],
      [
        'no access to the model',
        aws(403, 'AccessDeniedException', "You don't have access to the model with the specified model ID."),
        'unknown_model/model_access',
      ],
      ['no such model', aws(404, 'ResourceNotFoundException'), 'unknown_model/resourcenotfoundexception'],
      [
        'a model that needs a profile',
        aws(
          400,
          'ValidationException',
          'Invocation of model ID anthropic.claude-x with on-demand throughput isn’t supported.',
        ),
        'unknown_model/needs_inference_profile',
      ],
      [
        'the window of Claude',
        aws(400, 'ValidationException', 'prompt is too long: 250000 tokens > 200000 maximum'),
        'too_long/prompt_too_long',
      ],
      [
        'the window of Nova',
        aws(
          400,
          'ValidationException',
          'Too many input tokens. Max input tokens: 300000, request input token count: 310000',
        ),
        'too_long/prompt_too_long',
      ],
      [
        'a bad parameter',
        aws(400, 'ValidationException', 'Malformed input request'),
        'rejected/validationexception',
      ],
    ]
    test.each(rows)('%s', (_name, answer, verdict) => expect(verdictIn('bedrock')(answer)).toBe(verdict))
  })

  describe('Cohere', () => {
    const says = (status: number, message: string) => json(status, { message })
    const rows: Row[] = [
      ['a key', says(401, 'no api key supplied'), 'bad_credentials/http_401'],
      [
        'a minute’s limit of a trial',
        says(429, 'You are using a Trial key, which is limited to 20 API calls / minute.'),
        'rate_limited/http_429',
      ],
      [
        'a month’s limit of a trial',
        says(429, 'You are using a Trial key, which is limited to 1000 API calls / month.'),
        'out_of_quota/trial_limit',
      ],
      ['no payment', says(402, 'Please add or update your payment method.'), 'out_of_quota/http_402'],
      [
        'a model that is gone',
        says(404, "model 'command' was removed on September 15, 2025."),
        'unknown_model/model_removed',
      ],
      ['a blocked input, a 498', says(498, 'blocked input'), 'refused/http_498'],
      ['cancelled there', says(499, 'request cancelled'), 'transient/http_499'],
      [
        'a bad parameter',
        says(422, 'invalid type: parameter temperature is of type string'),
        'rejected/http_422',
      ],
      ['a path that is none, from a proxy', html(404), 'transient/http_404'],
    ]
    test.each(rows)('%s', (_name, answer, verdict) => expect(verdictIn('cohere')(answer)).toBe(verdict))
  })

  describe('Mistral', () => {
    const fault = { type: 'extra_forbidden', loc: ['body', 'user'], msg: 'Extra inputs are not permitted' }
    const api = (status: number, message: unknown, type: string, code: string | null) =>
      json(status, { object: 'error', message, type, param: null, code, raw_status_code: status })
    const rows: Row[] = [
      ['a key, from the gateway', json(401, { detail: 'Unauthorized' }), 'bad_credentials/http_401'],
      [
        'a key, from the other gateway',
        json(401, { message: 'Unauthorized', request_id: 'a1' }),
        'bad_credentials/http_401',
      ],
      [
        'the rate, from the gateway',
        json(429, { message: 'Requests rate limit exceeded' }),
        'rate_limited/http_429',
      ],
      [
        'the capacity of a tier',
        api(429, 'Service tier capacity exceeded for this model.', 'service_tier_capacity_exceeded', '3505'),
        'rate_limited/service_tier_capacity_exceeded',
      ],
      ['an unknown parameter', json(422, { detail: [fault] }), 'unsupported/unknown_parameter'],
      [
        'an unknown parameter, wrapped',
        api(422, { detail: [fault] }, 'invalid_request_error', null),
        'unsupported/unknown_parameter',
      ],
      ['a path that is none', json(404, { detail: 'Not Found' }), 'transient/http_404'],
      [
        'out of order',
        api(500, 'Service unavailable.', 'internal_server_error', '1000'),
        'transient/internal_server_error',
      ],
      [
        'a bad parameter',
        api(400, 'Expected last role User or Tool for serving', 'invalid_request_error', '3230'),
        'rejected/invalid_request_error',
      ],
    ]
    test.each(rows)('%s', (_name, answer, verdict) => expect(verdictIn('mistral')(answer)).toBe(verdict))
  })

  describe('Azure', () => {
    const fails = (status: number, code: string, message = 'No.', headers = {}) =>
      json(status, { error: { code, message } }, headers)
    const rows: Row[] = [
      ['a wrong base', fails(404, '404', 'Resource not found'), 'unknown_model/resource_not_found'],
      [
        'a version that is none',
        fails(400, 'BadRequest', 'API version not supported'),
        'unknown_model/api_version',
      ],
      [
        'a deployment that does not chat',
        fails(400, 'OperationNotSupported'),
        'unknown_model/operationnotsupported',
      ],
      ['a deployment that is none', fails(404, 'DeploymentNotFound'), 'unknown_model/deploymentnotfound'],
    ]
    test.each(rows)('%s', (_name, answer, verdict) => expect(verdictIn('openai')(answer)).toBe(verdict))

    test('its milliseconds win over its seconds', () => {
      const headers = { 'retry-after': '3', 'retry-after-ms': '2143' }
      expect(classify(fails(429, 'RateLimitReached', 'No.', headers), openai)).toMatchObject({
        kind: 'rate_limited',
        retryAfterMs: 2_143,
      })
    })
  })

  test.each(['google', 'bedrock', 'cohere', 'mistral'] as const)(
    '%s: anything at all can be judged',
    dialect => {
      const bodies = [
        undefined,
        null,
        1,
        'x',
        [],
        [[]],
        [null],
        {},
        { error: [] },
        { error: { details: [null] } },
      ]
      const odd = [
        { message: {} },
        { detail: [] },
        { detail: [1] },
        { message: { detail: null } },
        { __type: 7 },
      ]
      for (const body of [...bodies, ...odd]) {
        for (const status of [200, 301, 400, 404, 429, 503]) {
          expect(verdictIn(dialect)(json(status, body))).toMatch(/^\w+\/\w+$/)
        }
      }
    },
  )
})
