import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../../src/sim/webhook-receiver.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { answers } from '../../support/vendors.ts'
import { key, openReasonsSite, type ReasonsSite, trouble } from '../reasons-site.ts'
import { call, type Json } from '../test-api.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`
let receiver: WebhookReceiver
let blobs: string
beforeAll(async () => {
  blobs = await mkdtemp(join(tmpdir(), 'baton-blocked-'))
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
})
afterAll(async () => {
  await receiver.stop()
  await rm(blobs, { recursive: true, force: true })
})

const open = (more: object = {}): Promise<ReasonsSite> =>
  openReasonsSite({
    batches: true,
    webhooks: true,
    config: { webhooks: { secret, allowed_networks: ['127.0.0.0/8'] }, storage: { path: blobs }, ...more },
  })

const submit = async ({ clients }: ReasonsSite, models: readonly string[]): Promise<string> => {
  const lines = models.map((model, i) => {
    const body = { model, messages: [{ role: 'user', content: 'hi' }] }
    return JSON.stringify({ custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions', body })
  })
  const file = await toFile(Buffer.from(lines.join('\n')), 'in.jsonl')
  const { id } = await clients.openai.files.create({ file, purpose: 'batch' })
  const order = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const webhook = { webhook: { url: receiver.url } }
  return (await clients.openai.batches.create({ ...order, ...webhook } as never)).id
}

const whenBlocked = (site: ReasonsSite, id: string): Promise<Json> =>
  until(async () => {
    const batch = await site.get(`/v1/batches/${id}`)
    return batch.blocked !== null && batch
  })

const noticesOf = (id: string): Json[] =>
  receiver.events.filter(event => (event as Json).type === 'batch.blocked' && (event as Json).data.id === id)

const ten = Array.from({ length: 10 }, () => 'gpt-4')

describe('a batch that waits for a person', () => {
  describe('a batch whose lines wait for a person', () => {
    it.each([
      ['a wrong key', 'bad_credentials', 'Incorrect API key.'],
      ['a misspelt model', 'unknown_model', 'The model `gpt-4` does not exist.'],
      ['an empty account', 'out_of_quota', 'You exceeded your current quota.'],
    ] as const)(
      'says so where there is %s, keeps its status, and tells its webhook once',
      async (what, reason, message) => {
        await using site = await open()
        site.openai.answers(trouble.openai[what])
        const id = await submit(site, ten)
        const batch = await whenBlocked(site, id)
        expect(batch).toMatchObject({
          status: 'in_progress',
          request_counts: { completed: 0, failed: 0, total: 10 },
          blocked: { reason, message, provider: 'openai', model: 'gpt-4', since: expect.any(Number) },
        })
        const [notice] = await until(() => noticesOf(id).length > 0 && noticesOf(id))
        expect(notice).toMatchObject({
          type: 'batch.blocked',
          id: `${id.replace('batch_', 'evt_')}-1`,
          data: { id, object: 'batch', status: 'in_progress', blocked: { reason, message } },
        })
        expect((await site.get('/v1/batches?blocked=true')).data.map((b: Json) => b.id)).toEqual([id])
        const lines = await site.get('/v1/jobs?status=parked')
        expect(lines.data).toHaveLength(10)
        const seen: string[] = []
        for (let cursor = ''; ; ) {
          const page = await site.get(`/v1/jobs?status=parked&limit=3${cursor}`)
          seen.push(...page.data.map((job: Json) => job.id))
          if (!page.has_more) break
          cursor = `&cursor=${page.next_cursor}`
        }
        expect(seen).toEqual(lines.data.map((job: Json) => job.id))
        expect(lines.data[0]).toMatchObject({ status: 'parked', batch_id: id, last_error: { message } })
        await site.clients.openai.batches.cancel(id)
        expect((await site.get(`/v1/batches/${id}`)).blocked).toBeNull()
      },
    )

    it('is as it was after a restart, told of no second time, and goes on once the key is another', async () => {
      const site = await open()
      try {
        site.openai.answers(trouble.openai['a wrong key'])
        const id = await submit(site, ten)
        const { blocked } = await whenBlocked(site, id)
        await until(() => noticesOf(id).length > 0)
        await site.baton.stop()
        const second = await site.again(key)
        try {
          const { redis, keys } = second.context
          await until(async () => (await redis.hget(keys.batch(id), 'lease')) !== null)
          expect((await call({ url: second.url }, 'GET', `/v1/batches/${id}`)).json.blocked).toEqual(blocked)
        } finally {
          await second.stop()
        }

        site.openai.answers(answering(200, answers.chat))
        const third = await site.again('sk-mended-key-0987654321')
        try {
          const ended = await until(async () => {
            const batch = (await call({ url: third.url }, 'GET', `/v1/batches/${id}`)).json
            return batch.status === 'completed' && batch
          })
          expect(ended).toMatchObject({ blocked: null, request_counts: { completed: 10 } })
          expect(noticesOf(id)).toHaveLength(1)
        } finally {
          await third.stop()
        }
      } finally {
        await Promise.all([site.openai.close(), site.claude.close()])
      }
    }, 60_000)

    it('says so while its provider is paused, and no more when that is resumed', async () => {
      await using site = await open()
      const api = { url: site.baton.url }
      await call(api, 'POST', '/v1/providers/openai/pause')
      const id = await submit(site, ten)
      expect((await whenBlocked(site, id)).blocked).toMatchObject({ reason: 'paused', provider: 'openai' })
      await call(api, 'POST', '/v1/providers/openai/resume')
      await until(async () => (await site.get(`/v1/batches/${id}`)).blocked === null)
      await until(async () => (await site.get(`/v1/batches/${id}`)).status === 'completed', 40_000)
    }, 60_000)

    it('is blocked only when none of its lines can go on', async () => {
      await using site = await open()
      site.openai.answers(trouble.openai['a misspelt model'])
      const id = await submit(site, ['gpt-4', 'opus', 'both', 'gpt-4'])
      const batch = await whenBlocked(site, id)
      expect(batch.request_counts).toEqual({ total: 4, completed: 2, failed: 0 })
    })
  })

  it('a message batch says so in its own words', async () => {
    await using site = await open()
    site.claude.answers(trouble.claude['a wrong key'])
    const params = { model: 'opus', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }
    const { id } = await site.clients.anthropic.messages.batches.create({
      requests: [{ custom_id: 'a', params }],
    })
    const batch = await until(async () => {
      const batch = await site.get(`/v1/messages/batches/${id}`)
      return batch.blocked !== null && batch
    })
    expect(batch).toMatchObject({
      processing_status: 'in_progress',
      blocked: {
        reason: 'bad_credentials',
        message: 'invalid x-api-key',
        since: expect.stringMatching(/Z$/),
      },
    })
    expect((await site.get('/v1/messages/batches?blocked=true')).data).toHaveLength(1)
  })

  it('a notice that nobody takes becomes a dead letter that can be sent again', async () => {
    await using site = await open()
    site.openai.answers(trouble.openai['a wrong key'])
    receiver.script({ kind: 'status', status: 410 })
    const id = await submit(site, ['gpt-4'])
    await whenBlocked(site, id)
    const letter = await until(async () => (await site.get('/v1/dead-letters')).data[0])
    expect(letter).toMatchObject({ id: `${id}-1`, batch_id: id, event: 'batch.blocked', reason: 'gone_410' })
    const again = await call({ url: site.baton.url }, 'POST', `/v1/dead-letters/${letter.id}/redeliver`)
    expect(again).toMatchObject({ status: 202, json: { id } })
    await until(() => noticesOf(id).length === 1)
  })
})
