import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

const latencyMs = 200
const shares = [0.2, 0.47, 0.73]

/** Answers after a while; or throttles at once, and tells nothing of its limits but how long to stay away. */
interface Upstream {
  readonly url: string
  readonly startedAtMs: number[]
  /** Keys whose calls are turned away. */
  throttled: (key: string) => boolean
  waitMs: number
  latencyMs: number
  inFlight: number
  close(): void
}

const openUpstream = async (): Promise<Upstream> => {
  const startedAtMs: number[] = []
  const server: Server = createServer((request, response) => {
    request.resume()
    const send = (status: number, headers: Record<string, string>, body: object): void => {
      self.inFlight -= 1
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    }
    startedAtMs.push(Date.now())
    self.inFlight += 1
    if (self.throttled(request.headers.authorization ?? '')) {
      const error = { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' }
      return send(429, { 'retry-after-ms': String(self.waitMs) }, { error })
    }
    const message = { role: 'assistant', content: 'hello' }
    const answer = { id: 'x', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }
    setTimeout(() => send(200, {}, answer), self.latencyMs)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const self: Upstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    startedAtMs,
    throttled: () => false,
    waitMs: 500,
    latencyMs,
    inFlight: 0,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return self
}

let first: Upstream
let second: Upstream
let baton: Baton
let endStream: () => Promise<readonly string[]>

beforeEach(async () => {
  first = await openUpstream()
  second = await openUpstream()
})
afterEach(async () => {
  await endStream()
  await baton.stop()
  first.close()
  second.close()
})

const open = async ({ concurrency = 50, keys = ['k1'], chained = true } = {}): Promise<void> => {
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: {
        first: {
          ...{ type: 'openai', concurrency, base_url: first.url, api_keys: keys },
          recovery: { ramp: '6s', step_interval: '2s', first_share: 0.2 },
        },
        second: { type: 'openai', concurrency, base_url: second.url, api_key: 'k' },
      },
      models: {
        chain: { provider: 'first', ...(chained && { fallback_to: 'spare' }) },
        spare: { provider: 'second' },
      },
    },
  })
}

/** Submits jobs at an even pace, whatever becomes of them. */
const stream = (perSecond: number): void => {
  const submissions: Promise<string>[] = []
  const timer = setInterval(
    () => void submissions.push(baton.chat('chain', { user: `u${submissions.length}` })),
    1_000 / perSecond,
  )
  endStream = () => {
    clearInterval(timer)
    return Promise.all(submissions)
  }
}
const circuit = () => baton.context.circuits.of('first')
const becomes = (state: string) => until(() => circuit().state === state)
const events = async () => (await baton.context.circuitStore.events('first')).toReversed()
const throttleOnce = async (): Promise<void> => {
  first.throttled = () => true
  await becomes('throttled')
  first.throttled = () => false
}
const allSucceed = async (): Promise<void> => {
  const jobs = await Promise.all((await endStream()).map(baton.ended))
  expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
}

describe('a provider that comes back after throttling', () => {
  it('its share of the traffic grows in steps, and the rest goes to the next target', async () => {
    await open()
    stream(40)
    await until(() => first.startedAtMs.length > 10)
    await throttleOnce()
    await becomes('recovering')
    await becomes('healthy')
    const changes = await events()
    expect(changes.map(({ state }) => state)).toEqual([
      'throttled',
      ...shares.map(() => 'recovering'),
      'healthy',
    ])
    const times = changes.slice(1).map(({ seq }) => seq)
    const seen = shares.map((_, i) => {
      const [here, there] = [first, second].map(
        ({ startedAtMs }) => startedAtMs.filter(at => at >= times[i]! && at < times[i + 1]!).length,
      )
      return here! / (here! + there!)
    })
    for (const [i, share] of shares.entries()) expect(Math.abs(seen[i]! - share)).toBeLessThan(0.25)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    await allSucceed()
  })

  it('with slow calls, what finds its few places taken goes on to the next target and does not queue', async () => {
    await open({ concurrency: 10 })
    stream(40)
    await throttleOnce()
    first.latencyMs = 5_000
    await becomes('recovering')
    const fromMs = Date.now()
    let most = 0
    await until(() => {
      most = Math.max(most, first.inFlight)
      return circuit().step === 2
    })
    expect(most).toBeLessThanOrEqual(2) // a fifth of its places
    const made = second.startedAtMs.filter(at => at >= fromMs).length
    expect(made).toBeGreaterThan(10)
    expect(await baton.context.doorbells.waiting('first')).toBeLessThan(10)
    await allSucceed()
  }, 40_000)

  it('a 429 on the way back makes it cool again, from the first step on, and opens no breaker', async () => {
    await open()
    stream(40)
    await throttleOnce()
    await until(() => circuit().state === 'recovering' && circuit().step === 2)
    await throttleOnce()
    await becomes('recovering')
    expect(circuit().step).toBe(1)
    expect((await events()).map(({ state }) => state)).not.toContain('down')
    await allSucceed()
  })

  it('one that has no other target is called as its limits allow, and not by a share', async () => {
    await open({ concurrency: 10, chained: false })
    stream(5)
    await throttleOnce()
    await becomes('recovering')
    await endStream()
    first.latencyMs = 800
    stream(10)
    // More than a fifth of the ten places.
    await until(() => circuit().state === 'recovering' && circuit().step === 1 && first.inFlight >= 4)
    await allSucceed()
  })

  it('one whose other key has room neither cools nor comes back in steps', async () => {
    await open({ keys: ['k1', 'k2'] })
    first.throttled = key => key.endsWith('k1')
    first.waitMs = 60_000
    stream(20)
    await until(() => first.startedAtMs.length > 30)
    expect(await events()).toEqual([])
    await allSucceed()
  })

  it('one that asks for no wait, and turns all calls away, is left alone by jobs until it takes calls again', async () => {
    await open({ concurrency: 10 })
    first.waitMs = 0
    second.latencyMs = 20
    first.throttled = () => true
    const jobs = await Promise.all(
      Array.from({ length: 400 }, (_, i) => baton.chat('chain', { user: `n${i}` })),
    )
    const ended = await Promise.all(jobs.map(baton.ended))
    expect(new Set(ended.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(first.startedAtMs.length).toBeLessThan(200)
    first.throttled = () => false
    stream(40)
    await becomes('recovering')
    await becomes('healthy')
    await allSucceed()
  }, 40_000)
})
