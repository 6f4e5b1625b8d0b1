import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { ApiKey } from '../../src/health/key-ring.ts'
import { jobSummary } from '../../src/jobs/view.ts'
import { createLimitStore, limiterName } from '../../src/rate-limits/limit-store.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, type BatonApi, type BatonOptions, openBaton } from '../support/open-baton.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const open = async (options: BatonOptions): Promise<BatonApi> => {
  const baton = await openBaton({ level: 'api', ...options })
  opened.push(baton.stop)
  return baton
}
const openSim = async (latencyMs: number) => {
  const sim = createSimProvider({ journal: true, behaviour: { latency: { kind: 'fixed', ms: latencyMs } } })
  await sim.start()
  opened.push(sim.stop)
  return sim
}
const at = (url: string, more: object) => ({ type: 'openai', base_url: `${url}/v1`, api_key: 'k', ...more })
const chats = (baton: Baton, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => baton.chat('chain', { user: `u${i}` })))

/** As a process leaves it behind whose call was throttled while one other was under way. */
const learnCeilingOfOne = async ({ context, prefix }: Baton, provider: string, model: string) => {
  const key = context.keyRings.get(provider)!.next() as ApiKey
  const store = createLimitStore(context.redis, prefix)
  const seen = {
    turnedAway: 1,
    throttled: 0,
    ...{ begun: 2, ok: 0, tookMs: 0, overloaded: false, blockMs: 0 },
  }
  const asked = { slots: 0, spareSlots: 0, tokens: 0, leastTokens: 0, waiting: 0, spare: 0, spent: 0 }
  await store.lease(
    limiterName(provider, key.fingerprint, model),
    'gone',
    { learns: true, isTold: false, isRated: false, peak: 0, calling: 1, ...asked, ...seen },
    { requests: false, tokens: false },
  )
  expect((await store.read(provider))[0]!.ceiling).toBe(1)
}

/** As if a provider had answered a burst of its first key with a 429: without that an idle minute's worth goes at once. */
const pacedEvenly = async ({ context, prefix }: Baton, provider: string): Promise<void> => {
  const { fingerprint } = context.keyRings.get(provider)!.next() as ApiKey
  const record = `${prefix}:{limits}:of:${limiterName(provider, fingerprint)}`
  await context.redis.hset(record, 'learned', JSON.stringify({ even_until: Date.now() + 3_600_000 }))
}

