import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

/** Models whose calls are taken and not answered, and those calls, oldest first. */
let hangs: Set<string>
let held: { readonly model: string; readonly response: ServerResponse }[]
let calls: Record<string, number>
let upstream: Server
let baton: Baton
let endStream: () => Promise<readonly string[]>

const answer = (response: ServerResponse): void => {
  const message = { role: 'assistant', content: 'hello' }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ id: 'x', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
}

beforeEach(async () => {
  hangs = new Set()
  held = []
  calls = {}
  endStream = async () => []
  upstream = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ object: 'list', data: [] }))
    }
    const { model } = (await json(request)) as { model: string }
    calls[model] = (calls[model] ?? 0) + 1
    if (hangs.has(model)) held.push({ model, response })
    else setTimeout(answer, 20, response)
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  release()
  await endStream()
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const release = (): void => {
  hangs.clear()
  for (const { response } of held.splice(0)) answer(response)
}

const open = async (settings: object, models: object): Promise<void> => {
  const { port } = upstream.address() as AddressInfo
  const common = { type: 'openai', base_url: `http://127.0.0.1:${port}/v1`, api_key: 'k', retries: 0 }
  baton = await openBaton({
    level: 'workers',
    config: { providers: { first: { ...common, ...settings }, second: common }, models },
  })
}
const chain = { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } }

const stream = (perSecond: number, ...models: string[]): void => {
  const submissions: Promise<string>[] = []
  const timer = setInterval(() => {
    const model = models[submissions.length % models.length]!
    submissions.push(baton.chat(model, { user: `u${submissions.length}` }))
  }, 1_000 / perSecond)
  endStream = () => {
    clearInterval(timer)
    endStream = async () => []
    return Promise.all(submissions)
  }
}
const stateOf = (name: string) => baton.context.circuits.of(name).state
const states = async () =>
  (await baton.context.circuitStore.events('first')).map(({ state }) => state).toReversed()
const allSucceed = async (): Promise<void> => {
  const jobs = await Promise.all((await endStream()).map(baton.ended))
  expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
}

describe('a provider whose calls hang', () => {
  it('gets no new calls while its calls hang, and those that hang are not cut; one answer brings it back', async () => {
    await open({}, chain)
    stream(20, 'chain')
    await until(() => calls.chain! > 40)
    hangs.add('chain')
    await until(() => stateOf('first') === 'slow' || stateOf('first') === 'probing')
    const [spared, made] = [calls.spare ?? 0, calls.chain!]
    await until(() => (calls.spare ?? 0) > spared + 40)
    expect(calls.chain! - made).toBeLessThanOrEqual(2) // the one that probes, and one on its way when it was left
    expect(held.every(({ response }) => !response.destroyed)).toBe(true)
    expect(held.length).toBeGreaterThanOrEqual(3)

    hangs.clear()
    answer(held.shift()!.response)
    await until(() => stateOf('first') === 'healthy')
    const before = calls.chain!
    await until(() => calls.chain! > before + 10)
    release()
    expect(await states()).toEqual(['slow', 'probing', 'healthy'])
    await allSucceed()
  }, 40_000)

  it('comes back in steps when a check answers while its calls still hang, and is left for longer when they hang again', async () => {
    await open(
      {
        concurrency: 50,
        health_check: { kind: 'models', interval: '60s' },
        breaker: { reset: '1500ms' },
        recovery: { ramp: '60s', step_interval: '30s', first_share: 0.1 },
      },
      chain,
    )
    stream(40, 'chain')
    await until(() => calls.chain! > 60)
    hangs.add('chain')
    await until(async () => (await states()).filter(state => state === 'slow').length >= 2)
    expect((await states()).slice(0, 4)).toEqual(['slow', 'probing', 'recovering', 'slow'])
    const made = calls.chain!
    const spared = calls.spare!
    await until(() => calls.spare! > spared + 20)
    expect(calls.chain! - made).toBeLessThanOrEqual(1)
    release()
    await allSucceed()
  }, 40_000)

  it('jobs behind those that hang do not wait for their places', async () => {
    await open({ concurrency: 5 }, chain)
    stream(20, 'chain')
    await until(() => calls.chain! > 40)
    hangs.add('chain')
    await until(() => held.length === 5)
    await until(() => stateOf('first') !== 'healthy')
    await until(async () => (await baton.context.doorbells.waiting('first')) === 0)
    const ids = await endStream()
    await until(
      async () =>
        (await baton.context.store.readHeads(ids)).filter(job => job!.status !== 'succeeded').length <= 6,
    )
    release()
    for (const id of ids) expect((await baton.ended(id)).status).toBe('succeeded')
  }, 40_000)

  it('one model alone is left, while the other goes on', async () => {
    await open(
      {},
      {
        ...chain,
        other: { provider: 'first', fallback_to: 'spare' },
      },
    )
    stream(40, 'chain', 'other')
    await until(() => calls.chain! > 40)
    hangs.add('chain')
    await until(() => stateOf('first/chain') !== 'healthy')
    expect(stateOf('first')).toBe('healthy')
    expect(stateOf('first/other')).toBe('healthy')
    const made = calls.other!
    await until(() => calls.other! > made + 10)
    release()
    await allSucceed()
  }, 40_000)

  it('where it is the only target, jobs wait and none is lost', async () => {
    await open({}, { chain: { provider: 'first' } })
    stream(20, 'chain')
    await until(() => calls.chain! > 40)
    hangs.add('chain')
    await until(() => stateOf('first') !== 'healthy')
    release()
    await until(() => stateOf('first') === 'healthy')
    await allSucceed()
  }, 40_000)

  it('that is wanted to be left to its timeouts is', async () => {
    await open({ breaker: { slow_factor: 0 } }, chain)
    stream(40, 'chain')
    await until(() => calls.chain! > 40)
    hangs.add('chain')
    const hungAtMs = Date.now()
    await until(() => Date.now() - hungAtMs > 2_500) // well over the second after which it would be left
    expect(await states()).toEqual([])
    release()
    await allSucceed()
  }, 40_000)
})
