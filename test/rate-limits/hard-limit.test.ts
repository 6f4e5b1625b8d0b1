import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

/** 30 a second, of which a second's worth may come at once. */
const rpm = 1_800
const workerCount = 3
const jobCount = 500

let sim: SimProvider
let site: Deployment
let api: Baton
let workers: Child[]

const configOf = (limits: object) => ({
  // With more places than that, the first burst would turn nearly all jobs away, to come back later than this looks.
  providers: {
    first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'key', concurrency: 50, limits },
  },
  models: { chain: { provider: 'first' } },
})

const begin = async (limits: object): Promise<void> => {
  const { url, prefix } = testRedis()
  const config = configOf(limits)
  site = await openBaton({
    level: 'processes',
    config: { redis: { url, prefix }, ...config },
    env: { LOG_LEVEL: 'info' },
  })
  api = await openBaton({ level: 'workers', config, workers: [], prefix })
  await Promise.all(Array.from({ length: jobCount }, () => api.chat('chain')))
  workers = await Promise.all(Array.from({ length: workerCount }, () => site.worker('first')))
}

beforeEach(async () => {
  sim = createSimProvider({ journal: true })
  await sim.start()
})
afterEach(async () => {
  await site.close()
  await api.stop()
  await sim.stop()
})

/** Of the calls between two times after the first: how many a second, and which share was throttled. */
const figures = (fromMs: number, toMs: number) => {
  const startMs = sim.journal![0]!.startedAtMs
  const calls = sim.journal!.filter(
    ({ startedAtMs }) => startedAtMs - startMs >= fromMs && startedAtMs - startMs < toMs,
  )
  const throttled = calls.filter(call => call.outcome === 'throttle').length
  return {
    use: ((calls.length - throttled) * 60_000) / (toMs - fromMs) / rpm,
    throttled: throttled / calls.length,
  }
}

const sinceFirst = (): number => {
  const calls = sim.journal!
  return calls.length === 0 ? 0 : calls.at(-1)!.startedAtMs - calls[0]!.startedAtMs
}

describe('rate limits of several processes', () => {
  // What is configured must hold where the provider tells nothing, too. A process that is killed costs the slots that it had of one second.
  it.each([
    ['configured', 'though one is killed', { rpm }, { silent: true }, 1],
    ['learned from the headers', 'after the first storm', {}, {}, 0],
  ])(
    'a hard limit, %s, is used up by three processes and hardly hit, %s',
    // Figures of speed are the bench's: this holds what no pause of a machine explains.
    async (_, __, limits, provider, kills) => {
      sim.script({ throttle: { rpm, ...provider }, latency: { kind: 'fixed', ms: 100 } })
      await begin(limits)
      await until(() => sinceFirst() > 1_000)
      for (const worker of workers.slice(0, kills)) await worker.kill()
      let toMs = 5_500
      // Three seconds, and the next ones where the machine stood still in these.
      await until(() => {
        if (sinceFirst() <= toMs) return false
        if (figures(toMs - 3_000, toMs).use >= 0.8) return true
        toMs += 3_000
        return false
      })
      expect(figures(2_500, toMs).throttled).toBeLessThan(0.03)
      // The provider would let more come for a while.
      expect(figures(1_500, toMs).use).toBeLessThan(1.1)
    },
  )
})
