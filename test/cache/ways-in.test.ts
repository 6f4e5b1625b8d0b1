import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BatchView } from '../../src/batches/view.ts'
import { type BatchApi, desk, openBatchApi } from '../api/batch-deployment.ts'
import { call, chat } from '../api/test-api.ts'

let api: BatchApi
let client: OpenAI

beforeAll(async () => {
  const config = {
    models: { 'gpt-4': { provider: 'first', price: { input: 1, output: 2 }, cache: { ttl: '1h' } } },
  }
  api = await openBatchApi({ config })
  client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'right' })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer right' }

describe('cached answers at every endpoint', () => {
  it('a call is made once though the client that asked first disconnects', async () => {
    api.sim.reset()
    api.sim.script({ latency: { kind: 'fixed', ms: 1_000 } })
    const ask = (signal?: AbortSignal) =>
      fetch(`${api.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(chat('first come')),
        ...(signal && { signal }),
      })
    const leaving = new AbortController()
    const first = ask(leaving.signal).catch((error: Error) => error.name)
    await until(() => api.sim.calls.inFlight === 1)
    const second = ask()
    const withStatus = async (status: string): Promise<number> =>
      (await call(api, 'GET', `/v1/jobs?status=${status}`, { headers })).json.data.length
    await until(async () => (await withStatus('parked')) === 1)
    leaving.abort()
    expect(await first).toBe('AbortError')
    await until(async () => (await withStatus('cancelled')) === 1)
    expect(api.sim.calls.inFlight).toBe(1)
    expect((await second).headers.get('x-baton-cache')).toBe('hit')
    expect(api.sim.calls.outcomes).toEqual({ ok: 1 })
    api.sim.script({})
  })

  describe('a request that was answered before', () => {
    it('says so at the doors, and on the job', async () => {
      api.sim.reset()
      const ask = () => call(api, 'POST', '/v1/chat/completions', { body: chat('at the door'), headers })
      const [first, second] = [await ask(), await ask()]
      expect(api.sim.calls.calls).toBe(1)
      expect(second.text).toBe(first.text)
      expect(first.headers.get('x-baton-cache')).toBeNull()
      expect(Object.fromEntries(second.headers)).toMatchObject({
        'x-baton-cache': 'hit',
        'x-baton-provider': 'first',
        'x-baton-attempts': '0',
      })
      const job = await call(api, 'GET', `/v1/jobs/${second.headers.get('x-baton-job-id')}`, { headers })
      expect(job.json).toMatchObject({ status: 'succeeded', cache: 'hit', cost_usd: 0, attempts: [] })
    })

    it('is answered under another idempotency key, and a repeated key finds its job', async () => {
      api.sim.reset()
      const submit = (key: string) =>
        call(api, 'POST', '/v1/jobs', {
          body: { body: chat('keys') },
          headers: { ...headers, 'idempotency-key': key },
        })
      const ended = ({ json }: { json: { id: string } }) => api.baton.ended(json.id)
      const first = await ended(await submit('cache-one'))
      const second = await ended(await submit('cache-two'))
      const again = await ended(await submit('cache-two'))
      expect(api.sim.calls.calls).toBe(1)
      expect([first.cachedFrom, second.cachedFrom?.provider]).toEqual([null, 'first'])
      expect(again.id).toBe(second.id)
    })

    it('is a line of a batch like any other', async () => {
      api.sim.reset()
      const { submit, ended, output } = desk(client)
      const line = (i: number) =>
        JSON.stringify({
          custom_id: `c${i}`,
          method: 'POST',
          url: '/v1/chat/completions',
          body: chat(`line ${i % 2}`),
        })
      const batch = await ended((await submit(Array.from({ length: 20 }, (_, i) => line(i)).join('\n'))).id)
      const lines = await output(batch)
      expect(batch.request_counts).toEqual({ total: 20, completed: 20, failed: 0 })
      expect(api.sim.calls.calls).toBe(2)
      expect(new Set(lines.map(each => each.response!.body.choices[0].message.content))).toEqual(
        new Set(['echo: line 0', 'echo: line 1']),
      )
      const { providers, cost_usd } = batch as unknown as BatchView
      expect(providers).toEqual({ first: 20 })
      expect(cost_usd).toBeGreaterThan(0)
      expect(cost_usd).toBeLessThan(0.001)
    })
  })
})
