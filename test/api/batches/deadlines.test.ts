import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../../src/sim/webhook-receiver.ts'
import { openReasonsSite, type ReasonsSite } from '../reasons-site.ts'
import type { Json } from '../test-api.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`
let receiver: WebhookReceiver
let blobs: string
beforeAll(async () => {
  blobs = await mkdtemp(join(tmpdir(), 'baton-deadlines-'))
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
})
afterAll(async () => {
  await receiver.stop()
  await rm(blobs, { recursive: true, force: true })
})

/** Sixty calls a minute with each key. */
const open = (batches: object = {}): Promise<ReasonsSite> =>
  openReasonsSite(
    {
      batches: true,
      webhooks: true,
      config: {
        webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
        storage: { path: blobs },
        batches,
      },
    },
    { limits: { rpm: 60 } },
  )

const bodies = (count: number): readonly object[] =>
  Array.from({ length: count }, () => ({ model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }))

const submit = async ({ clients }: ReasonsSite, lines: number, window: string): Promise<string> => {
  const texts = bodies(lines).map((body, i) =>
    JSON.stringify({ custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions', body }),
  )
  const file = await toFile(Buffer.from(texts.join('\n')), 'in.jsonl')
  const { id } = await clients.openai.files.create({ file, purpose: 'batch' })
  const order = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: window }
  return (await clients.openai.batches.create({ ...order, webhook: { url: receiver.url } } as never)).id
}

const messageBatch = ({ clients }: ReasonsSite, lines: number, window: string) =>
  clients.anthropic.messages.batches.create({
    requests: Array.from({ length: lines }, (_, i) => ({
      custom_id: `line-${i}`,
      params: { model: 'opus', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] },
    })),
    ...{ completion_window: window },
  })

describe('a batch that is too large for its window', () => {
  it('says so once it is validated, and tells its webhook', async () => {
    await using site = await open()
    const id = await submit(site, 600, '2m')
    const batch: Json = await until(async () => {
      const found = await site.get(`/v1/batches/${id}`)
      return found.warning !== null && found
    })
    expect(batch).toMatchObject({ status: 'in_progress', warning: { code: 'deadline_at_risk' } })
    // 600 lines, one a second.
    const wanted = batch.created_at + 600
    expect(Math.abs(batch.estimated_completion_at - wanted)).toBeLessThan(60)
    expect(batch.warning.message).toContain('after its window has passed')
    const event = await until(() => receiver.events.find(each => (each as Json).data.id === id))
    expect(event).toMatchObject({
      type: 'batch.at_risk',
      data: { id, object: 'batch', warning: { code: 'deadline_at_risk' } },
    })
    await site.clients.openai.batches.cancel(id)
  })

  it('of the other kind of client says so as well', async () => {
    await using site = await open()
    const { id } = await messageBatch(site, 600, '2m')
    const batch = await until(async () => {
      const found = await site.get(`/v1/messages/batches/${id}`)
      return found.warning !== null && found
    })
    expect(batch.warning).toMatchObject({ code: 'deadline_at_risk' })
    expect(Date.parse(batch.estimated_completion_at)).toBeGreaterThan(Date.parse(batch.expires_at))
    await site.clients.anthropic.messages.batches.cancel(id)
  })

  it('is refused where the config is strict', async () => {
    await using site = await open({ admission: 'strict' })
    const id = await submit(site, 600, '2m')
    const batch = await until(async () => {
      const found = await site.get(`/v1/batches/${id}`)
      return found.status === 'failed' && found
    })
    expect(batch.errors.data).toMatchObject([{ code: 'deadline_unreachable', line: null }])
    expect(batch.request_counts.completed).toBe(0)
    await expect(messageBatch(site, 600, '2m')).rejects.toMatchObject({
      status: 400,
      error: { error: { message: expect.stringContaining('after its window has passed') } },
    })
  })

  it('has no warning with time enough, also where the config is strict', async () => {
    await using site = await open({ admission: 'strict' })
    const id = await submit(site, 600, '1h')
    const batch = await until(async () => {
      const found = await site.get(`/v1/batches/${id}`)
      return found.estimated_completion_at !== null && found
    })
    expect(batch).toMatchObject({ status: 'in_progress', warning: null })
    await site.clients.openai.batches.cancel(id)
  })
})
