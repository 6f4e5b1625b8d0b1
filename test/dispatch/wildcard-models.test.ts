import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

/** What models answer that are not well. */
let answers: Map<string, number>
let upstream: Server
let baton: BatonApi

beforeEach(async () => {
  answers = new Map()
  upstream = createServer(async (request, response) => {
    const { model } = (await json(request)) as { model: string }
    const status = answers.get(model) ?? (model.startsWith('made-up') ? 404 : 200)
    const headers = status === 429 ? { 'retry-after': '600' } : {}
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    const message = { role: 'assistant', content: model }
    const error = { code: status === 404 ? 'model_not_found' : 'x', message: 'not now', type: 'x' }
    const body =
      status === 200 ? { id: 'x', model, choices: [{ index: 0, message, finish_reason: 'stop' }] } : { error }
    response.end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  const at = { type: 'openai', base_url: `http://127.0.0.1:${port}/v1`, api_key: 'k', retries: 0 }
  // An answer of another model speaks for the provider as long as the window is: longer than this process may stand still.
  const first = { ...at, breaker: { min_calls: 4, reset: '60s', max_reset: '60s', window: '30s' } }
  baton = await openBaton({
    level: 'api',
    config: {
      providers: { first, second: { ...at, base_url: `http://127.0.0.1:${port}/v1` } },
      models: { '*': { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    },
  })
})
afterEach(async () => {
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const circuit = (name: string) => baton.context.circuits.of(name).state
const ask = async (...models: readonly string[]) => {
  const ids = await Promise.all(models.map(model => baton.chat(model)))
  const jobs = await Promise.all(ids.map(baton.ended))
  return jobs.map(job => job.attempts.at(-1)!.provider)
}
const scopes = (): string[] => baton.context.cooldowns.current().map(({ scope }) => scope)
const has = (model: string): boolean => baton.context.answeredModels.has('first', model)

describe('models behind one wildcard', () => {
  it.each([
    ['were answered before', true],
    ['were never answered', false],
  ])('one that throttles is left alone, and the others are not, where they %s', async (_, wereAnswered) => {
    if (wereAnswered) expect(await ask('a', 'b')).toEqual(['first', 'first'])
    answers.set('a', 429)
    expect(await ask('a')).toEqual(['second'])
    expect(scopes()).toEqual(['target:first/a'])
    expect(await ask('b', 'a', 'b', 'c')).toEqual(['first', 'second', 'first', 'first'])
  })

  it('one that the provider no longer has stops nothing, and its own jobs go elsewhere', async () => {
    expect(await ask('a', 'b')).toEqual(['first', 'first'])
    answers.set('a', 404)
    expect(await ask('a', 'b', 'a', 'b')).toEqual(['second', 'first', 'second', 'first'])
    expect(scopes()).toEqual([])
  })

  it('one that fails has a circuit of its own, from its first answer on', async () => {
    expect(await ask('a', 'b')).toEqual(['first', 'first'])
    answers.set('a', 503)
    await until(async () => {
      await ask('a', 'a', 'a', 'b')
      return circuit('first/a') === 'down'
    })
    expect([circuit('first'), circuit('first/b'), circuit('first/*')]).toEqual([
      'healthy',
      'healthy',
      'healthy',
    ])
    const { attempts } = await baton.ended(await baton.chat('a'))
    expect(attempts.map(({ provider }) => provider)).toEqual(['second'])
    expect(await ask('b', 'c')).toEqual(['first', 'first'])
    const text = await (await fetch(`${baton.url}/v1/providers`)).text()
    expect(text).toContain('target:first/a')
  })

  it('that clients make up leave nothing behind, and are told apart from what was answered', async () => {
    expect(await ask('a')).toEqual(['first'])
    const names = Array.from({ length: 120 }, (_, i) => `made-up-${i}`)
    await ask(...names)
    expect(names.filter(has)).toEqual([])
    expect(has('a')).toBe(true)
    const { redis, config } = baton.context
    const { prefix } = config.redis
    const kept = await Promise.all([
      redis.hkeys(`${prefix}:{health}:circuits`),
      redis.hkeys(`${prefix}:{health}:windows`),
      redis.hkeys(`${prefix}:{health}:board`),
      redis.smembers(`${prefix}:{limits}:names`),
    ])
    expect(kept.flat().filter(name => name.includes('made-up'))).toEqual([])
    const metrics = await (await fetch(`${baton.url}/metrics`)).text()
    expect(metrics).not.toContain('made-up')
  })
})
