import { describe, expect, it } from 'vitest'
import { messageBatchLines } from '../../src/batches/anthropic-document.ts'
import type { BatonError } from '../../src/domain/errors.ts'
import { textOf } from './pieces.ts'
import { documentOf, type ReadOptions, read, request } from './read-document.ts'

const refusal = (document: string | Buffer, options?: ReadOptions): Promise<BatonError> =>
  read(document, options).then(
    () => Promise.reject(new Error('taken')),
    (error: BatonError) => error,
  )

describe('messageBatchLines', () => {
  it('yields each request as a line', async () => {
    const a = JSON.stringify(request('a'))
    const b = JSON.stringify(request('b', { messages: [{ role: 'user', content: '}]\\"\n東京' }] }))
    expect(await read(`{"requests":[${a},${b}]}`)).toEqual({ text: `${a}\n${b}\n`, total: 2, extras: {} })
  })

  it('puts a request of many lines on one, and leaves its text as it is otherwise', async () => {
    const a =
      '{\r\n  "custom_id": "a",\n  "params": {"seed": 12345678901234567890, "x": 1e400, "s": "\\n\\u00e9", "__proto__": {}}\n}'
    const { text } = await read(`\ufeff {"requests" : [ ${a} ] }\r\n`)
    expect(text).toBe(`${a.replaceAll(/[\r\n]/g, ' ')}\n`)
  })

  it('tells of our own members beside the requests, wherever they stand', async () => {
    const { extras, total } = await read(
      `{"completion_window":"1h","requests":[${JSON.stringify(request('a'))}],"webhook":{"url":"https://x","secret":"s"}}`,
    )
    expect({ extras, total }).toEqual({
      extras: { completion_window: '1h', webhook: { url: 'https://x', secret: 's' } },
      total: 1,
    })
  })

  it('takes very deep nesting and very long numbers', async () => {
    const params = `{"x":${'['.repeat(50_000)}${'9'.repeat(50_000)}${']'.repeat(50_000)}}`
    const line = `{"custom_id":"a","params":${params}}`
    const { text } = await read(`{"requests":[${line}]}`)
    expect(text).toBe(`${line}\n`)
  })

  it('takes params that are wrong: those are judged one by one later', async () => {
    expect(await read(documentOf(request('a', {}), request('b', 'text'), request('c', null)))).toMatchObject({
      total: 3,
    })
  })

  it.each([
    ['nothing', ''],
    ['half a document', '{"requests":[{"custom_id":"a"'],
    ['half a string', '{"requests":[{"custom_id":"a'],
    ['no end', '{"requests":[]'],
    ['a second document', `${documentOf(request('a'))}{}`],
    ['garbage after its end', `${documentOf(request('a'))} x`],
    ['garbage instead', 'model=claude'],
    ['a comma too many', `{"requests":[${JSON.stringify(request('a'))},]}`],
    ['a missing comma', `{"requests":[${JSON.stringify(request('a'))}${JSON.stringify(request('b'))}]}`],
    ['a missing colon', '{"requests"[]}'],
    ['a comma before anything', '{"requests":[,]}'],
    ['brackets that do not match', '{"requests":[{"custom_id":"a","params":{"x":[}]}}]}'],
    ['a request without colons', '{"requests":[{"custom_id" "a"}]}'],
    ['an unquoted key', '{requests:[]}'],
    ['single quotes', "{'requests':[]}"],
    ['a number that JSON has not', '{"requests":[{"custom_id":"a","params":{"x":01}}]}'],
    ['a raw newline in a string', '{"requests":[{"custom_id":"a","params":{"x":"\n"}}]}'],
    ['invalid UTF-8', Buffer.from('{"requests":[{"custom_id":"a","params":{"x":"\xff\xfe"}}]}', 'latin1')],
    ['invalid UTF-8 in a key', Buffer.from('{"\xff":[]}', 'latin1')],
  ])('refuses %s as invalid_json', async (_, document) => {
    const error = await refusal(document)
    expect(error).toMatchObject({ code: 'invalid_json', param: null })
    expect(error.cause).toBeUndefined()
  })

  const badIds = ['', 'a b', 'a\n', 'ä', 'x'.repeat(65), 17, null]
  const refused: readonly (readonly [
    what: string,
    document: string,
    param: string | null,
    message: string,
  ])[] = [
    ['a list', '[]', null, 'Send a JSON object as the body.'],
    ['a text', '"requests"', null, 'Send a JSON object as the body.'],
    ['no requests', '{}', 'requests', 'requests: Field required'],
    ['an empty list', '{"requests":[]}', 'requests', 'requests: List should have at least 1 item'],
    ['requests that are no list', '{"requests":{}}', 'requests', 'requests: Input should be a valid list'],
    [
      'requests twice',
      `{"requests":[${JSON.stringify(request('a'))}],"requests":[]}`,
      'requests',
      'requests: the field is there twice',
    ],
    ['an unknown field', '{"model":"x","requests":[]}', 'model', 'model: Extra inputs are not permitted'],
    [
      'the field __proto__',
      '{"__proto__":{},"requests":[]}',
      '__proto__',
      '__proto__: Extra inputs are not permitted',
    ],
    [
      'a request that is a text',
      documentOf(request('a'), 'b'),
      'requests.1',
      'requests.1: Input should be an object',
    ],
    [
      'an unknown field of a request',
      documentOf({ ...request('a'), url: '/' }),
      'requests.0.url',
      'requests.0.url: Extra inputs are not permitted',
    ],
    [
      'no custom_id',
      documentOf({ params: {} }),
      'requests.0.custom_id',
      'requests.0.custom_id: Field required',
    ],
    ['no params', documentOf({ custom_id: 'a' }), 'requests.0.params', 'requests.0.params: Field required'],
    [
      'a custom_id used twice',
      documentOf(request('a'), request('b'), request('a')),
      'requests.2.custom_id',
      "requests.2.custom_id: 'a' is that of requests.0 already",
    ],
    ...badIds.map(
      id =>
        [
          `the custom_id ${JSON.stringify(id)}`,
          documentOf(request('ok'), request(id)),
          'requests.1.custom_id',
          "requests.1.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        ] as const,
    ),
  ]

  it.each(refused)('refuses %s as invalid_request', async (_, document, param, message) => {
    expect(await refusal(document)).toMatchObject({ code: 'invalid_request', status: 400, param, message })
  })

  it('takes as many requests as are allowed, and no more', async () => {
    const ids = ['a', 'b', 'c'].map(id => request(id))
    expect(await read(documentOf(...ids), { maxRequests: 3 })).toMatchObject({ total: 3 })
    expect(await refusal(documentOf(...ids), { maxRequests: 2 })).toMatchObject({
      code: 'invalid_request',
      message: 'requests: List should have at most 2 items',
    })
  })

  it.each([
    ['a request', documentOf(request('a'), request('b', { x: 'x'.repeat(400_000) }))],
    ['a key', `{"${'x'.repeat(400_000)}":1}`],
    ['a value of ours', `{"completion_window":"${'x'.repeat(400_000)}"}`],
  ])('refuses %s that is too long before it has come to its end', async (_, document) => {
    let taken = 0
    async function* counting() {
      for (let at = 0; at < document.length; at += 10_000) {
        taken = at
        yield Buffer.from(document.slice(at, at + 10_000))
      }
    }
    const reading = messageBatchLines(counting(), { maxRequests: 10, maxRequestBytes: 100_000 })
    await expect(textOf(reading.lines)).rejects.toMatchObject({ code: 'body_too_large', status: 413 })
    expect(taken).toBeLessThan(150_000)
  })

  it('reads 64 MB in a memory that does not grow with it', async () => {
    const padding = 'x'.repeat(16_000)
    async function* source() {
      yield Buffer.from('{"requests":[')
      for (let i = 0; i < 4_000; i += 1) {
        yield Buffer.from(`${i > 0 ? ',' : ''}${JSON.stringify(request(`row-${i}`, { padding }))}`)
      }
      yield Buffer.from(']}')
    }
    const reading = messageBatchLines(source(), { maxRequests: 4_000 })
    const before = process.memoryUsage().rss
    let peak = 0
    for await (const chunk of reading.lines) {
      expect(chunk.length).toBeLessThan(200_000)
      peak = Math.max(peak, process.memoryUsage().rss - before)
    }
    expect(reading.total()).toBe(4_000)
    expect(peak).toBeLessThan(50_000_000)
  })
})
