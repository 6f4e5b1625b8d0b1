import { randomBytes } from 'node:crypto'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { explainText } from '../../src/cli/explain-text.ts'
import { jobView } from '../../src/jobs/view.ts'
import { createWebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { desk } from '../api/batch-deployment.ts'
import { call } from '../api/test-api.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { answers, openVendor, unavailable, type Vendor } from '../support/vendors.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`

let gpt: Vendor
let claude: Vendor
let baton: BatonApi
let api: { readonly url: string }

beforeAll(async () => {
  gpt = await openVendor(answering(200, answers.chat))
  claude = await openVendor(answering(200, answers.message))
  const common = {
    api_key: 'k',
    retries: 0,
    breaker: { min_calls: 10_000 },
    backoff: { base: '50ms', cap: '100ms' },
  }
  // Far beyond what is soon.
  const late = { ...common, backoff: { base: '10h', cap: '10h' } }
  baton = await openBaton({
    level: 'api',
    batches: true,
    webhooks: true,
    config: {
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
      providers: {
        gpt: { ...common, type: 'openai', base_url: `${gpt.url}/v1` },
        'gpt-late': { ...late, type: 'openai', base_url: `${gpt.url}/v1` },
        claude: { ...common, type: 'anthropic', base_url: claude.url },
      },
      models: {
        claude: { provider: 'claude' },
        soon: { provider: 'gpt', fallback_to: 'claude' },
        late: { provider: 'gpt-late', fallback_to: 'claude', cache: {} },
        never: { provider: 'gpt-late', fallback_to: 'claude', adjust: 'never' },
        'never-alone': { provider: 'claude', adjust: 'never' },
        first: { provider: 'claude', fallback_to: 'gpt' },
        always: { provider: 'claude', fallback_to: 'gpt', adjust: 'always' },
        gpt: { provider: 'gpt' },
        mirrored: { provider: 'gpt', mirror: { to: 'claude', sample: 1 } },
        'mirrored-always': { provider: 'gpt', mirror: { to: 'claude', sample: 1 }, adjust: 'always' },
      },
    },
  })
  api = { url: baton.url }
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([gpt.close(), claude.close()])
})
beforeEach(() => {
  gpt.answers(answering(200, answers.chat))
  for (const vendor of [gpt, claude]) vendor.forget()
})

const chat = (model: string, more: object = { seed: 7 }) => ({
  model,
  messages: [{ role: 'user', content: 'hi' }],
  ...more,
})
const ask = (model: string, more?: object, headers: Record<string, string> = {}) =>
  call(api, 'POST', '/v1/chat/completions', { body: chat(model, more), headers })
const jobOf = async (answer: { readonly headers: Headers }) =>
  (await call(api, 'GET', `/v1/jobs/${answer.headers.get('x-baton-job-id')}`)).json
const withoutSeed = [{ field: 'seed', action: 'left_out' }]

describe('a target that cannot be given what only steers', () => {
  it('answers without it where the one before is away, and the job says so', async () => {
    gpt.answers(unavailable)
    const answer = await ask('late')
    expect([answer.status, answer.json.choices[0].message.content]).toEqual([200, 'ho'])
    expect(answer.headers.get('x-baton-adjusted')).toBe('seed')
    expect(JSON.parse(claude.arrivals[0]!.text)).not.toHaveProperty('seed')
    const job = await jobOf(answer)
    expect(job.adjusted).toEqual([{ ...withoutSeed[0], target: 'claude/claude' }])
    expect(job.attempts.map((each: { adjusted?: object }) => each.adjusted)).toEqual([undefined, withoutSeed])
    const { steps } = explainText(job, null, Date.now())
    expect(steps.map(({ text }) => text).join('\n')).toContain('asked claude/claude (without seed): 200')
  })

  it('is not what the cache answers with', async () => {
    gpt.answers(unavailable)
    const more = { seed: 1, user: 'once' }
    expect((await ask('late', more)).headers.get('x-baton-adjusted')).toBe('seed')
    gpt.answers(answering(200, answers.chat))
    const exact = await ask('late', more)
    expect([exact.headers.get('x-baton-cache'), exact.headers.get('x-baton-adjusted')]).toEqual([null, null])
    expect(exact.headers.get('x-baton-provider')).toBe('gpt-late')
    const isHit = async () => (await ask('late', more)).headers.get('x-baton-cache') === 'hit'
    await until(isHit)
  })

  it('waits its turn while the one before is back soon', async () => {
    let calls = 0
    gpt.answers((request, response) =>
      (++calls === 1 ? unavailable : answering(200, answers.chat))(request, response),
    )
    const answer = await ask('soon')
    expect([answer.headers.get('x-baton-provider'), calls]).toEqual(['gpt', 2])
    expect(answer.headers.get('x-baton-adjusted')).toBeNull()
    expect(claude.arrivals).toEqual([])
  })

  it('comes behind all that take the request as it is, whatever the order of the chain', async () => {
    expect((await ask('first')).headers.get('x-baton-provider')).toBe('gpt')
    expect((await ask('first', {})).headers.get('x-baton-provider')).toBe('claude')
  })

  it('keeps its place where the route says always', async () => {
    const answer = await ask('always')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-baton-provider': 'claude',
      'x-baton-adjusted': 'seed',
    })
  })

  it('is asked at once where there is no other', async () => {
    const answer = await ask('claude', { seed: 1, frequency_penalty: 0.5 })
    expect(answer.headers.get('x-baton-adjusted')!.split(', ').sort()).toEqual(['frequency_penalty', 'seed'])
    expect((await jobOf(answer)).attempts).toHaveLength(1)
  })

  it('is left out where the route says never, and the job names the field', async () => {
    gpt.answers(unavailable)
    const { json } = await call(api, 'POST', '/v1/jobs', { body: { body: chat('never') } })
    const parked = await until(async () => {
      const record = await baton.context.store.read(json.id)
      return record?.status === 'parked' ? jobView(record) : null
    })
    expect(claude.arrivals).toEqual([])
    expect(parked.moves).toContainEqual(
      expect.objectContaining({
        ...{ kind: 'skipped', provider: 'claude', reason: 'cannot_carry', fields: ['seed'] },
      }),
    )
    const { steps } = explainText(parked, null, Date.now())
    expect(steps.map(({ text }) => text)).toContain('left out claude/claude: it cannot be given seed')
    const refused = await ask('never-alone')
    expect([refused.status, refused.json.error.code, refused.json.error.param]).toEqual([
      400,
      'unsupported_parameter',
      'seed',
    ])
  })

  it('is no mirror, unless the route says always', async () => {
    await ask('mirrored-always')
    await until(() => claude.arrivals.length === 1)
    claude.forget()
    await ask('mirrored')
    await ask('mirrored', {})
    // Samples are made in the order of the ends: one of the first request would have come before that of the second.
    await until(() => claude.arrivals.length > 0)
    expect(claude.arrivals.map(({ text }) => JSON.parse(text).messages.length)).toEqual([1])
  })

  it('is named in the webhook of the job that it answered', async () => {
    const receiver = createWebhookReceiver({ secret })
    await receiver.start()
    try {
      const body = { body: chat('claude'), webhook: { url: `${receiver.url}/` } }
      await call(api, 'POST', '/v1/jobs', { body })
      const [event] = await until(() => receiver.events.length > 0 && receiver.events)
      expect(event).toMatchObject({
        type: 'job.succeeded',
        data: { adjusted: [{ ...withoutSeed[0], target: 'claude/claude' }] },
      })
    } finally {
      await receiver.stop()
    }
  })

  it('is named in the line of a batch that it answered', async () => {
    gpt.answers(unavailable)
    const client = new OpenAI({ apiKey: 'k', baseURL: `${api.url}/v1`, maxRetries: 0 })
    const { submit, ended, output } = desk(client)
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat('late') }
    const plain = { ...line, custom_id: 'b', body: chat('claude', {}) }
    const batch = await ended((await submit(`${JSON.stringify(line)}\n${JSON.stringify(plain)}\n`)).id)
    const lines = (await output(batch)) as unknown as { custom_id: string; adjusted?: object }[]
    const byId = new Map(lines.map(each => [each.custom_id, each.adjusted]))
    expect(byId.get('a')).toEqual([{ ...withoutSeed[0], target: 'claude/claude' }])
    expect(byId.get('b')).toBeUndefined()
  })
})

describe('betas of a vendor that is not there', () => {
  const message = (model: string) => ({ model, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
  const askWith = (model: string, betas: string) =>
    call(api, 'POST', '/v1/messages', { body: message(model), headers: { 'anthropic-beta': betas } })

  it('are a last resort to do without, and are named', async () => {
    const near = await askWith('first', 'context-1m-2025-08-07')
    expect([near.headers.get('x-baton-provider'), near.headers.get('x-baton-adjusted')]).toEqual([
      'claude',
      null,
    ])
    const far = await askWith('gpt', 'context-1m-2025-08-07')
    expect([far.status, far.headers.get('x-baton-adjusted')]).toEqual([200, 'anthropic-beta'])
    expect(gpt.arrivals[0]!.headers).not.toHaveProperty('anthropic-beta')
  })

  it('say nothing of it where they say nothing of the answer', async () => {
    const answer = await askWith('gpt', 'prompt-caching-2024-07-31,fine-grained-tool-streaming-2025-05-14')
    expect([answer.status, answer.headers.get('x-baton-adjusted')]).toEqual([200, null])
  })
})
