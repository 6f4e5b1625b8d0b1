import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { BlobStoreError } from '../../../src/files/blobs/blob-store.ts'
import { field, file, formHeaders, formOf, postBlindly, postForm, traces } from '../forms.ts'
import { call, openTestApi, type TestApi } from '../test-api.ts'

const maxBytes = 2_000_000
const maxBatchBytes = 1_000_000
const config = { files: { max_bytes: maxBytes }, batches: { max_file_bytes: maxBatchBytes } }

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config })
})
afterAll(() => api[Symbol.asyncDispose]())

const post = (parts: Parameters<typeof postForm>[2], more = {}) => postForm(api, '/v1/files', parts, more)
const purpose = field('purpose', 'user_data')

type Refusal = readonly [name: string, parts: Parameters<typeof post>[0], code: string, param: string | null]

const refusals: readonly Refusal[] = [
  ['no file', [purpose], 'invalid_request', 'file'],
  ['no purpose', [file('x')], 'invalid_request', 'purpose'],
  ['an unknown purpose', [file('x'), field('purpose', 'fun')], 'invalid_request', 'purpose'],
  ['an unknown purpose, first', [field('purpose', 'fun'), file('x')], 'invalid_request', 'purpose'],
  ['two files', [file('x'), file('y'), purpose], 'invalid_request', 'file'],
  ['two purposes', [file('x'), purpose, purpose], 'invalid_request', 'purpose'],
  ['another file field', [purpose, { ...file('x'), name: 'data' }], 'invalid_request', 'data'],
  ['a field that is not one', [file('x'), purpose, field('expires', '1')], 'invalid_request', 'expires'],
  ['a long field', [file('x'), field('purpose', 'x'.repeat(5_000))], 'invalid_request', 'purpose'],
  ['an empty file', [file(''), purpose], 'empty_file', 'file'],
  ['an empty file, last', [purpose, file('')], 'empty_file', 'file'],
  ['no parts', [], 'invalid_request', 'purpose'],
  [
    'an anchor of its own',
    [file('x'), purpose, field('expires_after[anchor]', 'now'), field('expires_after[seconds]', '3600')],
    'invalid_request',
    'expires_after[anchor]',
  ],
  [
    'seconds without an anchor',
    [file('x'), purpose, field('expires_after[seconds]', '3600')],
    'invalid_request',
    'expires_after[anchor]',
  ],
  ...['3599', '2592001', '1e4', '', '3600.5'].map(
    (seconds): Refusal => [
      `an expiry of '${seconds}' s`,
      [
        file('x'),
        purpose,
        field('expires_after[anchor]', 'created_at'),
        field('expires_after[seconds]', seconds),
      ],
      'invalid_request',
      'expires_after[seconds]',
    ],
  ),
  [
    'a body that breaks off in a field',
    formOf([file('x'), purpose]).subarray(0, -60),
    'invalid_multipart',
    null,
  ],
  [
    'a body that breaks off in the file',
    formOf([file('x'.repeat(9_000))]).subarray(0, -900),
    'invalid_multipart',
    null,
  ],
  ['a body that is no form', Buffer.from('hello'), 'invalid_multipart', null],
  ['no body', Buffer.alloc(0), 'invalid_multipart', null],
  ['many fields', Array.from({ length: 30 }, (_, i) => field(`f${i}`, 'x')), 'invalid_multipart', null],
]

