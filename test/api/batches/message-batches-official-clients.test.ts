import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Anthropic1 from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createSimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatchDesk, openDesk } from '../../batches/batch-desk.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { testRedis } from '../../support/redis.ts'
import { type Client, clients, row, tap } from '../anthropic-clients.ts'

const first = createSimProvider()
const second = createSimProvider()
const redis = testRedis()
let dir: string
let baton: BatonApi
let desk: BatchDesk
beforeAll(async () => {
  await Promise.all([first.start(), second.start()])
  dir = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  const breaker = { min_calls: 100_000 }
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, api_key: 'k', breaker },
      second: { type: 'anthropic', base_url: second.url, api_key: 'k', breaker },
    },
    models: {
      claude: { provider: 'second' },
      gpt: { provider: 'first' },
      chain: { provider: 'first', upstream_model: 'fail-429', fallback_to: 'claude' },
      'fail-400': { provider: 'second' },
      hang: { provider: 'second' },
    },
    api_keys: ['right'],
    storage: { path: dir },
  }
  baton = await openBaton({ level: 'api', config, prefix: redis.prefix, batches: true })
  desk = openDesk(redis, dir)
})
afterAll(async () => {
  await baton.stop()
  await desk.close()
  await Promise.all([first.stop(), second.stop()])
  await rm(dir, { recursive: true })
})

type Batch = Anthropic1.Messages.MessageBatch
type Result = Anthropic1.Messages.MessageBatchIndividualResponse['result']

const ended = (client: Client, id: string): Promise<Batch> =>
  until(async () => {
    const batch = await client.messages.batches.retrieve(id)
    const { processing, ...rest } = batch.request_counts
    if (batch.processing_status === 'ended') return batch
    // Everything is in processing until the whole batch ends.
    expect([processing > 0, Object.values(rest)]).toEqual([true, [0, 0, 0, 0]])
    return null
  })

const resultsOf = async (client: Client, id: string): Promise<Record<string, Result>> => {
  const results: Record<string, Result> = {}
  for await (const { custom_id, result } of await client.messages.batches.results(id)) {
    expect(results).not.toHaveProperty(custom_id)
    results[custom_id] = result
  }
  return results
}

