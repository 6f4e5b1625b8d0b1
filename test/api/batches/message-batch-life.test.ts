import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import type { FastifyInstance } from 'fastify'
import { request as send } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createApp } from '../../../src/api/app.ts'
import { newBatchId } from '../../../src/redis/keys.ts'
import { type Baton, openBaton } from '../../support/open-baton.ts'
import { create, get, many, one, path, post } from '../message-batch-calls.ts'
import { type Answer, type Call, call, type Json, openTestApi, type TestApi } from '../test-api.ts'

const dayMs = 86_400_000

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('/v1/messages/batches, from creation to deletion', () => {
  describe('a batch that runs', () => {
    it('has no results yet, and none so far', async () => {
      const { id } = await create(api)
      const results = await get(api, `/${id}/results`)
      expect([results.status, results.json.error]).toMatchObject([
        404,
        { type: 'not_found_error', details: { error_code: 'results_not_found' } },
      ])
      const content = await get(api, `/${id}/content`)
      expect([content.status, content.text]).toEqual([200, ''])
      expect(content.headers.get('content-type')).toBe('application/x-jsonl')
    })

    it('cannot be deleted', async () => {
      const { id } = await create(api)
      const answer = await call(api, 'DELETE', `${path}/${id}`)
      expect([answer.status, answer.json.error]).toMatchObject([
        400,
        { type: 'invalid_request_error', details: { error_code: 'batch_not_ended' } },
      ])
    })

    it.each([
      ['no body', {}],
      ['an empty body of a type', { headers: { 'content-type': 'application/json' } }],
      ['any body', { body: { any: 'thing' } }],
    ])('is cancelled with %s, once and again', async (_, more: Call) => {
      const { id } = await create(api)
      const { status, json } = await call(api, 'POST', `${path}/${id}/cancel`, more)
      expect([status, json.processing_status]).toEqual([200, 'canceling'])
      expect(json.cancel_initiated_at).toMatch(/Z$/)
      expect((await call(api, 'POST', `${path}/${id}/cancel`, more)).json).toEqual(json)
    })
  })

  describe('the list', () => {
    const ids = (answer: Answer): string[] => answer.json.data.map(({ id }: Json) => id)

    it('goes forward and backward, newest first', async () => {
      await using own = await openTestApi()
      const list = (query: string) => get(own, query)
      expect((await list('')).json).toEqual({ data: [], has_more: false, first_id: null, last_id: null })
      const made: string[] = []
      for (let i = 0; i < 5; i++) {
        const { id, created_at } = await create(own, { requests: [one(`${i}`)] })
        made.unshift(id)
        // Ids of one millisecond have no order.
        await until(() => Date.now() > Date.parse(created_at))
      }
      const [e, d, c, b, a] = made as [string, string, string, string, string]
      expect((await list('?limit=2')).json).toMatchObject({ has_more: true, first_id: e, last_id: d })
      expect(ids(await list(`?limit=2&after_id=${d}`))).toEqual([c, b])
      expect((await list(`?after_id=${b}&limit=2`)).json).toMatchObject({
        has_more: false,
        first_id: a,
        last_id: a,
      })
      expect(ids(await list(`?limit=2&before_id=${b}`))).toEqual([d, c])
      expect((await list(`?limit=2&before_id=${b}`)).json.has_more).toBe(true)
      expect((await list(`?limit=2&before_id=${c}`)).json).toMatchObject({
        has_more: false,
        first_id: e,
        last_id: d,
      })
      expect(ids(await list('?limit=1000&beta=true&unknown=1'))).toEqual(made)
    })

    it('goes on from a batch that is not there any more, for clients that delete on their way', async () => {
      await using own = await openTestApi()
      const { id } = await create(own, { requests: [one('a')] })
      const deleted = newBatchId('anthropic', 0, Date.now() + 1_000)
      expect(ids(await get(own, `?after_id=${deleted}`))).toEqual([id])
    })

    it.each([
      ['limit=0', 'invalid_value'],
      ['limit=1001', 'invalid_value'],
      ['limit=x', 'invalid_value'],
      ['after_id=x', 'invalid_cursor'],
      ['before_id=batch_1', 'invalid_cursor'],
      [`after_id=msgbatch_${'0'.repeat(26)}&before_id=msgbatch_${'0'.repeat(26)}`, 'invalid_value'],
    ])('refuses %s', async (query, code) => {
      const { status, json } = await get(api, `?${query}`)
      expect([status, json.error.details.error_code]).toEqual([400, code])
    })
  })

  it('one tenant knows nothing of another’s batches', async () => {
    const api_keys = [
      { key: 'k-one', tenant: 'one' },
      { key: 'k-two', tenant: 'two' },
    ]
    await using own = await openTestApi({ config: { api_keys } })
    const [mine, theirs] = [{ authorization: 'Bearer k-one' }, { 'x-api-key': 'k-two' }]
    const body = { requests: [one('a')] }
    const { id } = await create(own, body, mine)
    expect((await create(own, body, { ...theirs, 'x-stainless-retry-count': '1' })).id).not.toBe(id)
    for (const [method, more] of [
      ['GET', ''],
      ['GET', '/results'],
      ['GET', '/content'],
      ['POST', '/cancel'],
      ['DELETE', ''],
    ] as const) {
      const answer = await call(own, method, `${path}/${id}${more}`, { headers: theirs })
      expect([answer.status, answer.json.error.type]).toEqual([404, 'not_found_error'])
      expect((await call(own, method, `${path}/${id}${more}`)).status).toBe(401)
    }
    const list = await call(own, 'GET', path, { headers: theirs })
    expect(list.json.data).toHaveLength(1)
    expect(list.json.first_id).not.toBe(id)
    expect((await call(own, 'GET', `${path}/${id}`, { headers: mine })).status).toBe(200)
    expect((await post(own, 'x'.repeat(100_000))).json.error.type).toBe('authentication_error')
  })

  it.each(['nonsense', `msgbatch_${'0'.repeat(26)}`, `batch_${'0'.repeat(26)}`])(
    'knows no batch %s',
    async id => {
      expect(await get(api, `/${id}`)).toMatchObject({
        status: 404,
        json: { error: { type: 'not_found_error' } },
      })
    },
  )

  describe('a batch that has ended', () => {
    let feeder: Baton
    let batch: Json
    beforeAll(async () => {
      const config = { storage: { path: api.blobDir } }
      // A batch that is cancelled at once needs no provider.
      const { id } = await create(api, { requests: many(3) })
      await call(api, 'POST', `${path}/${id}/cancel`)
      feeder = await openBaton({ level: 'workers', config, prefix: api.prefix, batches: true })
      batch = await until(async () => {
        const { json } = await get(api, `/${id}`)
        return json.processing_status === 'ended' && json
      })
    })
    afterAll(() => feeder.stop())

    const apiKey = { key: 'k', tenant: 'default', role: 'submit' as const }

    /** The same API with other settings, or at another time. */
    const appWith = ({
      server = {},
      laterMs = 0,
    }: {
      server?: object
      laterMs?: number
    }): FastifyInstance => {
      const { config, ...parts } = api.parts
      return createApp({
        ...parts,
        // With a key it answers to every host.
        config: { ...config, server: { ...config.server, ...server }, api_keys: [apiKey] },
        now: () => Date.now() + laterMs,
      })
    }
    const asked = async (app: FastifyInstance, more: string, headers: Record<string, string> = {}) => {
      const origin = await app.listen({ host: '127.0.0.1', port: 0 })
      // Unlike fetch it may name another host.
      const answer = await send(`${origin}${path}/${batch.id}${more}`, {
        headers: { 'x-api-key': apiKey.key, ...headers },
      })
      const text = await answer.body.text()
      await app.close()
      return { statusCode: answer.statusCode, json: () => JSON.parse(text) }
    }

    it('shows all counts at once', () => {
      expect(batch).toMatchObject({
        request_counts: { processing: 0, succeeded: 0, errored: 0, canceled: 3, expired: 0 },
        ended_at: expect.stringMatching(/000Z$/),
        archived_at: null,
        results_url: `${api.url}${path}/${batch.id}/results`,
      })
    })

    it('has a result for each request, also as the content so far', async () => {
      const answer = await fetch(batch.results_url)
      const text = await answer.text()
      expect(answer.headers.get('content-type')).toBe('application/x-jsonl')
      expect(answer.headers.get('content-length')).toBe(String(text.length))
      const lines = text.split('\n')
      expect(lines.pop()).toBe('')
      expect(
        lines.map(line => JSON.parse(line)).sort((a, b) => (a.custom_id < b.custom_id ? -1 : 1)),
      ).toEqual([0, 1, 2].map(i => ({ custom_id: `row-${i}`, result: { type: 'canceled' } })))
      const content = await fetch(`${api.url}${path}/${batch.id}/content`)
      expect(await content.text()).toBe(text)
      const part = await fetch(batch.results_url, { headers: { range: 'bytes=0-9' } })
      expect([part.status, await part.text()]).toEqual([206, text.slice(0, 10)])
      const head = await fetch(batch.results_url, { method: 'HEAD' })
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(text.length)])
    })

    it('names its results where its client reaches the server, and believes no proxy', async () => {
      const urlFor = async (server: object, headers: Record<string, string>): Promise<string> =>
        (await asked(appWith({ server }), '', headers)).json().results_url
      const tail = `${path}/${batch.id}/results`
      const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
      expect(await urlFor({}, { host: 'h.example:81', ...forwarded })).toBe(`http://h.example:81${tail}`)
      const public_url = 'https://llm.example/baton/'
      expect(await urlFor({ public_url }, { host: 'inner:8000' })).toBe(`https://llm.example/baton${tail}`)
    })

    it('is read by the official client behind a proxy of another host and path', async () => {
      let target = ''
      const proxy = createServer((req, res) => {
        // It names its own host to the server, as many do.
        const { host: _, ...headers } = req.headers
        const passed = request(
          target + req.url!.replace('/llm/', '/'),
          { method: req.method, headers },
          answer => answer.pipe(res.writeHead(answer.statusCode!, answer.headers)),
        )
        req.pipe(passed)
      })
      await new Promise<void>(listening => proxy.listen(0, '127.0.0.1', listening))
      const baseURL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/llm`
      const app = appWith({ server: { public_url: baseURL } })
      target = await app.listen({ host: '127.0.0.1', port: 0 })
      const { batches } = new Anthropic({ apiKey: apiKey.key, baseURL }).messages
      expect((await batches.retrieve(batch.id)).results_url).toMatch(baseURL)
      const types: string[] = []
      for await (const { result } of await batches.results(batch.id)) types.push(result.type)
      expect(types).toEqual(['canceled', 'canceled', 'canceled'])
      proxy.close()
      proxy.closeAllConnections()
      await app.close()
    })

    it('stays as it is when it is cancelled', async () => {
      const { status, json } = await call(api, 'POST', `${path}/${batch.id}/cancel`)
      expect([status, json]).toEqual([200, batch])
    })

    it('is archived after 29 days', async () => {
      const later = (more: string, days: number) => asked(appWith({ laterMs: days * dayMs }), more)
      expect((await later('/results', 28.9)).statusCode).toBe(200)
      for (const more of ['/results', '/content']) {
        const answer = await later(more, 29.1)
        expect([answer.statusCode, answer.json().error.type]).toEqual([404, 'not_found_error'])
      }
      const { archived_at, results_url } = (await later('', 29.1)).json()
      expect(Date.parse(archived_at)).toBe(Date.parse(batch.created_at) + 29 * dayMs)
      expect(results_url).toBeNull()
    })

    it('is gone when it is deleted, with its results', async () => {
      const { id } = batch
      const deleted = await call(api, 'DELETE', `${path}/${id}`, { body: {} })
      expect([deleted.status, deleted.json]).toEqual([200, { id, type: 'message_batch_deleted' }])
      for (const more of ['', '/results', '/content'])
        expect((await get(api, `/${id}${more}`)).status).toBe(404)
      expect((await call(api, 'DELETE', `${path}/${id}`)).status).toBe(404)
      expect((await get(api, '')).json.data.map((each: Json) => each.id)).not.toContain(id)
    })
  })
})
