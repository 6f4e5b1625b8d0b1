import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'

const request = requestOf('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hi' }] })
const answer = {
  id: 'c',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'é' }, finish_reason: 'stop' }],
}
const json = Buffer.from(JSON.stringify(answer))
const twice = (bytes: Buffer): Buffer => gzipSync(gzipSync(bytes))

const callOf = async (bytes: string | Buffer, encoding: string | null = null, status = 200) => {
  const upstream = await openUpstream((_request, response) => {
    if (encoding !== null) response.setHeader('content-encoding', encoding)
    response.writeHead(status).end(bytes)
  })
  const outcome = await openProvider({ type: 'simulated', base_url: upstream.url }).call(request)
  expect(upstream.arrivals).toHaveLength(1)
  return outcome
}
const judged = (outcome: Awaited<ReturnType<typeof callOf>>) =>
  classify(outcome, { endpoint: '/v1/chat/completions', dialect: 'openai', nowMs: 0 })

describe("bytes of a provider's answer", () => {
  describe('an answer is read', () => {
    test.each<[string, string | null, Buffer]>([
      ['in gzip', 'gzip', gzipSync(json)],
      ['in GZIP', 'GZIP', gzipSync(json)],
      ['in X-Gzip', 'X-Gzip', gzipSync(json)],
      ['in deflate', 'deflate', deflateSync(json)],
      ['in bare deflate', 'Deflate', deflateRawSync(json)],
      ['in br', 'Br', brotliCompressSync(json)],
      ['in zstd', 'zstd', zstdCompressSync(json)],
      ['in two steps', 'gzip, br', brotliCompressSync(gzipSync(json))],
      ['in two steps, one of them none', 'identity,gzip', gzipSync(json)],
      ['in none, by name', 'Identity', json],
      ['under an empty name', '', json],
      ['compressed and not said to be', null, gzipSync(json)],
      ['compressed by zstd and not said to be', null, zstdCompressSync(json)],
      ['compressed twice and said to be once', 'gzip', twice(json)],
      ['said to be identity and compressed', 'identity', gzipSync(json)],
      ['said to be compressed and plain', 'gzip', json],
      ['said to be br and plain', 'br', json],
      ['with a charset for its encoding', 'UTF-8', json],
      [
        'in several members of gzip',
        'gzip',
        Buffer.concat([gzipSync(json.subarray(0, 9)), gzipSync(json.subarray(9))]),
      ],
      ['with a byte order mark', null, Buffer.from(`\u{feff}${json}`)],
      ['with a byte order mark, compressed', 'gzip', gzipSync(`\u{feff}${json}`)],
      ['in UTF-16', null, Buffer.from(`\u{feff}${json}`, 'utf16le')],
      ['in UTF-16, big end first', null, Buffer.from(`\u{feff}${json}`, 'utf16le').swap16()],
      ['amid white space', null, Buffer.from(`\n\n  \r\n${json}\r\n\n `)],
      ['with the end of a stream', null, Buffer.from(`${json}\n\ndata: [DONE]\n\n`)],
      ['with the end of a stream at once', null, Buffer.from(`${json}data: [DONE]`)],
      ['after comments', null, Buffer.from(`: PROCESSING\n\n: keep-alive\n\n${json}`)],
      ['as the one event of a stream', null, Buffer.from(`data: ${json}\n\ndata: [DONE]\n\n`)],
      ['padded with zeros', null, Buffer.from(`${json}\0\0`)],
    ])('%s', async (_, encoding, bytes) => {
      const outcome = await callOf(bytes, encoding)
      expect(outcome).toMatchObject({ kind: 'answer', status: 200, json: answer })
      if (outcome.kind === 'answer') expect(JSON.parse(outcome.text)).toEqual(answer)
      expect(judged(outcome)).toMatchObject({ kind: 'ok' })
    })
  })

  test('the text of an answer that is JSON is left as it came', async () => {
    expect(await callOf(`\n ${json} \n`)).toMatchObject({ text: `\n ${json} \n` })
  })

  describe('an answer that was paid for and that nobody can read ends with a reason of its own', () => {
    test.each<[string, string, Buffer]>([
      ['bytes that are not in gzip', 'gzip', Buffer.from('nonsense')],
      ['bytes that are not in deflate', 'deflate', Buffer.from([0xff, 0xff, 0xff, 0xff])],
      ['bytes that are not in zstd', 'zstd', Buffer.from('nonsense')],
      ['a byte of gzip changed', 'gzip', changed(gzipSync(json))],
      ['an encoding that nobody knows', 'dcb', Buffer.from([1, 2, 3, 4])],
      ['one that is known in one that is not', 'gzip, compress', gzipSync(json).subarray(2)],
    ])('%s', async (_, encoding, bytes) => {
      const outcome = await callOf(bytes, encoding)
      expect(judged(outcome)).toEqual({
        kind: 'untranslatable',
        reason: 'undecodable',
        retryAfterMs: null,
        possiblyBilled: true,
      })
    })

    test.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
      ['zstd', zstdCompressSync],
    ] as const)('but one in %s that breaks off is one that breaks off', async (encoding, compress) => {
      const whole = compress(
        Buffer.from(JSON.stringify({ ...answer, padding: Math.random().toString(36).repeat(50) })),
      )
      const outcome = await callOf(whole.subarray(0, -12), encoding)
      expect(judged(outcome)).toMatchObject({ kind: 'transient', reason: 'reset', possiblyBilled: true })
    })
  })

  test.each([
    [503, 'transient'],
    [429, 'rate_limited'],
    [401, 'bad_credentials'],
  ])('the status of an error counts, whatever its body is in: %i', async (status, kind) => {
    for (const bytes of ['nonsense', gzipSync('{"error":{"message":"no"}}').subarray(0, -9)]) {
      expect(judged(await callOf(bytes, 'gzip', status))).toMatchObject({ kind })
    }
  })

  function changed(bytes: Buffer): Buffer {
    bytes[bytes.length - 6]! ^= 0xff
    return bytes
  }
})
