import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chanceOf } from '../../src/domain/routing/strategy.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let primary: SimProvider
let backup: SimProvider
let baton: Baton

beforeAll(async () => {
  primary = createSimProvider()
  backup = createSimProvider()
  await Promise.all([primary.start(), backup.start()])
  baton = await openBaton({ level: 'workers', config: chainConfig() })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([primary.stop(), backup.stop()])
})

const chainConfig = () => ({
  providers: {
    first: {
      type: 'openai',
      base_url: `${primary.url}/v1`,
      api_key: 'key-one',
      breaker: { min_calls: 1000 },
    },
    second: { type: 'anthropic', base_url: backup.url, api_key: 'key-two', breaker: { min_calls: 1000 } },
    third: {
      type: 'openai',
      base_url: `${primary.url}/v1`,
      api_key: 'key-three',
      breaker: { min_calls: 1000 },
      retries: 4,
      backoff: { base: '100ms', cap: '300ms' },
    },
    fourth: {
      type: 'openai',
      base_url: `${primary.url}/v1`,
      api_key: 'key-four',
      breaker: { min_calls: 1000 },
      backoff: { base: '4500ms' },
    },
  },
  models: Object.fromEntries([
    ...scripts.map(model => [model, { provider: 'first', fallback_to: 'claude' }]),
    ['alone', { provider: 'first', upstream_model: 'fail-500x2-then-ok' }],
    ['eyes', { provider: 'first', upstream_model: 'fail-500x2', fallback_to: ['blind', 'claude'] }],
    ['blind', { provider: 'first', capabilities: { vision: false }, fallback_to: 'claude' }],
    ['picky', { ...paid, upstream_model: 'refusal', on_refusal: 'handover', fallback_to: 'paid' }],
    ['paid', { ...paid, provider: 'second' }],
    ['patient', { provider: 'third', upstream_model: 'fail-500x5', fallback_to: 'claude' }],
    ['slowly', { provider: 'fourth', upstream_model: 'fail-500-then-ok', fallback_to: 'claude' }],
    ['claude', { provider: 'second' }],
  ]),
})
/** A dollar for each token. */
const paid = { provider: 'first', price: { input: 1_000_000, output: 1_000_000 } }
const scripts = [
  'gpt-4',
  'fail-429',
  'fail-500x2',
  'fail-500-then-ok',
  'fail-529',
  'reset',
  'truncated',
  'insufficient_quota',
  'fail-400',
  'context-too-long',
  'refusal',
  'unknown-model',
  'throttle-30000ms',
]

/** Submits a job, waits for its end and tells its way as `hop provider verdict`. */
const walked = async (model: string) => {
  const job = await baton.ended(await baton.chat(model, { user: `${model}-${Math.random()}` }))
  return { ...job, walk: job.attempts.map(a => `${a.hop} ${a.provider} ${a.verdict}`) }
}

