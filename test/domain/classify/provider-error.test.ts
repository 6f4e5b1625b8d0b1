import { describe, expect, it } from 'vitest'
import { providerErrorOf } from '../../../src/domain/classify/provider-error.ts'
import type { Verdict } from '../../../src/domain/classify/verdict.ts'
import type { UpstreamOutcome } from '../../../src/domain/upstream.ts'

const verdict: Verdict = { kind: 'transient', reason: 'http_500', retryAfterMs: null, possiblyBilled: false }
const asIs = (text: string): string => text

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const answer = (body: unknown, more: object = {}): UpstreamOutcome => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { kind: 'answer', status: 400, headers: {}, text, json: parsed(text), ...more }
}
const told = (outcome: UpstreamOutcome, redact = asIs) => providerErrorOf(outcome, verdict, redact)

describe('error messages of providers', () => {
  describe('an error is told in the words of', () => {
    it.each([
      [
        'OpenAI',
        { error: { message: 'No.', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
        'model_not_found',
        'No.',
      ],
      [
        'OpenAI without a code',
        { error: { message: 'No.', type: 'invalid_request_error', param: null, code: null } },
        'invalid_request_error',
        'No.',
      ],
      [
        'Anthropic',
        { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
        'authentication_error',
        'invalid x-api-key',
      ],
      [
        'Anthropic with details',
        {
          type: 'error',
          error: { type: 'billing_error', message: 'No.', details: { error_code: 'credit' } },
        },
        'credit',
        'No.',
      ],
      [
        'Gemini',
        { error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } },
        'INVALID_ARGUMENT',
        'API key not valid.',
      ],
      [
        'Gemini in a list',
        [{ error: { code: 429, message: 'Slow.', status: 'RESOURCE_EXHAUSTED' } }],
        'RESOURCE_EXHAUSTED',
        'Slow.',
      ],
      ['Cohere', { id: 'x', message: 'invalid api token' }, 'http_500', 'invalid api token'],
      [
        'Mistral',
        { object: 'error', message: 'Invalid model: x', type: 'invalid_model', param: null, code: '1500' },
        'invalid_model',
        'Invalid model: x',
      ],
      [
        'Mistral about a field',
        { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required' }] },
        'http_500',
        'body.messages: Field required',
      ],
      [
        'Mistral about a field, wrapped',
        {
          object: 'error',
          message: { detail: [{ msg: 'Field required', loc: ['body'] }] },
          type: 'invalid_request_error',
        },
        'invalid_request_error',
        'body: Field required',
      ],
      ['Ollama', { error: "model 'x' not found" }, 'http_500', "model 'x' not found"],
      [
        'vLLM',
        { object: 'error', message: 'No.', type: 'BadRequestError', code: 400 },
        'BadRequestError',
        'No.',
      ],
      ['OAuth', { error: 'invalid_grant', error_description: 'Expired.' }, 'invalid_grant', 'Expired.'],
      [
        'OpenRouter',
        {
          error: {
            message: 'Provider returned error',
            code: 400,
            metadata: { raw: '{"error":{"message":"Too hot."}}' },
          },
        },
        'http_500',
        'Provider returned error: Too hot.',
      ],
      [
        'Cloudflare',
        { success: false, errors: [{ code: 10000, message: 'Authentication error' }] },
        'http_500',
        'Authentication error',
      ],
      ['a gateway of Azure', { statusCode: 401, message: 'Access denied.' }, 'http_500', 'Access denied.'],
      [
        'Apigee',
        { fault: { faultstring: 'Invalid ApiKey', detail: { errorcode: 'oauth.v2' } } },
        'http_500',
        'Invalid ApiKey',
      ],
      [
        'RFC 9457',
        { title: 'Unprocessable Entity', status: 422, detail: 'Bad input.' },
        'http_500',
        'Bad input.',
      ],
      [
        'a page',
        '<html><head><title>403 Forbidden</title><style>a{}</style></head><body><h1>Blocked &amp; gone</h1></body></html>',
        'http_500',
        '403 Forbidden Blocked & gone',
      ],
      [
        'a plain text',
        'upstream connect error\n or disconnect',
        'http_500',
        'upstream connect error or disconnect',
      ],
      ['nobody', '', 'http_500', 'The answer has no body.'],
    ])('%s', (_, body, code, message) => expect(told(answer(body))).toEqual({ code, message }))

    it('AWS, whose code stands in a header', () => {
      const headers = { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/' }
      expect(told(answer({ message: 'Malformed input' }, { headers }))).toEqual({
        code: 'ValidationException',
        message: 'Malformed input',
      })
    })
  })

  describe('an error in a 200 is told', () => {
    it.each([
      ['as an object', { error: { message: 'No.', code: 'server_error' } }],
      ['in the place of an answer', { choices: [{ error: { message: 'No.', code: 'server_error' } }] }],
      ['in a stream', 'event: error\ndata: {"error":{"message":"No.","code":"server_error"}}\n\n'],
    ])('%s', (_, body) =>
      expect(told(answer(body, { status: 200 }))).toEqual({ code: 'server_error', message: 'No.' }),
    )

    it('without any word of the answer, where that is only of no use', () => {
      const spoiled = answer({ choices: [{ message: { content: null } }] }, { status: 200 })
      expect(told(spoiled)?.message).toBe('The answer holds nothing that can be used (http_500).')
    })
  })

  it.each([
    ['connect', { code: 'ECONNREFUSED' }, 'No connection to the provider could be made (ECONNREFUSED).'],
    [
      'dns',
      new Error('fetch failed', { cause: { code: 'ENOTFOUND' } }),
      'The name of the provider could not be resolved (ENOTFOUND).',
    ],
    ['timeout', null, 'No whole answer came within the timeout.'],
  ] as const)('a call that ended with %s says so', (reason, cause, message) => {
    expect(told({ kind: 'break', reason, sent: false, cause })).toEqual({ code: reason, message })
  })

  it('an answer that is good has no error, nor has a refusal in a 200', () => {
    const good = answer({ choices: [] }, { status: 200 })
    expect(providerErrorOf(good, { ...verdict, kind: 'ok' }, asIs)).toBeNull()
    expect(providerErrorOf(good, { ...verdict, kind: 'refused' }, asIs)).toBeNull()
  })

  it('is on one line, without control characters, and no longer than 500 characters', () => {
    const message = `a\u001b[31m\n\tb${'\u{1f600}'.repeat(2_000)}`
    const shown = told(answer({ error: { message } }))!.message
    expect(shown).toMatch(/^a \[31m b/)
    expect(shown.length).toBeLessThanOrEqual(500)
    expect(shown.isWellFormed()).toBe(true)
  })

  it('a secret is cut out before the text is cut short', () => {
    const message = `${'x'.repeat(490)} secret-value`
    const shown = told(answer({ error: { message } }), text => text.replace('secret-value', '***'))!.message
    expect(shown).toBe(`${'x'.repeat(490)} ***`)
  })
})
