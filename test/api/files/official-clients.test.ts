import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI7 from 'openai'
import OpenAI4 from 'openai4'
import OpenAI6 from 'openai6'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../forms.ts'
import { openTestApi, type TestApi } from '../test-api.ts'

const maxBatchBytes = 1_000_000
const content = randomBytes(500_000)
const lines = `${JSON.stringify({ custom_id: 'ä', body: {} })}\n`

let api: TestApi
let dir: string
let path: string
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: ['right'], batches: { max_file_bytes: maxBatchBytes } } })
  dir = await mkdtemp(join(tmpdir(), 'baton-upload-'))
  path = join(dir, 'in put.jsonl')
  await writeFile(path, content)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

/** What their users write is the same for all of them; their types have different names. */
const clients = {
  'openai 7': OpenAI7,
  'openai 6': OpenAI6 as unknown as typeof OpenAI7,
  'openai 4': OpenAI4 as unknown as typeof OpenAI7,
}

describe('/v1/files with official clients', () => {
  describe.each(Object.entries(clients))('%s', (_, Client) => {
    const open = (more: object = {}) => new Client({ apiKey: 'right', baseURL: `${api.url}/v1`, ...more })
    const hashOf = async (id: string): Promise<string> =>
      sha256(new Uint8Array(await (await open().files.content(id)).arrayBuffer()))
    const remove = (id: string) => {
      const { files } = open()
      return 'del' in files
        ? (files as unknown as Pick<typeof files, 'delete'> & { del: typeof files.delete }).del(id)
        : files.delete(id)
    }

    it('uploads a stream, a buffer and a File, byte for byte', async () => {
      const sources = {
        'in put.jsonl': () => createReadStream(path),
        'b.jsonl': () => Client.toFile(content, 'b.jsonl'),
        'c.jsonl': () => new File([content], 'c.jsonl', { type: 'application/jsonl' }),
      }
      for (const [filename, source] of Object.entries(sources)) {
        const file = await open().files.create({ file: await source(), purpose: 'batch' })
        expect(file).toMatchObject({
          object: 'file',
          bytes: content.length,
          filename,
          purpose: 'batch',
          status: 'processed',
        })
        expect(file.expires_at! - file.created_at).toBe(30 * 86_400)
        expect((file as { _request_id?: string })._request_id).toMatch(/^req_/)
        expect(await open().files.retrieve(file.id)).toMatchObject({ id: file.id, filename })
        expect(await hashOf(file.id)).toBe(sha256(content))
      }
    })

    it('says when a file is to expire', async () => {
      const file = await open().files.create({
        file: await Client.toFile(Buffer.from(lines), 'a.jsonl'),
        purpose: 'user_data',
        expires_after: { anchor: 'created_at', seconds: 3_600 },
      })
      expect(file.expires_at! - file.created_at).toBe(3_600)
      expect(await (await open().files.content(file.id)).text()).toBe(lines)
    })

    it('reads the error of a file too large, and asks once', async () => {
      let asked = 0
      const count = () => void asked++
      api.app.server.on('request', count)
      const create = (bytes: number) =>
        open().files.create({ file: new File([Buffer.alloc(bytes, 'x')], 'a.jsonl'), purpose: 'batch' })
      expect(await create(maxBatchBytes)).toMatchObject({ bytes: maxBatchBytes })
      asked = 0
      await expect(create(maxBatchBytes + 1)).rejects.toMatchObject({ status: 413, code: 'file_too_large' })
      await expect(create(30_000_000)).rejects.toMatchObject({ status: 413, code: 'file_too_large' })
      api.app.server.off('request', count)
      expect(asked).toBe(2)
    })

    it('goes through the list page by page, and empties it', async () => {
      const made: string[] = []
      for (const name of ['1', '2', '3']) {
        made.push((await open().files.create({ file: new File(['x'], name), purpose: 'vision' })).id)
      }
      const seen: string[] = []
      for await (const file of open().files.list({ purpose: 'vision', limit: 1, order: 'asc' })) {
        seen.push(file.id)
        expect(await remove(file.id)).toEqual({ id: file.id, object: 'file', deleted: true })
      }
      expect(seen).toEqual(made.toSorted())
      for (const id of made) {
        await expect(open().files.retrieve(id)).rejects.toMatchObject({
          constructor: Client.NotFoundError,
          message: `404 No such File object: ${id}`,
          param: 'id',
          code: 'file_not_found',
        })
        await expect(open().files.content(id)).rejects.toThrow(Client.NotFoundError)
        await expect(remove(id)).rejects.toThrow(Client.NotFoundError)
      }
    })

    it('uploads in parts', async () => {
      const { uploads, files } = open()
      const halves = [content.subarray(0, 200_000), content.subarray(200_000)]
      const begin = (bytes: number) =>
        uploads.create({ bytes, filename: 'big.jsonl', mime_type: 'application/jsonl', purpose: 'batch' })
      const upload = await begin(content.length)
      const part_ids: string[] = []
      for (const half of halves) {
        part_ids.push((await uploads.parts.create(upload.id, { data: new File([half], 'blob') })).id)
      }
      const md5 = createHash('md5').update(content).digest('hex')
      await expect(
        uploads.complete(upload.id, { part_ids, md5: md5.replace(/./, c => (c === '0' ? '1' : '0')) }),
      ).rejects.toMatchObject({
        constructor: Client.BadRequestError,
        code: 'checksum_mismatch',
        param: 'md5',
      })
      await expect(uploads.complete(upload.id, { part_ids: part_ids.slice(1) })).rejects.toMatchObject({
        code: 'upload_incomplete',
      })
      const completed = await uploads.complete(upload.id, { part_ids, md5 })
      expect(completed).toMatchObject({
        status: 'completed',
        file: { bytes: content.length, purpose: 'batch' },
      })
      expect(await files.retrieve(completed.file!.id)).toEqual(completed.file)
      expect(await hashOf(completed.file!.id)).toBe(sha256(content))

      const other = await begin(10)
      expect(await uploads.cancel(other.id)).toMatchObject({ status: 'cancelled' })
      await expect(uploads.parts.create(other.id, { data: new File(['x'], 'blob') })).rejects.toMatchObject({
        code: 'upload_closed',
      })
    })

    it('throws the class for a wrong key', async () => {
      const stranger = open({ apiKey: 'wrong' })
      const upload = stranger.files.create({ file: new File([content], 'a'), purpose: 'batch' })
      await expect(upload).rejects.toThrow(Client.AuthenticationError)
    })
  })

  it("Anthropic's client reads an error in its own shape", async () => {
    const anthropic = new Anthropic({ apiKey: 'right', baseURL: api.url })
    await expect(anthropic.beta.files.retrieveMetadata(`file-${'0'.repeat(26)}`)).rejects.toMatchObject({
      constructor: Anthropic.NotFoundError,
      type: 'not_found_error',
    })
  })
})
