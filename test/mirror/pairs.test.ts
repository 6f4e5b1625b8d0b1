import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { call, type Json } from '../api/test-api.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let longer: SimProvider
let baton: BatonApi
const logged: string[] = []

const price = { input: 1, output: 2 }

beforeAll(async () => {
  first = createSimProvider()
  second = createSimProvider()
  longer = createSimProvider({ answerBytes: 40_000 })
  await Promise.all([first.start(), second.start(), longer.start()])
  const common = { api_key: 'k', breaker: { min_calls: 100_000 }, retries: 0 }
  const other = { to: 'longer/claude', sample: 1, keep_pairs: 3 }
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, ...common },
      second: { type: 'openai', base_url: `${second.url}/v1`, ...common },
      longer: { type: 'anthropic', base_url: longer.url, ...common },
    },
    models: {
      kept: { provider: 'first', price, mirror: other },
      'team/beside': { provider: 'first', price, mirror: { ...other, parallel: true } },
      busy: { provider: 'first', mirror: other },
      alike: { provider: 'first', mirror: { to: 'second/gpt', sample: 1, keep_pairs: 3 } },
      unkept: { provider: 'first', mirror: { to: 'longer/claude', sample: 1 } },
      failing: { provider: 'first', mirror: { to: 'second/fail-400', sample: 1, keep_pairs: 3 } },
      shared: { provider: 'first', mirror: other },
      plain: { provider: 'first' },
    },
    api_keys: [
      { key: 'right', tenant: 'default', role: 'operator' },
      { key: 'theirs', tenant: 'them', role: 'operator' },
    ],
  }
  baton = await openBaton({ level: 'api', config, graceMs: 100, logTo: { write: line => logged.push(line) } })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.stop(), second.stop(), longer.stop()])
})

const get = (path: string, key = 'right') =>
  call({ url: baton.url }, 'GET', path, { headers: { authorization: `Bearer ${key}` } })
const pairsOf = async (route: string, key?: string): Promise<Json[]> =>
  (await get(`/v1/mirrors/${encodeURIComponent(route)}/pairs`, key)).json.data
const compared = (route: string, count: number, name = 'compared'): Promise<unknown> =>
  until(async () => {
    const { json } = await get('/v1/mirrors')
    return json.data.find((mirror: Json) => mirror.route === route)[name] === count
  })
const pairOf = (route: string, jobId: string): Promise<Json> =>
  until(async () => (await pairsOf(route)).find(pair => pair.job_id === jobId))
const answered = async (route: string, more: object = {}) =>
  baton.ended(await baton.chat(route, { prompt: 'a secret question', ...more }))

describe('pairs of mirrored answers', () => {
  it.each(['kept', 'team/beside'])('%s: both answers of the last pairs can be read', async route => {
    const job = await answered(route)
    const pair = await pairOf(route, job.id)
    expect(pair).toMatchObject({
      ...{ job_id: job.id, route, endpoint: '/v1/chat/completions', at: expect.any(Number) },
      original: {
        ...{ provider: 'first', model: route, status_code: 200, latency_ms: expect.any(Number) },
        ...{ cost_usd: job.costUsd, answer: { object: 'chat.completion' }, cut: false },
      },
      mirror: { provider: 'longer', model: 'claude', status_code: 200, cost_usd: null, cut: true },
    })
    expect(pair.original.answer).toEqual(JSON.parse(job.response!.body))
    // What is longer than 16 kB is a text, no JSON.
    expect(pair.mirror.answer).toMatch(/^\{"/)
    expect(Buffer.byteLength(pair.mirror.answer)).toBe(16 * 1024)
  })

  it('the newest come first, and older ones go', async () => {
    const ids: string[] = []
    for (let i = 1; i <= 5; i += 1) {
      ids.unshift((await answered('busy', { prompt: `again ${i}` })).id)
      await compared('busy', i)
    }
    const pairs = await pairsOf('busy')
    expect(pairs.map(pair => pair.job_id)).toEqual(ids.slice(0, 3))
  })

  it('answers that agree are not kept, nor those without a counterpart', async () => {
    await Promise.all([answered('alike'), answered('failing')])
    await Promise.all([compared('alike', 1), compared('failing', 1, 'failed')])
    expect(await pairsOf('alike')).toEqual([])
    expect(await pairsOf('failing')).toEqual([])
  })

  it('without the setting nothing of an answer is kept', async () => {
    await answered('unkept')
    await compared('unkept', 1)
    const { json } = await get('/v1/mirrors')
    expect(json.data.map((mirror: Json) => [mirror.route, mirror.keep_pairs])).toContainEqual(['unkept', 0])
    expect(await pairsOf('unkept')).toEqual([])
    const records = await baton.context.redis.keys(`${baton.prefix}:*:j:mirror_*`)
    const fields = await Promise.all(records.map(key => baton.context.redis.hgetall(key)))
    const own = fields.filter(({ spec }) => spec!.endsWith(' unkept'))
    expect(own).toHaveLength(1)
    expect(Object.keys(JSON.parse(own[0]!.original!))).toEqual(['likeness', 'latencyMs', 'costUsd'])
  })

  it('a tenant reads the answers of its own jobs alone', async () => {
    const [mine, theirs] = [await answered('shared'), await answered('shared', { tenant: 'them' })]
    await compared('shared', 2)
    expect((await pairsOf('shared')).map(pair => pair.job_id)).toEqual([mine.id])
    expect((await pairsOf('shared', 'theirs')).map(pair => pair.job_id)).toEqual([theirs.id])
  })

  it.each(['plain', 'nowhere'])('%s, which has no mirror, is said to have none', async route => {
    const { status, json } = await get(`/v1/mirrors/${route}/pairs`)
    expect([status, json.error.code, json.error.param]).toEqual([404, 'mirror_not_found', 'route'])
  })

  it('no answer is in the log', async () => {
    const { id } = await answered('kept', { prompt: 'quetzalcoatlus' })
    const { original } = await pairOf('kept', id)
    expect(original.answer.choices[0].message.content).toContain('quetzalcoatlus')
    expect(logged.join('\n')).not.toContain('quetzalcoatlus')
  })
})