describe('/v1/messages/batches with official clients', () => {
  describe.each(clients)('$name', ({ Client, version, keyHeader }) => {
    const options = () => ({ apiKey: 'right', baseURL: baton.url })
    const open = (more: object = {}): Client => new Client({ ...options(), ...more })
    const tapped = () => tap(Client, options())

    it('makes a batch of one, with the key and the version that it sends', async () => {
      const { client, asked } = tapped()
      const batch = await client.messages.batches.create({ requests: [row('a', 'claude')] })
      expect(batch).toMatchObject({ type: 'message_batch', processing_status: 'in_progress', ended_at: null })
      expect((batch as { _request_id?: string })._request_id).toMatch(/^req_/)
      expect(asked[0]!.headers.get(keyHeader)).toContain('right')
      expect(asked[0]!.headers.get('anthropic-version')).toBe(version)
      const { request_counts, ended_at, results_url } = await ended(client, batch.id)
      expect(request_counts).toEqual({ processing: 0, succeeded: 1, errored: 0, canceled: 0, expired: 0 })
      expect(Date.parse(ended_at!)).toBeGreaterThanOrEqual(Date.parse(batch.created_at))
      expect(results_url).toBe(`${baton.url}/v1/messages/batches/${batch.id}/results`)
      expect(await resultsOf(client, batch.id)).toMatchObject({ a: { type: 'succeeded' } })
    })

    it('gets a result for each request, whatever their models and faults', async () => {
      const client = open()
      const wrong = {
        unknown: row('unknown', 'gpt-9'),
        limit: row('limit', 'claude', { max_tokens: 0 }),
        stream: row('stream', 'claude', { stream: true }),
        refused: row('refused', 'fail-400'),
        none: { custom_id: 'none', params: 'x' as never },
      }
      const right = Array.from({ length: 400 }, (_, i) => row(`row-${i}`, i % 3 ? 'claude' : 'gpt'))
      const requests = [...right, row('handed', 'chain'), ...Object.values(wrong)]
      const { id } = await client.messages.batches.create({ requests })
      const { request_counts } = await ended(client, id)
      expect(request_counts).toEqual({ processing: 0, succeeded: 401, errored: 5, canceled: 0, expired: 0 })
      const results = await resultsOf(client, id)
      expect(Object.keys(results).sort()).toEqual(requests.map(({ custom_id }) => custom_id).sort())
      for (const name of Object.keys(wrong)) {
        expect(results[name]).toMatchObject({
          type: 'errored',
          error: { type: 'error', error: { type: 'invalid_request_error', message: expect.any(String) } },
        })
      }
      expect(results.handed).toMatchObject({ type: 'succeeded', message: { type: 'message' } })
      expect((await open().messages.batches.retrieve(id)) as object).toMatchObject({
        providers: { first: 134, second: 268 },
      })
    })

    it('is given whole messages by a provider of the other format', async () => {
      const client = open()
      const { id } = await client.messages.batches.create({ requests: [row('a', 'gpt')] })
      await ended(client, id)
      expect((await resultsOf(client, id)).a).toEqual({
        type: 'succeeded',
        message: {
          id: expect.any(String),
          type: 'message',
          role: 'assistant',
          model: expect.any(String),
          content: [{ type: 'text', text: expect.any(String), citations: null }],
          stop_reason: 'end_turn',
          stop_sequence: null,
          stop_details: null,
          container: null,
          diagnostics: null,
          usage: {
            input_tokens: expect.any(Number),
            output_tokens: expect.any(Number),
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation: null,
            inference_geo: null,
            output_tokens_details: null,
            server_tool_use: null,
            service_tier: null,
            speed: null,
          },
        },
      })
    })

    it('may ask for a temperature in the old version alone', async () => {
      const outcome = async (client: Client): Promise<string> => {
        const requests = [row('warm', 'claude', { temperature: 0.5 })]
        const { id } = await client.messages.batches.create({ requests })
        await ended(client, id)
        const { warm } = await resultsOf(client, id)
        return warm!.type === 'errored' ? warm!.error.error.type : warm!.type
      }
      const [before, since] = ['succeeded', 'invalid_request_error']
      expect(await outcome(open())).toBe(version === '2023-06-01' ? before : since)
      for (const [other, wanted] of Object.entries({ '2023-06-01': before, '2026-10-21': since })) {
        expect(await outcome(open({ defaultHeaders: { 'anthropic-version': other } }))).toBe(wanted)
      }
    })

    it('finds all of it under beta, too', async () => {
      const { client, asked } = tapped()
      const { batches } = client.beta.messages
      const requests = [row('a', 'claude')] as Parameters<typeof batches.create>[0]['requests']
      const { id } = await batches.create({ requests, betas: ['message-batches-2024-09-24'] })
      await ended(client, id)
      expect((await batches.retrieve(id)).id).toBe(id)
      const types: string[] = []
      for await (const { result } of await batches.results(id)) types.push(result.type)
      expect(types).toEqual(['succeeded'])
      expect((await batches.cancel(id)).processing_status).toBe('ended')
      expect((await batches.list({ limit: 1 })).data).toHaveLength(1)
      expect(await batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' })
      const isMarked = asked.some(({ url }) => url.includes('beta=true'))
      expect(isMarked).toBe(version === '2023-06-01')
    })

    it('reads results while a batch runs, is told that it has not ended, and cancels it', async () => {
      const { client, asked } = tapped()
      const requests = [row('done', 'claude'), row('h-1', 'hang'), row('h-2', 'hang')]
      const { batches } = client.messages
      const { id } = await batches.create({ requests })
      const line = await until(async () => {
        const url = `${baton.url}/v1/messages/batches/${id}/content`
        return (await fetch(url, { headers: { 'x-api-key': 'right' } })).text()
      })
      expect(JSON.parse(line)).toMatchObject({ custom_id: 'done', result: { type: 'succeeded' } })

      asked.length = 0
      await expect(batches.results(id)).rejects.toThrow(Client.AnthropicError)
      expect(asked).toHaveLength(1)
      await expect(batches.delete(id)).rejects.toThrow(Client.BadRequestError)

      const cancelled = await batches.cancel(id)
      expect(cancelled).toMatchObject({ processing_status: 'canceling', results_url: null })
      expect(cancelled.cancel_initiated_at).toMatch(/Z$/)
      expect((await batches.cancel(id)).id).toBe(id)
      expect((await ended(client, id)).request_counts).toMatchObject({ succeeded: 1, canceled: 2 })
      expect(await resultsOf(client, id)).toMatchObject({
        done: { type: 'succeeded' },
        'h-1': { type: 'canceled' },
        'h-2': { type: 'canceled' },
      })
      expect((await batches.cancel(id)).processing_status).toBe('ended')
    })

    it('gets what was not done in time as expired', async () => {
      const client = open()
      const requests = [row('done', 'claude'), row('late', 'hang')]
      // The shortest window that a request may ask for is a minute.
      const id = await desk.batch(requests.map(request => `${JSON.stringify(request)}\n`).join(''), {
        dialect: 'anthropic',
        endpoint: '/v1/messages',
        inputFileId: null,
        total: requests.length,
        expiresAtMs: Date.now() + 1_500,
      })
      expect((await ended(client, id)).request_counts).toMatchObject({ succeeded: 1, expired: 1 })
      expect(await resultsOf(client, id)).toMatchObject({
        done: { type: 'succeeded' },
        late: { type: 'expired' },
      })
    })

    it('deletes a batch that has ended, and then there is none', async () => {
      const client = open()
      const { batches } = client.messages
      const { id } = await batches.create({ requests: [row('a', 'claude')] })
      const { results_url } = await ended(client, id)
      expect(await batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' })
      for (const gone of [
        batches.retrieve(id),
        batches.results(id),
        batches.delete(id),
        client.get(results_url!),
      ]) {
        await expect(gone).rejects.toThrow(Client.NotFoundError)
      }
    })
  })
})