describe('dispatch along a chain', () => {
  describe('a job on its way along the chain', () => {
    it.each([
      ['gpt-4', 'is answered by the first provider when that is well', ['0 first ok']],
      [
        'fail-500-then-ok',
        'is tried again here after one transient failure',
        ['0 first transient', '0 first ok'],
      ],
      ['fail-500x2', 'is handed over after two', ['0 first transient', '0 first transient', '1 second ok']],
      [
        'reset',
        'is handed over when connections break',
        ['0 first transient', '0 first transient', '1 second ok'],
      ],
      [
        'truncated',
        'is handed over when answers are cut off',
        ['0 first transient', '0 first transient', '1 second ok'],
      ],
      ['fail-429', 'is handed over at once when throttled', ['0 first rate_limited', '1 second ok']],
      ['fail-529', 'is handed over at once when overloaded', ['0 first overloaded', '1 second ok']],
      [
        'context-too-long',
        'is handed over when its prompt is too long here',
        ['0 first too_long', '1 second ok'],
      ],
      ['unknown-model', 'is handed over when the model is missing', ['0 first unknown_model', '1 second ok']],
    ])('%s: %s', async (model, _, walk) => {
      const job = await walked(model)
      expect(job.walk).toEqual(walk)
      expect(job.status).toBe('succeeded')
      expect(JSON.parse(job.response!.body)).toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { role: 'assistant' } }],
      })
    })

    it('ends at once when the provider that speaks its format blames the request', async () => {
      const job = await walked('fail-400')
      expect(job).toMatchObject({
        status: 'failed',
        error: { code: 'upstream_rejected' },
        walk: ['0 first rejected'],
      })
      expect(job.response).toMatchObject({ statusCode: 400 })
    })

    it('succeeds with a flag when the content is refused', async () => {
      const job = await walked('refusal')
      expect(job).toMatchObject({ status: 'succeeded', refused: true, walk: ['0 first refused'] })
    })

    it('tells what each call cost, also one whose answer was not used, and sums them up', async () => {
      const job = await walked('picky')
      const { input_tokens, output_tokens } = job.usage!
      expect(job.walk).toEqual(['0 first refused', '1 second ok'])
      const [refused, used] = job.attempts.map(a => a.cost_usd!)
      expect(used).toBe(input_tokens + output_tokens)
      expect(refused).toBeGreaterThan(0)
      expect(job.costUsd).toBe(refused! + used!)
      expect((await walked('gpt-4')).costUsd).toBeNull()
    })

    it.each([
      ['blind', ['0 second ok']],
      ['eyes', ['0 first transient', '0 first transient', '1 second ok']],
    ])('with an image, along %s, never comes to a model that cannot see it', async (model, walk) => {
      const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } }
      const parsedBody = { model, user: model, messages: [{ role: 'user', content: [image] }] }
      const id = await baton.chat(model, { parsedBody, body: JSON.stringify(parsedBody) })
      const job = await baton.ended(id)
      expect(job.attempts.map(a => `${a.hop} ${a.provider} ${a.verdict}`)).toEqual(walk)
      expect(job.attempts.map(a => a.model)).not.toContain('blind')
    })

    it('parks when nobody else can serve, and resumes by itself', async () => {
      const job = await baton.ended(await baton.chat('alone', { user: `alone-${Math.random()}` }))
      expect(job.status).toBe('succeeded')
      expect(job.attempts.map(a => a.verdict)).toEqual(['transient', 'transient', 'ok'])
      expect(job.hop).toBe(0)
      expect(job.moves).toMatchObject([{ kind: 'parked', provider: 'first', reason: 'backoff' }])
    })

    it('waits between its tries for as long as is drawn for it: up to the base at first, then to the cap', async () => {
      const id = await baton.chat('patient')
      const { attempts, moves } = await baton.ended(id)
      expect(attempts.map(a => `${a.provider} ${a.verdict}`)).toEqual([
        ...Array.from({ length: 5 }, () => 'third transient'),
        'second ok',
      ])
      // Never parked: its waits are short.
      expect(moves).toEqual([])
      for (const [i, longestMs] of [100, 200, 300, 300].entries()) {
        const [last, next] = [attempts[i]!, attempts[i + 1]!]
        const waitedMs = next.started_at * 1_000 - last.started_at * 1_000 - last.duration_ms!
        const drawnMs = longestMs * chanceOf(id)(`third/fail-500x5#${i + 1}`)
        // The length of a call is rounded.
        expect(waitedMs).toBeGreaterThanOrEqual(drawnMs - 3)
      }
    })

    it('parks for a long wait between its tries, and is called there again though another could serve', async () => {
      const id = await idWith(id => chanceOf(id)('fourth/fail-500-then-ok#1') > 0.5, 'slowly')
      const { attempts, moves } = await baton.ended(id)
      expect(attempts.map(a => `${a.hop} ${a.provider} ${a.verdict}`)).toEqual([
        '0 fourth transient',
        '0 fourth ok',
      ])
      expect(moves).toMatchObject([{ kind: 'parked', provider: 'fourth', reason: 'backoff' }])
    })
  })

  /** Of jobs that are submitted, the first whose draw is like that. */
  const idWith = async (test: (id: string) => boolean, model: string): Promise<string> => {
    for (;;) {
      const id = await baton.chat(model, { user: `${model}-${Math.random()}` })
      if (test(id)) return id
    }
  }

  describe('what one job learns about a provider', () => {
    it('keeps the next ones from a throttled target without a call', async () => {
      await walked('throttle-30000ms')
      const before = primary.calls
      const job = await walked('throttle-30000ms')
      expect(job.walk).toEqual(['0 second ok'])
      expect(primary.calls).toEqual(before)
    })

    it('stops a key that has no money left, for all models, and serves from elsewhere', async () => {
      const job = await walked('insufficient_quota')
      expect(job.walk).toEqual(['0 first out_of_quota', '1 second ok'])
      const next = await walked('gpt-4')
      expect(next.walk).toEqual(['0 second ok'])
      expect(baton.context.cooldowns.current()).toContainEqual(
        expect.objectContaining({
          state: 'stopped',
          reason: 'insufficient_quota',
          scope: expect.stringMatching(/^key:first#/),
        }),
      )
    })
  })
})
