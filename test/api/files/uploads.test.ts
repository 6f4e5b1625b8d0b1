import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { field, file, postForm, traces } from '../forms.ts'
import { type Answer, call, type Json, openTestApi, type TestApi } from '../test-api.ts'

const config = {
  api_keys: [
    { key: 'mine', tenant: 'mine' },
    { key: 'other', tenant: 'other' },
  ],
  files: { max_bytes: 1_000, max_upload_bytes: 5_000 },
  batches: { max_file_bytes: 2_000 },
}

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer mine' }
const post = (path: string, body: unknown, more: object = {}): Promise<Answer> =>
  call(api, 'POST', path, { body, headers: { ...headers, ...more } })
const order = { bytes: 6, filename: 'a.jsonl', mime_type: 'application/jsonl', purpose: 'user_data' }
const begun = async (more: object = {}): Promise<Json> =>
  (await post('/v1/uploads', { ...order, ...more })).json
const addPart = async (id: string, text: string): Promise<Json> =>
  (await postForm(api, `/v1/uploads/${id}/parts`, [{ ...file(text, 'blob'), name: 'data' }], { headers }))
    .json
const complete = (id: string, part_ids: unknown, more: object = {}): Promise<Answer> =>
  post(`/v1/uploads/${id}/complete`, { part_ids, ...more })
const cancel = (id: string, more: object = {}): Promise<Answer> =>
  call(api, 'POST', `/v1/uploads/${id}/cancel`, { headers: { ...headers, ...more } })
/** An upload with the parts of 'abcdef'. */
const filled = async (
  more: object = {},
): Promise<{ readonly id: string; readonly ids: readonly string[] }> => {
  const { id } = await begun(more)
  return { id, ids: [(await addPart(id, 'abc')).id, (await addPart(id, 'def')).id] }
}
const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
const refused = (status: number, code: string, param: string | null) => ({
  status,
  json: { error: { code, param } },
})

