import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBatchWork } from '../../../src/batches/work.ts'
import { createKeys, newBatchId } from '../../../src/redis/keys.ts'
import { createScriptRunner } from '../../../src/redis/scripts.ts'
import { createDeliveries } from '../../../src/webhooks/deliveries.ts'
import { call, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const hook = { url: 'https://hooks.example/batches', secret: `whsec_${'A'.repeat(32)}` }

/** A batch whose input was wrong and whose webhook was given up. */
const deadBatch = async (
  dialect: 'openai' | 'anthropic',
  tenant = 'default',
  { redis, prefix, parts } = api,
): Promise<string> => {
  const options = { redis, run: createScriptRunner(redis), keys: createKeys(prefix), now: Date.now }
  const createdAtMs = Date.now()
  const id = newBatchId(dialect, 3, createdAtMs)
  await parts.batches.create({
    ...{ id, tenant, dialect, endpoint: '/v1/chat/completions', inputFileId: null, input: [], webhook: hook },
    ...{
      completionWindow: '24h',
      createdAtMs,
      expiresAtMs: createdAtMs + 60_000,
      total: null,
      metadata: null,
    },
    ...{
      outputExpiresAfterMs: null,
      apiVersion: null,
      retryOf: null,
      maxCostUsd: null,
      fingerprint: id,
      replay: false,
    },
  })
  const work = createBatchWork({ ...options, retentionMs: 60_000 })
  const lease = { id, token: 't' }
  await work.take(lease, Date.now() + 60_000)
  const fault = { code: 'empty_file', message: 'no lines', param: null, line: null }
  await work.end(lease, (await work.read(id))!, { output: null, error: null }, [fault])
  const times = { retentionMs: 60_000, deadLetterRetentionMs: 60_000 }
  const deliveries = createDeliveries({ ...options, ...times, leaseMs: 15_000, recordOf: options.keys.batch })
  await deliveries.recordDelivery(id, 0, { status: 'dead', reason: 'timeout' })
  return id
}

const letters = async () => (await call(api, 'GET', '/v1/dead-letters')).json.data
const redeliver = (id: string) => call(api, 'POST', `/v1/dead-letters/${id}/redeliver`)

describe('dead letters of batches', () => {
  it("a batch's webhook that was given up is listed, and can be sent again", async () => {
    const id = await deadBatch('openai')
    const letter = { died_at: expect.any(Number), webhook: { url: hook.url }, attempts: 1, reason: 'timeout' }
    expect(await letters()).toEqual([{ id, batch_id: id, ...letter }])
    const answer = await redeliver(id)
    expect([answer.status, answer.json.id, answer.json.webhook.status]).toEqual([202, id, 'pending'])
    expect(answer.headers.get('location')).toBe(`/v1/batches/${id}`)
    expect(await letters()).toEqual([])
    expect((await redeliver(id)).json.error.code).toBe('delivery_not_found')
  })

  it('a message batch is shown as its own clients know it', async () => {
    const id = await deadBatch('anthropic')
    const answer = await redeliver(id)
    expect([answer.status, answer.json.type]).toEqual([202, 'message_batch'])
    expect(answer.headers.get('location')).toBe(`/v1/messages/batches/${id}`)
  })

  it("another tenant's is not listed, and sent by operators alone", async () => {
    const api_keys = [
      { key: 'k-a', tenant: 'a' },
      { key: 'k-ops', role: 'operator' },
    ]
    await using own = await openTestApi({ config: { api_keys } })
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
    const id = await deadBatch('openai', 'other', own)
    for (const key of ['k-a', 'k-ops'])
      expect((await call(own, 'GET', '/v1/dead-letters', as(key))).json.data).toEqual([])
    const path = `/v1/dead-letters/${id}/redeliver`
    expect((await call(own, 'POST', path, as('k-a'))).json.error.code).toBe('delivery_not_found')
    expect((await call(own, 'POST', path, as('k-ops'))).json).toMatchObject({ id })
  })
})
