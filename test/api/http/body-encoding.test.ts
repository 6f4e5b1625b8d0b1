import { once } from 'node:events'
import { connect } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { field, file, formHeaders, formOf } from '../forms.ts'
import { type Answer, type Json, openTestApi, type TestApi } from '../test-api.ts'

const maxBytes = 1_000_000
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    config: {
      server: { max_body_bytes: maxBytes },
      batches: { anthropic_max_bytes: maxBytes },
      files: { max_bytes: maxBytes },
    },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

type Encode = (bytes: Buffer) => Buffer

const encodings: [name: string, Encode][] = [
  ['gzip', gzipSync],
  ['GZip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity', bytes => bytes],
  ['', bytes => bytes],
  ['identity, gzip', gzipSync],
  ['gzip, br', bytes => brotliCompressSync(gzipSync(bytes))],
  ['deflate,gzip', bytes => gzipSync(deflateRawSync(bytes))],
]

const post = async (
  path: string,
  body: Buffer,
  headers: Record<string, string>,
  chunked = false,
): Promise<Answer> => {
  const pieces = Array.from({ length: Math.ceil(body.length / 100) }, (_, i) =>
    body.subarray(i * 100, (i + 1) * 100),
  )
  const response = await fetch(api.url + path, {
    method: 'POST',
    headers,
    ...(chunked
      ? { body: ReadableStream.from(pieces), duplex: 'half' as const }
      : { body: new Uint8Array(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}

const json = (encoding: string) => ({ 'content-type': 'application/json', 'content-encoding': encoding })
const job = (more: object = {}) =>
  Buffer.from(
    JSON.stringify({
      body: { model: 'gpt-4', messages: [{ role: 'user', content: 'é' }] },
      metadata: { mark: 'é' },
      ...more,
    }),
  )

describe('encodings of request bodies', () => {
  describe.each(encodings)('a body in %s', (encoding, encode) => {
    it.each([
      ['with its length', false],
      ['in chunks', true],
    ])('makes a job, %s', async (_, chunked) => {
      const answer = await post('/v1/jobs', encode(job()), json(encoding), chunked)
      expect(answer).toMatchObject({ status: 202, json: { metadata: { mark: 'é' } } })
    })

    it('makes a message batch', async () => {
      const params = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: 'é' }] }
      const body = Buffer.from(JSON.stringify({ requests: [{ custom_id: 'a', params }] }))
      const answer = await post('/v1/messages/batches', encode(body), json(encoding))
      expect(answer).toMatchObject({ status: 200, json: { request_counts: { processing: 1 } } })
    })

    it('makes a file', async () => {
      const form = formOf([field('purpose', 'user_data'), file('some text')])
      const answer = await post('/v1/files', encode(form), { ...formHeaders, 'content-encoding': encoding })
      expect(answer).toMatchObject({ status: 200, json: { bytes: 9 } })
    })
  })

  const codeOf = (answer: Json): string => answer.error.code ?? answer.error.details.error_code
  const paths: [path: string, headers: Record<string, string>][] = [
    ['/v1/jobs', json('')],
    ['/v1/chat/completions', json('')],
    ['/v1/messages/batches', json('')],
    ['/v1/files', formHeaders],
  ]

  describe.each(paths)('%s refuses', (path, headers) => {
    const send = (encoding: string, body: Buffer) =>
      post(path, body, { ...headers, 'content-encoding': encoding })

    it.each(['compress', 'rot13', 'gzip, aws-chunked', 'gzip, gzip, gzip'])(
      'an encoding that is not read: %s',
      async encoding => {
        const answer = await send(encoding, Buffer.from('{}'))
        expect([answer.status, codeOf(answer.json)]).toEqual([415, 'unsupported_encoding'])
        expect(answer.headers.get('accept-encoding')).toBe('gzip, deflate, br, zstd')
        if (!encoding.startsWith('gzip')) expect(answer.text).toContain(encoding)
      },
    )

    it.each(encodings.slice(0, 7))('what is not in %s', async (encoding, encode) => {
      const whole = encode(Buffer.from(JSON.stringify({ requests: Math.random().toString(36).repeat(40) })))
      for (const body of [Buffer.from([0xff, 0xff, 0xff]), whole.subarray(0, whole.length - 12)]) {
        const answer = await send(encoding, body)
        expect([answer.status, codeOf(answer.json)]).toEqual([400, 'invalid_encoding'])
      }
    })

    it.each(encodings.slice(0, 7))('what unpacks too large from %s', async (encoding, encode) => {
      const answer = await send(
        encoding,
        encode(
          path === '/v1/files'
            ? formOf([field('purpose', 'user_data'), file('x'.repeat(maxBytes + 5_000_000))])
            : Buffer.from(`{"requests":[${' '.repeat(40 * maxBytes)}`),
        ),
      )
      expect([answer.status, codeOf(answer.json)]).toEqual([
        413,
        path === '/v1/files' ? 'file_too_large' : 'body_too_large',
      ])
    })
  })

  describe('a client that asks before it sends', () => {
    const ask = async (head: string): Promise<[string, () => Promise<string>, (text: string) => void]> => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
      socket.write(`${head}\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`)
      const [first] = await once(socket, 'data')
      const rest = async () => (await socket.toArray()).join('')
      return [String(first).split('\r\n')[0]!, rest, text => socket.write(text)]
    }

    it.each([
      [
        'too much',
        `POST /v1/jobs HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${maxBytes + 1}`,
        413,
      ],
      [
        'too large a file',
        `POST /v1/files HTTP/1.1\r\ncontent-type: ${formHeaders['content-type']}\r\ncontent-length: ${maxBytes * 400}`,
        413,
      ],
      [
        'too large a batch',
        `POST /v1/messages/batches HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${maxBytes + 1}`,
        413,
      ],
      ['a picture', 'POST /v1/jobs HTTP/1.1\r\ncontent-type: image/png\r\ncontent-length: 10', 415],
      [
        'an encoding',
        'POST /v1/jobs HTTP/1.1\r\ncontent-type: application/json\r\ncontent-encoding: x\r\ncontent-length: 10',
        415,
      ],
      [
        'into nothing',
        'POST /v1/nothing HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 10',
        404,
      ],
    ])('is refused without having sent: %s', async (_, head, status) => {
      const [first, rest] = await ask(head)
      expect(first).toMatch(`HTTP/1.1 ${status} `)
      await rest()
    })

    it.each([
      ['a job', 'POST /v1/jobs HTTP/1.1\r\ncontent-type: application/json', job().toString(), 202],
      [
        'a file',
        `POST /v1/files HTTP/1.1\r\ncontent-type: ${formHeaders['content-type']}`,
        formOf([field('purpose', 'user_data'), file('x')]).toString(),
        200,
      ],
    ])('is asked for %s', async (_, head, body, status) => {
      const [first, rest, send] = await ask(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}`)
      expect(first).toBe('HTTP/1.1 100 Continue')
      send(body)
      expect(await rest()).toContain(`HTTP/1.1 ${status} `)
    })
  })
})
