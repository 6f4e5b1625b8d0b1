import { describe, expect, test } from 'vitest'
import { type ClassifyContext, classify } from '../../../src/domain/classify/classify.ts'
import { longestWaitMs } from '../../../src/domain/classify/retry-after.ts'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
import { html, json, openai, verdictOf } from './outcomes.ts'

type Row = [name: string, answer: UpstreamAnswer, verdict: string]

const context: ClassifyContext = { ...openai, dialect: 'google' }

const rpc = (code: number, status: string, message = 'No.', details: object[] = []) =>
  json(code, { error: { code, message, status, details } })
const info = (reason: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason })
const retry = (retryDelay: unknown) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })

describe('Google', () => {
  const rows: Row[] = [
    ['a quota', rpc(429, 'RESOURCE_EXHAUSTED'), 'rate_limited/resource_exhausted'],
    [
      'credits that are used up',
      rpc(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted. Please go to AI Studio.'),
      'out_of_quota/credits_depleted',
    ],
    [
      'a list, as its copy of OpenAI’s API sends',
      json(404, [{ error: { code: 404, status: 'NOT_FOUND' } }]),
      'unknown_model/not_found',
    ],
    [
      'a key that has run out',
      rpc(400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.'),
      'bad_credentials/api_key_invalid',
    ],
    [
      'a key that is not for this API',
      rpc(403, 'PERMISSION_DENIED', 'Blocked.', [info('API_KEY_SERVICE_BLOCKED')]),
      'bad_credentials/api_key_service_blocked',
    ],
    [
      'an API that is switched off',
      rpc(403, 'PERMISSION_DENIED', 'No.', [info('SERVICE_DISABLED')]),
      'bad_credentials/service_disabled',
    ],
    [
      'no billing',
      rpc(403, 'PERMISSION_DENIED', 'No.', [info('BILLING_DISABLED')]),
      'out_of_quota/billing_disabled',
    ],
    [
      'a token that has run out',
      rpc(401, 'UNAUTHENTICATED', 'No.', [info('ACCESS_TOKEN_EXPIRED')]),
      'bad_credentials/access_token_expired',
    ],
    [
      'another country',
      rpc(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
      'bad_credentials/location_not_supported',
    ],
    [
      'a bad parameter',
      rpc(400, 'INVALID_ARGUMENT', 'Invalid value at generation_config.'),
      'rejected/invalid_argument',
    ],
    [
      'a deadline',
      rpc(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
      'transient/deadline_exceeded',
    ],
    ['cancelled there', rpc(499, 'CANCELLED'), 'transient/cancelled'],
    ['overloaded', rpc(503, 'UNAVAILABLE', 'Visibility check was unavailable.'), 'overloaded/unavailable'],
    [
      'the window, Vertex',
      rpc(
        400,
        'INVALID_ARGUMENT',
        'Unable to submit request because the input token count is 2000032 but the model supports up to 1048576.',
      ),
      'too_long/prompt_too_long',
    ],
    ['a front end in between', html(502), 'transient/http_502'],
  ]
  test.each(rows)('%s', (_name, answer, verdict) => expect(verdictOf(answer, context)).toBe(verdict))

  test.each([
    ['37s', 37_000],
    ['0.210430600s', 211],
    ['9999999s', longestWaitMs],
    ['soon', null],
    [37, null],
  ])('asks to be left alone for %s', (delay, wait) => {
    const answer = rpc(429, 'RESOURCE_EXHAUSTED', 'No.', [retry(delay)])
    expect(classify(answer, context).retryAfterMs).toBe(wait)
  })

  test('a header wins over the body', () => {
    const answer = rpc(429, 'RESOURCE_EXHAUSTED', 'No.', [retry('37s')])
    const withHeader = { ...answer, headers: { 'retry-after': '2' } }
    expect(classify(withHeader, context).retryAfterMs).toBe(2_000)
  })
})