describe('POST /v1/files refuses', () => {
  describe('a refusal', () => {
    it.each(refusals)('of %s', async (_, parts, code, param) => {
      await using own = await openTestApi()
      for (const isChunked of [true, false]) {
        const { status, json } = await postForm(own, '/v1/files', parts, { isChunked })
        expect({ status, ...json.error }).toMatchObject({
          status: 400,
          code,
          param,
          type: 'invalid_request_error',
        })
      }
      expect(await traces(own)).toEqual([])
    })

    it.each([
      ['application/json', '{}'],
      ['text/plain', 'x'],
      ['application/x-www-form-urlencoded', 'purpose=batch'],
    ])('of %s', async (type, body) => {
      const answer = await call(api, 'POST', '/v1/files', {
        body,
        headers: { 'content-type': type },
      })
      expect([answer.status, answer.json.error.code]).toEqual([415, 'unsupported_media_type'])
    })

    it('of a form without a boundary, and of nothing at all', async () => {
      const plain = await call(api, 'POST', '/v1/files', {
        body: 'x',
        headers: { 'content-type': 'multipart/form-data' },
      })
      expect([plain.status, plain.json.error.code]).toEqual([400, 'invalid_multipart'])
      const none = await call(api, 'POST', '/v1/files')
      expect([none.status, none.json.error.code]).toEqual([415, 'unsupported_media_type'])
    })

    it("has Anthropic's shape for its clients", async () => {
      const answer = await post([file('x')], { headers: { 'anthropic-version': '2023-06-01' } })
      expect(answer.json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    })
  })

  describe('a file that is too large', () => {
    const over = (bytes: number) => ({
      status: 413,
      json: {
        error: { code: 'file_too_large', param: 'file', message: expect.stringContaining(String(bytes)) },
      },
    })

    it('is told from one that is just not', async () => {
      const batch = field('purpose', 'batch')
      const one = Buffer.alloc(maxBatchBytes, 'x')
      for (const parts of [
        [file(one), batch],
        [batch, file(one)],
      ])
        expect((await post(parts)).status).toBe(200)
      const more = Buffer.alloc(maxBatchBytes + 1, 'x')
      for (const parts of [
        [file(more), batch],
        [batch, file(more)],
      ]) {
        expect(await post(parts)).toMatchObject(over(maxBatchBytes))
      }
      expect((await post([file(Buffer.alloc(maxBytes, 'x')), purpose])).status).toBe(200)
      expect(await post([file(Buffer.alloc(maxBytes + 1, 'x')), purpose])).toMatchObject(over(maxBytes))
    })

    it.each([
      ['with a length', {}],
      ['in chunks', { 'transfer-encoding': 'chunked' }],
    ])('can be read of by a client that sends everything first: %s', async (_, more) => {
      await using own = await openTestApi({ config })
      const form = formOf([file(Buffer.alloc(40_000_000, 'x')), purpose])
      const heads = Object.keys(more).length > 0 ? more : { 'content-length': form.length }
      expect(await postBlindly(own, '/v1/files', form, heads)).toMatchObject(over(maxBytes))
      await until(async () => (await traces(own)).length === 0)
    })
  })

  it('a client that goes in the middle of its upload leaves nothing behind', async () => {
    await using own = await openTestApi()
    const form = formOf([file(randomBytes(600_000)), purpose])
    for (const length of [`content-length: ${form.length}`, 'transfer-encoding: chunked']) {
      const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        `POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${formHeaders['content-type']}\r\n${length}\r\n\r\n`,
      )
      const half = form.subarray(0, 400_000)
      socket.write(
        length.startsWith('t') ? Buffer.concat([Buffer.from(`${half.length.toString(16)}\r\n`), half]) : half,
      )
      const begun = await until(async () => {
        const all = await traces(own)
        return all.some(name => name.startsWith('.tmp/')) && all
      })
      expect(begun.some(name => name.endsWith(':purge'))).toBe(true)
      socket.destroy()
      await until(async () => (await traces(own)).length === 0)
    }
  })

  it.each([
    ['EIO', 'storage_unavailable', '2'],
    ['ENOSPC', 'storage_full', '10'],
  ])('trouble of the blob store (%s) is told as %s, and leaves no file', async (why, code, retryAfter) => {
    const lose = async (): Promise<never> => {
      throw new BlobStoreError(`the disk refused (${why})`, null, why === 'ENOSPC')
    }
    await using own = await openTestApi({ blobs: disk => ({ ...disk, write: lose }) })
    const answer = await postForm(own, '/v1/files', [file('x'), purpose])
    expect([answer.status, answer.json.error.code]).toEqual([503, code])
    expect(answer.headers.get('retry-after')).toBe(retryAfter)
    expect(answer.text).not.toContain(why)
    expect(await traces(own)).toEqual([])
  })
})
