import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { line, lines, rows } from '../../batches/batch-desk.ts'
import {
  type Batch,
  type BatchApi,
  clients,
  desk,
  idsOf,
  openBatchApi,
  readLines,
} from '../batch-deployment.ts'
import { type Answer, call } from '../test-api.ts'

let api: BatchApi
let client: OpenAI
beforeAll(async () => {
  const models = ['plain', 'fail-400', 'fail-400-then-ok', 'hang-then-ok', 'hang']
  api = await openBatchApi({
    config: { models: Object.fromEntries(models.map(name => [name, { provider: 'first' }])) },
  })
  client = new clients['openai 7']({ apiKey: 'right', baseURL: `${api.url}/v1` })
})
afterAll(() => api[Symbol.asyncDispose]())

const authorization = 'Bearer right'
const retry = (id: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(api, 'POST', `/v1/batches/${id}/retry`, { body, headers: { authorization, ...headers } })
/** Read through the official client, which must not take it for JSON. */
const content = async (id: string, query = '', headers: Record<string, string> = {}) => {
  const path = `/batches/${id}/content${query}`
  const { data, response } = await client.get<string>(path, { headers }).withResponse()
  return { status: response.status, headers: response.headers, text: data }
}
const ended = async (input: string, more: object = {}): Promise<Batch> => {
  const { submit, ended } = desk(client)
  return ended((await submit(input, more)).id)
}
const inputs = async (): Promise<string[]> =>
  (await client.files.list({ purpose: 'batch' })).data.map(({ id }) => id).sort()

let salt = 0
/** The simulated provider knows a call by its user: one that failed before may go well now. */
const flaky = (id: string): string => line(id, 'fail-400-then-ok', `${id}-${salt}`)
const mixed = (): string => {
  salt++
  return `\n${line('a', 'plain')}${flaky('b')}\r\n${line('c', 'plain')}${flaky('d').trimEnd()}`
}

describe('POST /v1/batches/{id}/retry', () => {
  describe('a retry', () => {
    it('is a batch of the lines that failed, as they were', async () => {
      const input = mixed()
      const first = await ended(input, { metadata: { job: 'nightly' }, completion_window: '2h' })
      expect(first.request_counts).toEqual({ total: 4, completed: 2, failed: 2 })
      const { status, json } = await retry(first.id)
      expect(status).toBe(200)
      expect(json).toMatchObject({
        object: 'batch',
        status: 'validating',
        retry_of: first.id,
        endpoint: first.endpoint,
        completion_window: '2h',
        metadata: { job: 'nightly' },
        webhook: null,
      })
      const [, , b, , , d] = input.split(/\r?\n/)
      expect(await (await client.files.content(json.input_file_id)).text()).toBe(`${b}\n${d}\n`)
      expect(await client.files.retrieve(json.input_file_id)).toMatchObject({
        purpose: 'batch',
        filename: `${first.id}_retry.jsonl`,
      })
      const second = await desk(client).ended(json.id)
      expect(second).toMatchObject({
        status: 'completed',
        request_counts: { total: 2, completed: 2, failed: 0 },
      })
      expect(idsOf(await desk(client).output(second))).toEqual(['b', 'd'])
    })

    it('may be of another window and with other metadata', async () => {
      const { id } = await ended(mixed(), { metadata: { job: 'nightly' } })
      const { json } = await retry(id, { completion_window: '3h', metadata: null })
      expect(json).toMatchObject({
        completion_window: '3h',
        metadata: null,
        expires_at: json.created_at + 10_800,
      })
    })

    it('takes up what a cancelled batch left', async () => {
      const { submit, reached, ended } = desk(client)
      const { id } = await submit(line('a', 'plain') + line('x', 'hang-then-ok') + line('y', 'hang-then-ok'))
      await reached(id, ({ request_counts }) => request_counts!.completed === 1)
      await client.batches.cancel(id)
      await ended(id)
      const again = await ended((await retry(id)).json.id)
      expect(again).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 2 } })
      expect(idsOf(await desk(client).output(again))).toEqual(['x', 'y'])
    })

    it('that is sent again is the same one, and leaves nothing behind', async () => {
      const { id } = await ended(mixed())
      const before = await inputs()
      const key = { 'idempotency-key': 'again' }
      const first = await retry(id, {}, key)
      const second = await retry(id, {}, key)
      expect(second.json.id).toBe(first.json.id)
      expect(second.headers.get('idempotent-replayed')).toBe('true')
      const made = (await inputs()).filter(file => !before.includes(file))
      expect(made).toEqual([first.json.input_file_id])
      expect((await retry(id)).json.id).not.toBe(first.json.id)
    })

    it('takes an empty body of a JSON type', async () => {
      const { id } = await ended(mixed())
      expect((await retry(id, '')).status).toBe(200)
    })

    it.each([
      ['nothing failed', () => ended(lines(2, 'plain')), 'The batch has no failed lines.'],
      [
        'the input was wrong',
        () => ended('nonsense'),
        'The input of the batch was found to be wrong; mend it and upload it anew.',
      ],
    ])('is refused where %s', async (_, make, message) => {
      const { id } = await make()
      expect(await retry(id)).toMatchObject({
        status: 409,
        json: { error: { code: 'batch_not_retryable', message, param: null } },
      })
    })

    it.each(['input_file_id', 'error_file_id'] as const)(
      'is refused where the file in %s is gone',
      async param => {
        const batch = await ended(lines(2, 'fail-400'))
        await client.files.delete(batch[param]!)
        const before = await inputs()
        expect(await retry(batch.id)).toMatchObject({
          status: 404,
          json: { error: { code: 'file_not_found', param } },
        })
        expect(await inputs()).toEqual(before)
      },
    )

    it.each([
      ['invalid_value', 'completion_window', { completion_window: '1s' }],
      ['unknown_parameter', 'endpoint', { endpoint: '/v1/embeddings' }],
      [
        'webhook_address_forbidden',
        'webhook.url',
        { webhook: { url: 'https://169.254.169.254', secret: `whsec_${'A'.repeat(32)}` } },
      ],
      ['invalid_json', null, '{"metadata":'],
      ['invalid_request', null, []],
    ])('is refused with %s for %s', async (code, param, body) => {
      const { id } = await ended(lines(1, 'fail-400'))
      expect((await retry(id, body)).json.error).toMatchObject({ code, param })
    })
  })

  describe('the content of a batch', () => {
    it('grows while the batch runs', async () => {
      const { submit, ended } = desk(client)
      const { id } = await submit(lines(5, 'plain') + line('x', 'hang'))
      const running = await until(async () => {
        const answer = await content(id)
        return readLines(answer.text).length === 5 && answer
      })
      expect(running.headers.get('content-disposition')).toContain(`${id}_output.jsonl`)
      expect(idsOf(readLines(running.text))).toEqual(rows(5))
      expect((await client.batches.retrieve(id)).output_file_id).toBeNull()
      expect((await content(id, '?file=errors')).text).toBe('')
      // Whoever follows it asks for what is new.
      const from = Buffer.byteLength(running.text)
      expect(await content(id, '', { range: `bytes=${from}-` })).toMatchObject({ status: 204 })
      const [first = ''] = running.text.split('\n')
      const rest = await content(id, '', { range: `bytes=${first.length + 1}-` })
      expect([rest.status, rest.text]).toEqual([206, running.text.slice(first.length + 1)])

      await client.batches.cancel(id)
      const batch = await ended(id)
      expect((await content(id)).text).toBe(running.text)
      expect((await content(id, '?file=errors')).text).toBe(
        await (await client.files.content(batch.error_file_id!)).text(),
      )
      const head = await call(api, 'HEAD', `/v1/batches/${id}/content`, { headers: { authorization } })
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(from)])
    })

    it('is gone with its file', async () => {
      const batch = await ended(lines(1, 'plain'))
      await client.files.delete(batch.output_file_id!)
      await expect(content(batch.id)).rejects.toMatchObject({
        status: 404,
        code: 'file_not_found',
        param: 'id',
      })
      expect(await content(batch.id, '?file=errors')).toMatchObject({ status: 200, text: '' })
    })
  })
})