describe('/v1/uploads', () => {
  describe('an upload', () => {
    it('takes no more than it announced, from parts one after another or all at once', async () => {
      const { id } = await begun()
      const ten = await Promise.all('abcdefghij'.split('').map(letter => addPart(id, letter)))
      expect(ten.filter(part => part.object === 'upload.part')).toHaveLength(6)
      for (const { error } of ten.filter(part => part.error)) {
        expect(error).toMatchObject({ code: 'upload_size_exceeded', param: 'data' })
      }
      // The one is too long by itself, and refused while it comes.
      for (const text of ['z', 'x'.repeat(60_000)]) {
        expect((await addPart(id, text)).error).toMatchObject({ code: 'upload_size_exceeded' })
      }
      expect((await traces(api)).filter(name => name.startsWith(`${id.slice(7)}/`))).toHaveLength(6)
    })

    it.each([
      ['as an official client says', { 'x-stainless-retry-count': '1' }, {}],
      ['with its Idempotency-Key', { 'idempotency-key': 'first' }, { 'idempotency-key': 'first' }],
    ])('counts a part once that is sent again %s', async (_, again, before) => {
      const { id } = await begun()
      const send = async (more: object) =>
        (
          await postForm(api, `/v1/uploads/${id}/parts`, [{ ...file('abc'), name: 'data' }], {
            headers: { ...headers, ...more },
          })
        ).json.id
      const first = await send(before)
      expect(await send(again)).toBe(first)
      // The same bytes can be two parts.
      const second = await send({ 'idempotency-key': 'second' })
      expect(second).not.toBe(first)
      const { json } = await complete(id, [first, second])
      expect((await call(api, 'GET', `/v1/files/${json.file.id}/content`, { headers })).text).toBe('abcabc')
    })

    it('takes a part beyond its bytes that it has already for a repetition, whoever sends it', async () => {
      const { id, ids } = await filled()
      expect((await addPart(id, 'def')).id).toBe(ids[1])
      expect(await complete(id, ids)).toMatchObject({ status: 200 })
    })

    it('waits an hour for its parts', async () => {
      const upload = await begun({ purpose: 'batch', bytes: 2_000 })
      expect(upload).toEqual({
        id: expect.stringMatching(/^upload_[0-9a-z]{26}$/),
        object: 'upload',
        bytes: 2_000,
        created_at: expect.closeTo(Date.now() / 1_000, -1),
        expires_at: upload.created_at + 3_600,
        filename: 'a.jsonl',
        purpose: 'batch',
        status: 'pending',
        file: null,
      })
    })

    it('becomes the file of its parts in the order asked for', async () => {
      const { id } = await begun()
      const first = await addPart(id, 'abc')
      expect(first).toEqual({
        id: expect.stringMatching(/^part_[0-9a-z]{26}$/),
        object: 'upload.part',
        created_at: expect.closeTo(Date.now() / 1_000, -1),
        upload_id: id,
      })
      const ids = [first.id, (await addPart(id, 'def')).id]
      const { status, json } = await complete(id, ids.toReversed(), { md5: md5('defabc').toUpperCase() })
      expect(status).toBe(200)
      expect(json).toMatchObject({
        id,
        status: 'completed',
        file: { bytes: 6, filename: 'a.jsonl', purpose: 'user_data' },
      })
      const content = await call(api, 'GET', `/v1/files/${json.file.id}/content`, { headers })
      expect(content.text).toBe('defabc')
      const part = await call(api, 'GET', `/v1/files/${json.file.id}/content`, {
        headers: { ...headers, range: 'bytes=2-4' },
      })
      expect(part.text).toBe('fab')
      expect((await call(api, 'GET', `/v1/files/${json.file.id}`, { headers })).json).toEqual(json.file)
      await call(api, 'DELETE', `/v1/files/${json.file.id}`, { headers })
      expect((await traces(api)).filter(name => name.includes(id.slice(7)))).toEqual([
        `${api.prefix}:{${shardIn(id)}}:u:${id}`,
      ])
    })

    it('answers a completion that is sent again, and no other one', async () => {
      const { id, ids } = await filled()
      const { json } = await complete(id, ids)
      expect((await complete(id, ids)).json).toEqual(json)
      expect(await complete(id, ids.toReversed())).toMatchObject(refused(400, 'upload_closed', 'id'))
    })

    it('gives its file the expiry of its purpose, or the one asked for', async () => {
      const lasts = async (more: object): Promise<number | undefined> => {
        const { id, ids } = await filled(more)
        const { file } = (await complete(id, ids)).json
        return file.expires_at && file.expires_at - file.created_at
      }
      expect(await lasts({})).toBeUndefined()
      expect(await lasts({ purpose: 'batch' })).toBe(30 * 86_400)
      expect(await lasts({ purpose: 'batch', expires_after: { anchor: 'created_at', seconds: 3_600 } })).toBe(
        3_600,
      )
    })

    it('can be cancelled, again too, and takes nothing after that', async () => {
      const { id, ids } = await filled()
      // Python's client names a type for the body that it does not send.
      const cancelled = await cancel(id, { 'content-type': 'application/json' })
      expect(cancelled).toMatchObject({ status: 200, json: { id, status: 'cancelled', file: null } })
      expect((await cancel(id)).json).toEqual(cancelled.json)
      expect(await complete(id, ids)).toMatchObject(refused(400, 'upload_closed', 'id'))
      expect((await addPart(id, 'x')).error).toMatchObject({ code: 'upload_closed' })
    })

    it('cannot be cancelled once it is a file', async () => {
      const { id, ids } = await filled()
      await complete(id, ids)
      expect(await cancel(id)).toMatchObject(refused(400, 'upload_closed', 'id'))
    })

    it('is not there for others, nor under another name', async () => {
      const { id, ids } = await filled()
      const others = { authorization: 'Bearer other' }
      const unknown = `upload_${'0'.repeat(26)}`
      for (const [path, more] of [
        [id, others],
        [unknown, headers],
        ['nonsense', headers],
      ] as const) {
        const expected = refused(404, 'upload_not_found', 'id')
        expect(await post(`/v1/uploads/${path}/complete`, { part_ids: ids }, more)).toMatchObject(expected)
        expect(await cancel(path, more)).toMatchObject(expected)
        const form = [{ ...file('x'), name: 'data' }]
        expect(await postForm(api, `/v1/uploads/${path}/parts`, form, { headers: more })).toMatchObject(
          expected,
        )
      }
      expect(await complete(id, ids)).toMatchObject({ status: 200 })
    })
  })

  const shardIn = (id: string): number => '0123456789abcdef'.indexOf(id.at(-1)!)

  describe('a refusal', () => {
    it.each([
      [{ bytes: 0 }, 'bytes'],
      [{ bytes: '6' }, 'bytes'],
      [{ bytes: undefined }, 'bytes'],
      [{ filename: '' }, 'filename'],
      [{ purpose: 'fun' }, 'purpose'],
      [{ purpose: undefined }, 'purpose'],
      [{ expires_after: { anchor: 'now', seconds: 3_600 } }, 'expires_after.anchor'],
      [{ expires_after: { anchor: 'created_at', seconds: 60 } }, 'expires_after.seconds'],
      [{ size: 6 }, 'size'],
    ])('of an upload with %j', async (more, param) => {
      expect(await post('/v1/uploads', { ...order, ...more })).toMatchObject(
        refused(400, 'invalid_request', param),
      )
    })

    it.each([
      ['user_data', 5_001],
      ['batch', 2_001],
    ])('of an upload for %s that is to have %i bytes', async (purpose, bytes) => {
      expect(await post('/v1/uploads', { ...order, purpose, bytes })).toMatchObject(
        refused(413, 'file_too_large', 'bytes'),
      )
    })

    it.each([
      ['nothing', [], 'invalid_request', 'data'],
      ['no bytes', [{ ...file(''), name: 'data' }], 'empty_file', 'data'],
      ['another field', [field('data', 'x'), field('purpose', 'batch')], 'invalid_request', 'purpose'],
      ['two', [field('data', 'x'), field('data', 'y')], 'invalid_request', 'data'],
    ])('of a part with %s', async (_, parts, code, param) => {
      const { id } = await begun()
      expect(await postForm(api, `/v1/uploads/${id}/parts`, parts, { headers })).toMatchObject(
        refused(400, code, param),
      )
      expect((await traces(api)).filter(name => name.startsWith(`${id.slice(7)}/`))).toEqual([])
    })

    it('of a part of more than 64 MB', async () => {
      await using site = await openTestApi()
      const most = 64 * 1024 * 1024
      const { id } = (await call(site, 'POST', '/v1/uploads', { body: { ...order, bytes: most + 1 } })).json
      const form = (bytes: number) => [{ ...file(Buffer.alloc(bytes)), name: 'data' }]
      const path = `/v1/uploads/${id}/parts`
      expect(await postForm(site, path, form(most))).toMatchObject({ status: 200 })
      expect(await postForm(site, path, form(most + 1))).toMatchObject(refused(413, 'file_too_large', 'data'))
      // Twice 64 MB through a socket, a parser and a disk: a busy machine takes a while.
    }, 120_000)

    it('of a completion that is wrong, after which the right one is taken', async () => {
      const { id, ids } = await filled()
      const other = (await filled()).ids
      const cases: readonly [unknown, object, string, string][] = [
        [[], {}, 'invalid_request', 'part_ids'],
        ['x', {}, 'invalid_request', 'part_ids'],
        [[...ids, ids[0]], {}, 'invalid_request', 'part_ids'],
        [['part_x'], {}, 'invalid_request', 'part_ids'],
        [other, {}, 'invalid_request', 'part_ids'],
        [ids.slice(1), {}, 'upload_incomplete', 'part_ids'],
        [ids, { md5: 'x' }, 'invalid_request', 'md5'],
        [ids, { md5: md5('defabc') }, 'checksum_mismatch', 'md5'],
      ]
      for (const [partIds, more, code, param] of cases) {
        expect(await complete(id, partIds, more)).toMatchObject(refused(400, code, param))
      }
      expect(await complete(id, ids, { md5: md5('abcdef') })).toMatchObject({ status: 200 })
    })
  })
})