describe('rate limits of keys', () => {
  it('calls at once are counted over all workers of a key', async () => {
    const sim = await openSim(150)
    const config = {
      providers: { first: at(sim.url, { limits: { concurrency: 3 } }) },
      models: { chain: { provider: 'first' } },
    }
    const one = await open({ config })
    await open({ config, prefix: one.prefix })
    const ids = await chats(one, 60)
    const jobs = await Promise.all(ids.map(one.ended))
    expect(jobs.filter(job => job.status === 'succeeded')).toHaveLength(60)
    expect(jobs.every(job => job.attempts.length === 1 && job.hop === 0)).toBe(true)
    const calls = sim.journal!
    // The journal sees the end of a call a little after its caller does, on a busy machine by much of its length.
    const lateMs = 100
    const atOnce = calls.map(
      call =>
        calls.filter(c => c.startedAtMs <= call.startedAtMs && c.endedAtMs! > call.startedAtMs + lateMs)
          .length,
    )
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(3)
  })

  it('a burst that the limit allows is called where it was sent, whatever else is there', async () => {
    const [first, second] = [await openSim(0), await openSim(0)]
    const config = {
      providers: { first: at(first.url, { limits: { rpm: 400 } }), second: at(second.url, {}) },
      models: { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    }
    const baton = await open({ config })
    const jobs = await Promise.all((await chats(baton, 300)).map(baton.ended))
    expect(jobs.every(job => job.status === 'succeeded' && job.attempts.length === 1)).toBe(true)
    expect(first.calls.calls).toBe(300)
    expect(second.calls.calls).toBe(0)
  })

  it('what finds no room for long goes on to the next target without a call', async () => {
    const [first, second] = [await openSim(0), await openSim(0)]
    const config = {
      providers: { first: at(first.url, { limits: { rpm: 6 } }), second: at(second.url, {}) },
      models: { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    }
    const baton = await open({ config })
    const startedAtMs = Date.now()
    const jobs = await Promise.all((await chats(baton, 12)).map(baton.ended))
    expect(Date.now() - startedAtMs).toBeLessThan(6_000)
    expect(jobs.every(job => job.status === 'succeeded' && job.attempts.length === 1)).toBe(true)
    expect(jobs.flatMap(job => job.moves.map(move => move.reason))).toEqual(Array(6).fill('busy'))
    expect(first.calls.calls).toBe(6)
    expect(second.calls.calls).toBe(6)
  })

  it('a queue behind a learned ceiling of one call leaves as fast as the next provider takes it', async () => {
    const [first, second] = [await openSim(1_000), await openSim(0)]
    const config = {
      providers: { first: at(first.url, {}), second: at(second.url, {}) },
      models: { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    }
    const baton = await open({ config, workers: [] })
    await learnCeilingOfOne(baton, 'first', 'chain')
    const ids = await chats(baton, 300)
    await open({ config, prefix: baton.prefix })
    // At one call at a time the queue would take five minutes.
    await until(() => second.calls.calls >= 290, 20_000)
    const jobs = await Promise.all(ids.map(baton.ended))
    expect(jobs.every(job => job.status === 'succeeded' && job.attempts.length === 1)).toBe(true)
  })

  it('a worker that stops hands back what waits for room', async () => {
    const sim = await openSim(0)
    const config = {
      providers: { first: at(sim.url, { limits: { rpm: 6 } }) },
      models: { chain: { provider: 'first' } },
    }
    const baton = await open({ config, workers: [] })
    await pacedEvenly(baton, 'first')
    const worker = await openBaton({ level: 'workers', config, prefix: baton.prefix, graceMs: 20_000 })
    const ids = await chats(baton, 2)
    const states = async () => (await Promise.all(ids.map(baton.context.store.read))).map(job => job!.status)
    await until(async () => (await states()).toSorted().join() === 'running,succeeded')
    const stoppedAtMs = Date.now()
    await worker.stop()
    expect(Date.now() - stoppedAtMs).toBeLessThan(3_000)
    expect((await states()).toSorted()).toEqual(['queued', 'succeeded'])
  })

  it('a request that waits for tokens is answered when there are some', async () => {
    const sim = await openSim(0)
    // A prompt of some 2,000 tokens, ten of which come each ms.
    const limits = { tpm: 60_000 }
    const config = { providers: { first: at(sim.url, { limits }) }, models: { chain: { provider: 'first' } } }
    const baton = await open({ config })
    await pacedEvenly(baton, 'first')
    const prompt = 'word '.repeat(1_600)
    const ids = await Promise.all([1, 2].map(() => baton.chat('chain', { prompt })))
    const jobs = await Promise.all(ids.map(baton.ended))
    expect(jobs.map(job => job.attempts.length)).toEqual([1, 1])
    const [one, two] = sim.journal!.map(call => call.startedAtMs)
    expect(two! - one!).toBeGreaterThan(1_000)
    // Operators see that, and with which key; clients do not.
    const waited = jobs.map(
      ({ attempts: [call] }) => call!.started_at - (call!.claimed_at ?? call!.started_at),
    )
    expect(Math.max(...waited)).toBeGreaterThan(0.9)
    const { fingerprint } = baton.context.keyRings.get('first')!.next() as ApiKey
    expect(jobs.map(({ attempts: [call] }) => call!.key)).toEqual([fingerprint, fingerprint])
    for (const job of jobs) expect(JSON.stringify(jobSummary(job))).not.toMatch(/claimed_at|"key"/)
  })

  describe('several keys', () => {
    const answer = JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    })
    /** Throttles one key and answers all others; keeps which was used. */
    const openKeyed = async (throttled: string): Promise<{ url: string; used: string[] }> => {
      const used: string[] = []
      const server: Server = createServer((req, res) => {
        const key = req.headers.authorization!.replace('Bearer ', '')
        used.push(key)
        const headers = { 'content-type': 'application/json', 'retry-after': '30' }
        req
          .resume()
          .once('end', () =>
            key === throttled
              ? res.writeHead(429, headers).end(JSON.stringify({ error: { code: 'rate_limit_exceeded' } }))
              : res.writeHead(200, { 'content-type': 'application/json' }).end(answer),
          )
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      opened.push(() => {
        server.closeAllConnections()
        server.close()
      })
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, used }
    }

    it('are throttled each for itself, and the next one with room is called', async () => {
      const { url, used } = await openKeyed('a')
      const config = {
        providers: { first: { type: 'openai', base_url: `${url}/v1`, api_keys: ['a', 'b'] } },
        models: { chain: { provider: 'first' } },
      }
      const baton = await open({ config })
      const first = await baton.chat('chain')
      await until(() => used.includes('a'))
      await baton.ended(first)
      const jobs = await Promise.all((await chats(baton, 20)).map(baton.ended))
      expect(jobs.every(job => job.status === 'succeeded' && job.attempts.length === 1)).toBe(true)
      expect(used.filter(key => key === 'a')).toHaveLength(1)

      const response = await fetch(`${baton.url}/v1/providers`)
      const { data } = (await response.json()) as { data: { limits: { seen: object[] } }[] }
      expect(data[0]).toMatchObject({ state: 'healthy', entries: [] })
      expect(data[0]!.limits.seen).toContainEqual(
        expect.objectContaining({ model: 'chain', blocked_until: expect.any(Number), held_by: 'left_alone' }),
      )
    })

    it('have the configured limits each', async () => {
      const { url, used } = await openKeyed('none')
      const limits = { rpm: 4 }
      const config = {
        providers: { first: { type: 'openai', base_url: `${url}/v1`, api_keys: ['a', 'b'], limits } },
        models: { chain: { provider: 'first' } },
      }
      const baton = await open({ config })
      await Promise.all((await chats(baton, 8)).map(baton.ended))
      expect(used.toSorted().join('')).toBe('aaaabbbb')
    })
  })
})
