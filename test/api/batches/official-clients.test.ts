import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { line, lines, rows } from '../../batches/batch-desk.ts'
import { type Batch, type BatchApi, clients, desk, idsOf, openBatchApi } from '../batch-deployment.ts'

let api: BatchApi
beforeAll(async () => {
  api = await openBatchApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const order = ['validating', 'in_progress', 'finalizing', 'completed']

describe('/v1/batches with official clients', () => {
  describe.each(Object.entries(clients))('%s', (_, Client) => {
    const open = (more: object = {}): OpenAI =>
      new Client({ apiKey: 'right', baseURL: `${api.url}/v1`, ...more })
    const sendTo = (url: string) => desk(open({ baseURL: `${url}/v1` }))

    it('creates a batch, follows it to its end and reads what came of it', async () => {
      const { submit, reached, output, errors } = desk(open())
      const created = await submit(lines(30, 'plain'), {
        metadata: { job: 'nightly' },
        output_expires_after: { anchor: 'created_at', seconds: 7_200 },
      })
      expect(created).toMatchObject({ status: 'validating', expires_at: created.created_at + 86_400 })
      const seen = [created.status]
      const batch = await reached(created.id, ({ status, request_counts: counts }) => {
        if (seen.at(-1) !== status) seen.push(status)
        expect(counts!.completed + counts!.failed).toBeLessThanOrEqual(30)
        return status === 'completed'
      })
      expect(seen).toEqual(order.filter(status => seen.includes(status as Batch['status'])))
      const { created_at, in_progress_at, finalizing_at, completed_at } = batch
      const times = [created_at, in_progress_at!, finalizing_at!, completed_at!]
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(batch).toMatchObject({
        model: 'plain',
        metadata: { job: 'nightly' },
        errors: null,
        error_file_id: null,
        request_counts: { total: 30, completed: 30, failed: 0 },
        providers: { first: 30 },
      })

      const answers = await output(batch)
      expect(idsOf(answers)).toEqual(rows(30))
      expect(await errors(batch)).toEqual([])
      for (const { id, response, error } of answers) {
        expect(id).toMatch(/^batch_req_/)
        expect(error).toBeNull()
        expect(response).toMatchObject({ status_code: 200, body: { object: 'chat.completion' } })
        expect(response!.request_id).toMatch(/^req_/)
      }
      const sum = (name: string) => answers.reduce((all, { response }) => all + response!.body.usage[name], 0)
      expect(batch.usage).toMatchObject({
        input_tokens: sum('prompt_tokens'),
        output_tokens: sum('completion_tokens'),
        total_tokens: sum('total_tokens'),
      })
      expect(batch).toHaveProperty('cost_usd', expect.any(Number))
      const file = await open().files.retrieve(batch.output_file_id!)
      expect(file).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` })
      expect(file.expires_at! - file.created_at).toBe(7_200)
    })

    it('finds answers and refusals in two files', async () => {
      const { submit, ended, output, errors } = desk(open())
      const { id } = await submit(line('a', 'plain') + line('b', 'fail-400') + line('c', 'plain'))
      const batch = await ended(id)
      expect(batch).toMatchObject({
        status: 'completed',
        request_counts: { total: 3, completed: 2, failed: 1 },
      })
      expect(idsOf(await output(batch))).toEqual(['a', 'c'])
      expect(await errors(batch)).toEqual([
        {
          id: expect.stringMatching(/^batch_req_/),
          custom_id: 'b',
          response: {
            status_code: 400,
            request_id: expect.stringMatching(/^req_/),
            body: { error: expect.objectContaining({ type: 'invalid_request_error' }) },
          },
          error: null,
        },
      ])
    })

    it('finds no output file where every line was refused', async () => {
      const { submit, ended } = desk(open())
      const { id } = await submit(lines(3, 'fail-400'))
      expect(await ended(id)).toMatchObject({
        status: 'completed',
        output_file_id: null,
        error_file_id: expect.stringMatching(/^file-/),
        request_counts: { total: 3, completed: 0, failed: 3 },
      })
    })

    it('reads what is wrong with a file from the batch', async () => {
      const { submit, ended } = desk(open())
      const { id } = await submit(`${line('a', 'plain')}not JSON\n`)
      const batch = await ended(id)
      expect(batch).toMatchObject({
        status: 'failed',
        output_file_id: null,
        error_file_id: null,
        request_counts: { total: 0, completed: 0, failed: 0 },
      })
      expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at)
      expect(batch.errors).toEqual({
        object: 'list',
        data: [
          {
            code: 'invalid_json_line',
            line: 2,
            param: null,
            message: 'This line is not parseable as valid JSON.',
          },
        ],
      })
    })

    it('cancels a batch that runs, and keeps what it has', async () => {
      const { submit, reached, ended, output, errors } = desk(open())
      const { id } = await submit(lines(5, 'plain') + line('x', 'hang') + line('y', 'hang'))
      await reached(id, ({ request_counts }) => request_counts!.completed === 5)
      const cancelling = await open().batches.cancel(id)
      expect(cancelling).toMatchObject({ status: 'cancelling', cancelling_at: expect.any(Number) })
      const batch = await ended(id)
      expect(batch).toMatchObject({
        status: 'cancelled',
        cancelled_at: expect.any(Number),
        request_counts: { total: 7, completed: 5, failed: 2 },
      })
      expect(idsOf(await output(batch))).toEqual(rows(5))
      expect((await errors(batch)).map(({ error, response }) => [error!.code, response])).toEqual(
        Array(2).fill(['batch_cancelled', null]),
      )
    })

    it('asks once to cancel what has ended', async () => {
      let asked = 0
      const count: typeof fetch = (...request) => {
        asked++
        return fetch(...request)
      }
      const { submit, ended } = desk(open())
      const { id } = await submit(line('a', 'plain'))
      await ended(id)
      await expect(open({ fetch: count }).batches.cancel(id)).rejects.toMatchObject({
        constructor: Client.ConflictError,
        code: 'batch_finished',
        message: "409 Cannot cancel a batch with status 'completed'.",
      })
      expect(asked).toBe(1)
    })

    it('sees a window end', async () => {
      // A minute is the shortest window: this API began it most of a minute ago.
      const { submit, ended, output, errors } = sendTo(await api.lateApi(58_000))
      const { id } = await submit(lines(3, 'plain') + line('x', 'hang'), {
        completion_window: '1m' as '24h',
      })
      const batch = await ended(id)
      expect(batch).toMatchObject({
        status: 'expired',
        expired_at: expect.any(Number),
        expires_at: batch.created_at + 60,
        request_counts: { total: 4, completed: 3, failed: 1 },
      })
      expect(batch.expired_at! * 1_000).toBeGreaterThanOrEqual(batch.expires_at! * 1_000)
      expect(idsOf(await output(batch))).toEqual(rows(3))
      expect(await errors(batch)).toMatchObject([
        { custom_id: 'x', response: null, error: { code: 'batch_expired' } },
      ])
    })

    it('goes through the list while more are made', async () => {
      const client = open({ apiKey: 'other' })
      const { submit } = desk(client)
      const made: string[] = []
      for (let i = 0; i < 5; i++) made.push((await submit(line('a', 'plain'))).id)
      const seen: string[] = []
      for await (const { id } of client.batches.list({ limit: 2 })) {
        seen.push(id)
        await submit(line('b', 'plain'))
      }
      expect(seen).toEqual([...new Set(seen)])
      expect(seen).toEqual(expect.arrayContaining(made))
    })

    it('throws the classes its users catch', async () => {
      const { id } = await desk(open()).submit(line('a', 'plain'))
      const unknown = `batch_${'0'.repeat(26)}`
      await expect(open().batches.retrieve(unknown)).rejects.toMatchObject({
        constructor: Client.NotFoundError,
        code: 'batch_not_found',
        param: 'id',
        message: `404 No batch found with id '${unknown}'.`,
      })
      await expect(open({ apiKey: 'other' }).batches.retrieve(id)).rejects.toThrow(Client.NotFoundError)
      await expect(open({ apiKey: 'wrong' }).batches.retrieve(id)).rejects.toThrow(Client.AuthenticationError)
      const create = (more: object) =>
        open().batches.create({
          input_file_id: `file-${'0'.repeat(26)}`,
          endpoint: '/v1/chat/completions',
          completion_window: '24h',
          ...more,
        })
      await expect(create({})).rejects.toMatchObject({
        constructor: Client.NotFoundError,
        param: 'input_file_id',
      })
      await expect(create({ endpoint: '/v1/nope' })).rejects.toMatchObject({
        constructor: Client.BadRequestError,
        code: 'invalid_value',
        param: 'endpoint',
      })
    })
  })

  describe('every endpoint', () => {
    const { 'openai 7': Client } = clients
    const cases = [
      ['/v1/embeddings', { input: ['one', 'two'] }, 'list'],
      ['/v1/responses', { input: 'hello' }, 'response'],
      ['/v1/completions', { prompt: 'hello' }, 'text_completion'],
    ] as const

    it.each(cases)('%s answers in its own format, and its tokens are counted', async (url, body, object) => {
      const { submit, ended, output } = desk(new Client({ apiKey: 'right', baseURL: `${api.url}/v1` }))
      const request = { custom_id: 'a', method: 'POST', url, body: { model: 'plain', ...body } }
      const { id } = await submit(JSON.stringify(request), { endpoint: url })
      const batch = await ended(id)
      expect(batch).toMatchObject({ status: 'completed', endpoint: url, request_counts: { completed: 1 } })
      const [answer] = await output(batch)
      expect(answer!.response!.body.object).toBe(object)
      const { usage } = answer!.response!.body
      expect(batch.usage!.input_tokens).toBe(usage.input_tokens ?? usage.prompt_tokens)
      expect(batch.usage!.input_tokens).toBeGreaterThan(0)
      expect(batch.usage!.total_tokens).toBe(usage.total_tokens)
    })
  })
})
