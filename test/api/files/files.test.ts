import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { boundary, field, file, formOf, postForm, sha256 } from '../forms.ts'
import { type Answer, call, openTestApi, type TestApi } from '../test-api.ts'

const config = {
  api_keys: [
    { key: 'mine', tenant: 'mine' },
    { key: 'other', tenant: 'other' },
  ],
}

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer mine' }
const post = (parts: Parameters<typeof postForm>[2], more = {}) =>
  postForm(api, '/v1/files', parts, { headers, ...more })
const get = (path: string, more = {}): Promise<Answer> => call(api, 'GET', path, { headers, ...more })
const purpose = field('purpose', 'user_data')

/** Of every byte there is, and with what a form is made of. */
const content = Buffer.concat([
  Buffer.from(`\r\n--${boundary}\r\n--${boundary.slice(0, -1)}--\r\n`.replaceAll(boundary, 'baton-test')),
  randomBytes(300_000),
])

describe('/v1/files', () => {
  describe('an upload', () => {
    it.each([
      ['file first, in chunks', [file(content), purpose], true],
      ['file first, with a length', [file(content), purpose], false],
      ['file last, in chunks', [purpose, file(content)], true],
      ['file last, with a length', [purpose, file(content)], false],
    ])('is kept byte for byte: %s', async (_, parts, isChunked) => {
      const { status, json } = await post(parts, { isChunked })
      expect(status).toBe(200)
      expect(json).toEqual({
        id: expect.stringMatching(/^file-[0-9a-z]{26}$/),
        object: 'file',
        bytes: content.length,
        created_at: expect.closeTo(Date.now() / 1_000, -1),
        filename: 'a.jsonl',
        purpose: 'user_data',
        status: 'processed',
        status_details: null,
      })
      expect((await get(`/v1/files/${json.id}`)).json).toEqual(json)
      const answer = await fetch(`${api.url}/v1/files/${json.id}/content`, { headers })
      expect(sha256(await answer.bytes())).toBe(sha256(content))
      expect(answer.headers.get('content-length')).toBe(String(content.length))
    })

    it.each([
      ['C:\\data\\in put.jsonl', 'in put.jsonl'],
      ['../../etc/passwd', 'passwd'],
      ['dreißig-ü.jsonl', 'dreißig-ü.jsonl'],
      ['..', 'unknown_file'],
      ['', 'unknown_file'],
    ])('named %j is shown as %j', async (sent, shown) => {
      const { json } = await post([file('x', sent), purpose])
      expect(json.filename).toBe(shown)
      const answer = await get(`/v1/files/${json.id}/content`)
      expect(answer.headers.get('content-disposition')).toContain(encodeURIComponent(shown))
    })

    it('without a name or a type is still the file', async () => {
      const { json } = await post([field('file', 'x'), purpose])
      expect(json).toMatchObject({ filename: 'unknown_file', bytes: 1 })
    })

    it.each([
      ['batch', null, 30 * 86_400],
      ['user_data', null, undefined],
      ['batch', 3_600, 3_600],
      ['vision', 2_592_000, 2_592_000],
    ])('for %s that is to expire after %s s', async (name, seconds, lasts) => {
      const expiry =
        seconds === null
          ? []
          : [field('expires_after[anchor]', 'created_at'), field('expires_after[seconds]', String(seconds))]
      const { json } = await post([file('x'), field('purpose', name), ...expiry])
      expect(json.expires_at && json.expires_at - json.created_at).toBe(lasts)
    })

    it('may have an end of line after its last boundary, and a preamble', async () => {
      const form = formOf([purpose, file('x')])
      expect(
        (await post(Buffer.concat([Buffer.from('preamble\r\n'), form, Buffer.from('\r\n')]))).status,
      ).toBe(200)
    })
  })

  describe('the list', () => {
    it('has the files of the tenant, by page, in either order', async () => {
      await using own = await openTestApi()
      expect((await call(own, 'GET', '/v1/files')).json).toEqual({
        object: 'list',
        data: [],
        first_id: null,
        last_id: null,
        has_more: false,
      })
      const ids: string[] = []
      for (const name of ['user_data', 'batch', 'vision']) {
        ids.push((await postForm(own, '/v1/files', [file('x'), field('purpose', name)])).json.id)
      }
      const page = async (query: string) => (await call(own, 'GET', `/v1/files?${query}`)).json
      const sorted = ids.toSorted()
      expect(await page('limit=2&order=asc')).toMatchObject({
        data: sorted.slice(0, 2).map(id => ({ id })),
        first_id: sorted[0],
        last_id: sorted[1],
        has_more: true,
      })
      expect(await page(`limit=2&order=asc&after=${sorted[1]}`)).toMatchObject({
        data: [{ id: sorted[2] }],
        has_more: false,
      })
      expect((await page('')).data.map((f: { id: string }) => f.id)).toEqual(sorted.toReversed())
      expect(await page('purpose=batch')).toMatchObject({ data: [{ id: ids[1] }] })
    })

    it.each([
      ['limit=0', 'invalid_request', 'limit'],
      ['limit=10001', 'invalid_request', 'limit'],
      ['order=up', 'invalid_request', 'order'],
      ['after=file-unknown', 'invalid_cursor', 'after'],
    ])('refuses %s', async (query, code, param) => {
      const { status, json } = await get(`/v1/files?${query}`)
      expect({ status, ...json.error }).toMatchObject({ status: 400, code, param })
    })
  })

  describe('a file', () => {
    const created = async (text = '0123456789'): Promise<string> =>
      (await post([file(text), purpose])).json.id

    it('is not there for others, once deleted, and under another name', async () => {
      const id = await created()
      const others = { headers: { authorization: 'Bearer other' } }
      const missing = `file-${'0'.repeat(26)}`
      const expected = (of: string) => ({
        status: 404,
        json: {
          error: {
            message: `No such File object: ${of}`,
            type: 'invalid_request_error',
            param: 'id',
            code: 'file_not_found',
          },
        },
      })
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/content'],
        ['DELETE', ''],
      ] as const) {
        expect(await call(api, method, `/v1/files/${id}${path}`, others)).toMatchObject(expected(id))
        expect(await call(api, method, `/v1/files/${missing}${path}`, { headers })).toMatchObject(
          expected(missing),
        )
      }
      expect((await call(api, 'GET', '/v1/files', others)).json.data).toEqual([])
      const deleted = await call(api, 'DELETE', `/v1/files/${id}`, { headers })
      expect(deleted.json).toEqual({ id, object: 'file', deleted: true })
      for (const path of ['', '/content'])
        expect(await get(`/v1/files/${id}${path}`)).toMatchObject(expected(id))
      expect(await call(api, 'DELETE', `/v1/files/${id}`, { headers })).toMatchObject(expected(id))
      expect(await get('/v1/files/nonsense')).toMatchObject(expected('nonsense'))
    })

    it.each([
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-2', 206, '89', 'bytes 8-9/10'],
      ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
      ['bytes=0-99', 206, '0123456789', 'bytes 0-9/10'],
      ['bytes=10-', 416, null, 'bytes */10'],
      ['bytes=-0', 416, null, 'bytes */10'],
      ['bytes=4-2', 200, '0123456789', null],
      ['bytes=0-1,4-5', 200, '0123456789', null],
      ['lines=0-1', 200, '0123456789', null],
      ['bytes=-', 200, '0123456789', null],
    ])('asked for %s answers %i', async (range, status, text, contentRange) => {
      const path = `/v1/files/${await created()}/content`
      const answer = await get(path, { headers: { ...headers, range } })
      expect([answer.status, answer.headers.get('content-range')]).toEqual([status, contentRange])
      expect(answer.headers.get('accept-ranges')).toBe('bytes')
      if (text === null) expect(answer.json.error.code).toBe('range_not_satisfiable')
      else expect(answer.text).toBe(text)
      const head = await call(api, 'HEAD', path, { headers: { ...headers, range } })
      expect([head.status, head.headers.get('content-range'), head.text]).toEqual([status, contentRange, ''])
      if (text !== null) expect(head.headers.get('content-length')).toBe(String(text.length))
    })

    it('is gone when its bytes are purged while it is asked for', async () => {
      const id = await created()
      const [segment] = await api.parts.files.segments(id)
      await api.parts.blobs.remove(segment!.key)
      expect(await get(`/v1/files/${id}/content`)).toMatchObject({ status: 404 })
    })
  })

  it('a client that leaves a download early frees the file', async () => {
    const reads = new Set<object>()
    await using own = await openTestApi({
      blobs: disk => ({
        ...disk,
        read: async function* (...args) {
          const read = {}
          reads.add(read)
          try {
            yield* disk.read(...args)
          } finally {
            reads.delete(read)
          }
        },
      }),
    })
    const { json } = await postForm(own, '/v1/files', [file(randomBytes(20_000_000)), purpose])
    const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
    socket.write(`GET /v1/files/${json.id}/content HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await once(socket, 'data')
    expect(reads.size).toBe(1)
    socket.destroy()
    await until(() => reads.size === 0)
  })
})
