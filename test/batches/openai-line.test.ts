import { describe, expect, it } from 'vitest'
import { parseOpenAiLine } from '../../src/batches/openai-line.ts'
import { lineOf } from './pieces.ts'

const endpoint = '/v1/chat/completions'
const good = { custom_id: 'row-17', method: 'POST', url: endpoint, body: { model: 'gpt-x', messages: [] } }
const parse = (content: string | object | Buffer | null) => parseOpenAiLine(lineOf(content, 7), endpoint)

const notJson = 'This line is not parseable as valid JSON.'

describe('parseOpenAiLine', () => {
  it('reads a request', () => {
    expect(parse(good)).toEqual({
      customId: 'row-17',
      model: 'gpt-x',
      body: '{"model":"gpt-x","messages":[]}',
      parsedBody: { model: 'gpt-x', messages: [] },
    })
  })

  it.each([
    ['text', 'nonsense', 'invalid_json_line', null, notJson],
    ['half of a line', '{"custom_id":"a', 'invalid_json_line', null, notJson],
    [
      'invalid UTF-8',
      Buffer.from('{"custom_id":"\xff"}', 'latin1'),
      'invalid_json_line',
      null,
      `${notJson} It is not valid UTF-8.`,
    ],
    ['a byte order mark that stayed', '\ufeff{}', 'invalid_json_line', null, notJson],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'invalid_json_line', null, notJson],
    ['a list', [good], 'invalid_request', null, 'This line is not a JSON object.'],
    ['null', 'null', 'invalid_request', null, 'This line is not a JSON object.'],
    [
      'too long a line',
      null,
      'invalid_request',
      null,
      'This line is longer than `batches.max_line_bytes` of this server.',
    ],
    [
      'no custom_id',
      { ...good, custom_id: undefined },
      'missing_required_parameter',
      'custom_id',
      "Missing required parameter: 'custom_id'.",
    ],
    [
      'no custom_id but an inherited one',
      `{"__proto__":${JSON.stringify(good)}}`,
      'missing_required_parameter',
      'custom_id',
      "Missing required parameter: 'custom_id'.",
    ],
    [
      'custom_id null',
      { ...good, custom_id: null },
      'missing_required_parameter',
      'custom_id',
      "Missing required parameter: 'custom_id'.",
    ],
    [
      'an empty custom_id',
      { ...good, custom_id: '' },
      'invalid_request',
      'custom_id',
      "'custom_id' must be a non-empty string.",
    ],
    [
      'half of a surrogate pair in custom_id',
      JSON.stringify(good).replace('row-17', 'row-\\ud800'),
      'invalid_request',
      'custom_id',
      "'custom_id' must be Unicode: it has half of a surrogate pair.",
    ],
    [
      'a number as custom_id',
      { ...good, custom_id: 17 },
      'invalid_request',
      'custom_id',
      "'custom_id' must be a non-empty string.",
    ],
    [
      'no method',
      { ...good, method: undefined },
      'missing_required_parameter',
      'method',
      "Missing required parameter: 'method'.",
    ],
    ['another method', { ...good, method: 'post' }, 'invalid_request', 'method', "'method' must be 'POST'."],
    [
      'no url',
      { ...good, url: undefined },
      'missing_required_parameter',
      'url',
      "Missing required parameter: 'url'.",
    ],
    ['a url of another type', { ...good, url: {} }, 'invalid_request', 'url', "'url' must be a string."],
    [
      'another url',
      { ...good, url: '/v1/embeddings' },
      'url_mismatch',
      'url',
      "The url '/v1/embeddings' is not the endpoint of the batch, '/v1/chat/completions'.",
    ],
    [
      'no body',
      { ...good, body: undefined },
      'missing_required_parameter',
      'body',
      "Missing required parameter: 'body'.",
    ],
    [
      'a body that is a text',
      { ...good, body: '{}' },
      'invalid_request',
      'body',
      "'body' must be a JSON object.",
    ],
    [
      'no model',
      { ...good, body: {} },
      'missing_required_parameter',
      'body.model',
      "Missing required parameter: 'body.model'.",
    ],
    [
      'a model that is a number',
      { ...good, body: { model: 4 } },
      'invalid_request',
      'body.model',
      "'body.model' must be the name of a model.",
    ],
    [
      'a stream',
      { ...good, body: { model: 'm', stream: true } },
      'invalid_request',
      'body.stream',
      "'body.stream' must not be true: a batch has no streams.",
    ],
    [
      'a bottomless body',
      `{"custom_id":"a","method":"POST","url":"${endpoint}","body":{"model":"m","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      'invalid_request',
      'body',
      "'body' nests deeper than 1000 levels.",
    ],
  ])('finds the fault of %s', (_, content, code, param, message) => {
    expect(parse(content)).toEqual({ code, message, param, line: 7 })
  })

  it.each(['false', 'null', '"true"'])('lets stream: %s pass', stream => {
    expect(parse(JSON.stringify(good).replace('[]', `[],"stream":${stream}`))).not.toHaveProperty('code')
  })

  it('passes the body on as it is written', () => {
    const body =
      '{"seed" : 12345678901234567890, "temperature":1.0,"x":1e400,"y":-0,"__proto__":{"polluted":1},"model":"g\\u0070t-x" }'
    const request = parse(`{"body":${body} ,"custom_id":"a","method":"POST","url":"${endpoint}"}`)
    expect(request).toMatchObject({ body, model: 'gpt-x' })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('passes over members that it does not know', () => {
    expect(parse({ ...good, headers: { 'x-a': 'b' } })).toMatchObject({ customId: 'row-17' })
  })
})
