import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { type NameServer, startNameServer } from '../../harness/name-server.ts'
import { until } from '../../harness/until.ts'
import type { JobView } from '../../src/jobs/view.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

const secret = `whsec_${'A'.repeat(32)}`
const names = 40

let provider: SimProvider
let receiver: WebhookReceiver
let server: NameServer
let site: Deployment
let url: string

beforeEach(async () => {
  provider = createSimProvider()
  receiver = createWebhookReceiver({ secret })
  await Promise.all([provider.start(), receiver.start()])
  server = await startNameServer({
    '*.silent.test': 'silent',
    'provider.test': { addresses: ['127.0.0.1'], ttl: 0 },
    'receiver.test': { addresses: ['127.0.0.1'], ttl: 0 },
  })
  site = await openBaton({
    level: 'processes',
    config: {
      redis: testRedis(),
      server: { port: 0 },
      dns: { servers: [server.address] },
      api_keys: [
        { key: 'key-of-loud', tenant: 'loud' },
        { key: 'key-of-quiet', tenant: 'quiet' },
      ],
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
      providers: {
        first: { type: 'openai', base_url: `${named(provider.url, 'provider.test')}/v1`, api_key: 'key' },
      },
      models: { plain: { provider: 'first' } },
    },
  })
  const baton = site.run()
  url = (await baton.logged('api listening')).url as string
  await baton.logged('started')
})
afterEach(async () => {
  await site.close()
  await Promise.all([provider.stop(), receiver.stop(), server[Symbol.asyncDispose]()])
})

const named = (address: string, hostname: string): string =>
  Object.assign(new URL(address), { hostname }).href.replace(/\/$/, '')

const ask = async (tenant: string, path: string, init: RequestInit = {}) =>
  fetch(url + path, { ...init, headers: { authorization: `Bearer key-of-${tenant}`, ...init.headers } })

const submit = async (tenant: string, hook: string): Promise<JobView> => {
  const body = { model: 'plain', messages: [{ role: 'user', content: 'hello' }] }
  const answer = await ask(tenant, '/v1/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ body, webhook: { url: hook } }),
  })
  expect(answer.status).toBe(202)
  return (await answer.json()) as JobView
}
const deliveryOf = async (tenant: string, id: string) =>
  ((await (await ask(tenant, `/v1/jobs/${id}`)).json()) as JobView).webhook!

describe('name servers that are silent', () => {
  it('names that nobody answers for hold up no other client’s calls, files or webhooks', {
    timeout: 120_000,
  }, async () => {
    const loud = await Promise.all(
      Array.from({ length: names }, (_, i) => submit('loud', `https://n${i}.silent.test/hook`)),
    )
    // They are being looked up, by the API and then by the worker; none will be found.
    await until(() => server.asked.filter(name => name.includes('silent')).length >= 16)

    const quiet = await submit('quiet', named(receiver.url, 'receiver.test'))
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new Blob(['{"custom_id":"a"}\n']), 'a.jsonl')
    const upload = await ask('quiet', '/v1/files', { method: 'POST', body: form })
    expect(upload.status).toBe(200)
    await until(async () => (await deliveryOf('quiet', quiet.id)).status === 'delivered')
    expect(receiver.events).toHaveLength(1)

    // A silent name is a failed attempt, in the end, and is tried again.
    const { id } = loud[names - 1]!
    await until(async () => (await deliveryOf('loud', id)).attempts > 0, 60_000)
    expect(await deliveryOf('loud', id)).toMatchObject({ status: 'pending' })
  })
})
