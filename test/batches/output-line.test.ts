import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LineEnd, renderLine } from '../../src/batches/output-line.ts'

const answered = (statusCode: number, body: string): LineEnd => ({
  kind: 'answered',
  statusCode,
  body,
  requestId: 'req_1',
})
const openai = (end: LineEnd) => renderLine('openai', 'batch_req_1', 'row-17', end)
const anthropic = (end: LineEnd) => renderLine('anthropic', 'batch_req_1', 'row-17', end)
const refusal: LineEnd = {
  kind: 'failed',
  code: 'unsupported_parameter',
  message: 'No.',
  param: 'n',
  status: 400,
}
const failure: LineEnd = {
  kind: 'failed',
  code: 'attempts_exhausted',
  message: 'Used up.',
  param: null,
  status: null,
}

describe('a line of an OpenAI batch', () => {
  it('has a good answer as it came', () => {
    const body = '{"id":"chatcmpl-1","n":12345678901234567890,"t":1.0}'
    expect(openai(answered(200, body))).toEqual({
      file: 'output',
      outcome: 'succeeded',
      text: `{"id":"batch_req_1","custom_id":"row-17","response":{"status_code":200,"request_id":"req_1","body":${body}},"error":null}\n`,
    })
  })

  it("has a provider's error as it came", () => {
    const body =
      '{"error":{"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}'
    expect(openai(answered(400, body))).toEqual({
      file: 'error',
      outcome: 'errored',
      text: `{"id":"batch_req_1","custom_id":"row-17","response":{"status_code":400,"request_id":"req_1","body":${body}},"error":null}\n`,
    })
  })

  it.each([
    [
      'our own refusal',
      refusal,
      {
        status_code: 400,
        request_id: 'batch_req_1',
        body: {
          error: { message: 'No.', type: 'invalid_request_error', param: 'n', code: 'unsupported_parameter' },
        },
      },
      null,
    ],
    ['a failure without an answer', failure, null, { code: 'attempts_exhausted', message: 'Used up.' }],
    [
      'expiry',
      { kind: 'expired' },
      null,
      {
        code: 'batch_expired',
        message: 'This request could not be executed before the completion window expired.',
      },
    ],
    [
      'cancellation',
      { kind: 'cancelled' },
      null,
      { code: 'batch_cancelled', message: 'This request was not executed because the batch was cancelled.' },
    ],
  ] as const)('tells of %s', (_, end, response, error) => {
    const { file, text } = openai(end)
    expect(file).toBe('error')
    expect(JSON.parse(text)).toEqual({ id: 'batch_req_1', custom_id: 'row-17', response, error })
  })

  it.each([
    [
      'Anthropic',
      400,
      '{"type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":null}',
      ['No.', 'invalid_request_error', null, null],
    ],
    ['Ollama', 404, '{"error":"no such model"}', ['no such model', 'invalid_request_error', null, null]],
    [
      'older vLLM',
      400,
      '{"object":"error","message":"No.","type":"BadRequestError","param":"n","code":400}',
      ['No.', 'BadRequestError', 'n', null],
    ],
    ['a router', 404, '{"detail":"Not Found"}', ['Not Found', 'invalid_request_error', null, null]],
    [
      'a proxy',
      502,
      '<html><head><style>h1{}</style></head>\n<h1>502 Bad Gateway</h1></html>',
      ['502 Bad Gateway', 'server_error', null, null],
    ],
    ['nobody', 500, '', ['The provider answered 500 without a body.', 'server_error', null, null]],
    ['a broken 200', 200, '{"id":', ['{"id":', 'server_error', null, null]],
  ] as const)(
    'puts an error of %s into the shape clients know',
    (_, status, body, [message, type, param, code]) => {
      const line = openai(answered(status, body))
      expect(line).toMatchObject({ file: 'error', outcome: 'errored' })
      expect(JSON.parse(line.text)).toMatchObject({
        response: {
          status_code: status === 200 ? 502 : status,
          body: { error: { message, type, param, code } },
        },
        error: null,
      })
    },
  )
})

describe('a line of an Anthropic batch', () => {
  it('has a message as it came', () => {
    const body = '{"id":"msg_01","type":"message","content":[{"type":"text","text":"4"}]}'
    expect(anthropic(answered(200, body))).toEqual({
      file: 'output',
      outcome: 'succeeded',
      text: `{"custom_id":"row-17","result":{"type":"succeeded","message":${body}}}\n`,
    })
  })

  it("has a provider's error as it came, nested twice", () => {
    const body =
      '{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: Field required"},"request_id":"req_9"}'
    expect(anthropic(answered(400, body))).toEqual({
      file: 'output',
      outcome: 'errored',
      text: `{"custom_id":"row-17","result":{"type":"errored","error":${body}}}\n`,
    })
  })

  it.each([
    [
      'OpenAI',
      400,
      '{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"x"}}',
      'No.',
      'invalid_request_error',
    ],
    [
      'OpenAI, whose types are others',
      500,
      '{"error":{"message":"No.","type":"server_error","param":null,"code":null}}',
      'No.',
      'api_error',
    ],
    [
      'an older Anthropic, without the request',
      413,
      '{"type":"error","error":{"type":"request_too_large","message":"No."}}',
      'No.',
      'request_too_large',
    ],
    ['a proxy', 429, 'slow down', 'slow down', 'rate_limit_error'],
  ])('puts an error of %s into the shape clients know', (_, status, body, message, type) => {
    const { text } = anthropic(answered(status, body))
    const error = { type: 'error', error: { type, message }, request_id: 'req_1' }
    expect(JSON.parse(text)).toEqual({ custom_id: 'row-17', result: { type: 'errored', error } })
  })

  it.each([
    ['our own refusal', refusal, 'errored', 'invalid_request_error'],
    ['an unknown model', { ...refusal, status: 404 } as LineEnd, 'errored', 'not_found_error'],
    ['a failure that may be sent again', failure, 'errored', 'api_error'],
  ])('tells of %s', (_, end, outcome, type) => {
    const line = anthropic(end)
    expect(line).toMatchObject({ file: 'output', outcome })
    expect(JSON.parse(line.text)).toMatchObject({
      result: { type: 'errored', error: { type: 'error', error: { type } } },
    })
  })

  it.each([
    ['expired', 'expired'],
    ['cancelled', 'canceled'],
  ] as const)('says that it is %s', (kind, outcome) => {
    const text = `{"custom_id":"row-17","result":{"type":"${outcome}"}}\n`
    expect(anthropic({ kind })).toEqual({ file: 'output', outcome, text })
  })
})

describe('any line', () => {
  it.each([200, 400])(
    'is one line to everybody, with the same content, for a body with status %d',
    status => {
      const text = fc.string({
        unit: fc.constantFrom('a', '"', '\n', '\r', '\\', ' ', '\u0085', '\u2028', '\u2029', '東'),
      })
      const gap = fc.constantFrom(undefined, 1, 2, '\t')
      const property = fc.property(text, text, gap, (customId, content, indent) => {
        const body = { error: { message: `x${content}`, list: [content, { [content]: 1 }] } }
        const written = JSON.stringify(body, null, indent).replaceAll('\n', '\r\n')
        const { text: line } = renderLine('openai', 'batch_req_1', customId, answered(status, written))
        expect(line.slice(0, -1)).not.toMatch(/[\r\n\u0085\u2028\u2029]/)
        expect(line.endsWith('}\n')).toBe(true)
        expect(JSON.parse(line)).toMatchObject({ custom_id: customId, response: { body } })
      })
      fc.assert(property, { numRuns: 500 })
    },
  )
})
