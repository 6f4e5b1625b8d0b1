import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createScriptRunner, defineScript } from '../../src/redis/scripts.ts'
import { testRedis } from '../support/redis.ts'

const lua = (name: string): URL => new URL(`../../src/rate-limits/lua/${name}.lua`, import.meta.url)

/** The algorithm alone, at a time that is given: many steps of it in one script, and the state after them. */
const stepScript = defineScript({
  name: 'test/ceiling',
  prelude: [lua('ceiling'), lua('episodes')],
  lua: `
    local state = ARGV[1] ~= '' and cjson.decode(ARGV[1]) or new_ceiling(16)
    local a = cjson.decode(ARGV[2])
    step(state, a.seen, a.held, a.held, a.held + a.waiting, a.now, a.blocked)
    return cjson.encode(state)`,
  keys: 0,
  whenFull: 'runs',
})

let redis: Redis
beforeEach(() => {
  redis = createPatientRedis(testRedis().url, pino({ level: 'silent' }))
})
afterEach(() => redis.disconnect())

interface Provider {
  /** Requests a minute, of which a second's worth may come at once. */
  readonly rpm?: number
  readonly atOnce?: number
  /** How long an answer takes while so many are under way. */
  readonly latencyMs: (underWay: number) => number
  /** So many calls begin between two leases at most; any number when absent. */
  readonly perTick?: number
}

interface State {
  readonly ceiling: number
  readonly epoch: number
  readonly is_open?: boolean
  readonly rate?: number
  readonly met?: number
}

interface Figures {
  readonly state: State
  /** Calls that were served in the time, a minute, and the mean of those under way. */
  readonly servedAMinute: number
  readonly meanUnderWay: number
  /** The share of calls that were turned away. */
  readonly turnedAway: number
}

const tickMs = 25
const retryAfterMs = 1_000

/** A provider, and one process with endless work that leases every 25 ms, in simulated time. */
const createSimulation = () => {
  const run = createScriptRunner(redis)
  let nowMs = 1_700_000_000_000
  let state: State = { ceiling: 16, epoch: 0 }
  let text = ''
  let blockedUntilMs = 0
  let bucket: number | null = null
  let credit = 0
  let calls: {
    readonly endsAtMs: number
    readonly tookMs: number
    readonly ok: boolean
    readonly epoch: number
  }[] = []

  const goOn = async (provider: Provider, forMs: number): Promise<Figures> => {
    const { rpm, atOnce = Number.POSITIVE_INFINITY, latencyMs, perTick = Number.POSITIVE_INFINITY } = provider
    const burst = rpm === undefined ? 0 : rpm / 60
    bucket ??= burst
    const sums = { served: 0, turnedAway: 0, underWay: 0, ticks: 0 }
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += tickMs) {
      const ended = calls.filter(call => call.endsAtMs <= nowMs)
      calls = calls.filter(call => call.endsAtMs > nowMs)
      const ok = ended.filter(call => call.ok)
      const away = ended.filter(call => !call.ok)
      if (away.length > 0) blockedUntilMs = Math.max(blockedUntilMs, nowMs + retryAfterMs)
      if (rpm !== undefined) bucket = Math.min(burst, bucket + (rpm * tickMs) / 60_000)
      credit = Math.min(
        Math.max(1, (state.rate ?? 0) / 6_000),
        credit + ((state.rate ?? 0) * 0.97 * tickMs) / 60_000,
      )
      let begun = 0
      while (
        begun < perTick &&
        nowMs >= blockedUntilMs &&
        (calls.length < Math.floor(state.ceiling) || (state.rate !== undefined && state.is_open !== true)) &&
        (state.rate === undefined || credit >= 1)
      ) {
        const serving = calls.filter(call => call.ok).length
        const isServed = serving < atOnce && (rpm === undefined || bucket >= 1)
        if (isServed && rpm !== undefined) bucket -= 1
        credit -= 1
        begun += 1
        const tookMs = isServed ? latencyMs(serving) : 20
        calls.push({ endsAtMs: nowMs + tookMs, tookMs, ok: isServed, epoch: state.epoch })
        sums[isServed ? 'served' : 'turnedAway'] += 1
      }
      const seen = {
        ...{
          begun,
          ok: ok.length,
          tookMs: ok.reduce((sum, call) => sum + call.tookMs, 0),
          overloaded: false,
        },
        ...{ turnedAway: away.length, throttled: Math.max(-1, ...away.map(call => call.epoch)) },
      }
      const ask = { seen, held: calls.length, waiting: 1_000, now: nowMs, blocked: blockedUntilMs }
      text = (await run(stepScript, [text, JSON.stringify(ask)])) as string
      state = JSON.parse(text) as State
      sums.underWay += calls.length
      sums.ticks += 1
    }
    return {
      state,
      servedAMinute: (sums.served * 60_000) / forMs,
      meanUnderWay: sums.underWay / sums.ticks,
      turnedAway: sums.turnedAway / (sums.served + sums.turnedAway),
    }
  }
  return { goOn }
}

describe('the ceiling of calls at once', () => {
  it('doubles with each round of answers while nothing speaks against it', async () => {
    const { goOn } = createSimulation()
    const provider = { latencyMs: () => 1_000 }
    await goOn(provider, 950)
    const ceilingAfter = async (rounds: number) => (await goOn(provider, rounds * 1_000)).state.ceiling
    expect(await ceilingAfter(1)).toBe(32)
    expect(await ceilingAfter(1)).toBe(64)
    expect(await ceilingAfter(4)).toBeGreaterThanOrEqual(512)
  })

  it('stops where answers become slower with each call more, and stays near', async () => {
    const { goOn } = createSimulation()
    // It works on 50 calls at a time, and all others wait for these.
    const provider = { latencyMs: (underWay: number) => 500 * Math.max(1, underWay / 50) }
    await goOn(provider, 30_000)
    const { meanUnderWay } = await goOn(provider, 60_000)
    expect(meanUnderWay).toBeGreaterThan(45)
    expect(meanUnderWay).toBeLessThan(300)
  })

  it.each([
    ['answers of 8 s', 8_000],
    ['answers of 300 ms', 300],
  ])('is just what may be at once where that is hidden, with %s', async (_, ms) => {
    const { goOn } = createSimulation()
    const provider = { atOnce: 200, latencyMs: () => ms }
    await goOn(provider, 60_000)
    const { meanUnderWay, turnedAway, state } = await goOn(provider, 120_000)
    expect(state.rate).toBeUndefined()
    expect(meanUnderWay).toBeGreaterThan(180)
    expect(turnedAway).toBeLessThan(0.01)
  })

  it.each([20, 7])(
    'is that also where %i calls begin at a time, so that the first are turned away before the last begin',
    async perTick => {
      const { goOn } = createSimulation()
      const provider = { atOnce: 200, latencyMs: () => 8_000, perTick }
      await goOn(provider, 60_000)
      const { meanUnderWay, turnedAway, state } = await goOn(provider, 120_000)
      expect(state.rate).toBeUndefined()
      expect(meanUnderWay).toBeGreaterThan(180)
      expect(turnedAway).toBeLessThan(0.01)
    },
  )

  it.each([
    ['answers of 8 s', 8_000],
    ['answers of 300 ms', 300],
  ])('gives way to a rate where that is hidden, with %s', async (_, ms) => {
    const { goOn } = createSimulation()
    const provider = { rpm: 600, latencyMs: () => ms }
    await goOn(provider, 60_000)
    const { servedAMinute, turnedAway, state } = await goOn(provider, 180_000)
    expect(state.rate).toBeDefined()
    expect(servedAMinute).toBeGreaterThan(540)
    expect(turnedAway).toBeLessThan(0.01)
  })

  it('finds a number at once that rose, and one that fell', async () => {
    const { goOn } = createSimulation()
    const latencyMs = () => 2_000
    await goOn({ atOnce: 100, latencyMs }, 60_000)
    await goOn({ atOnce: 200, latencyMs }, 120_000)
    const more = await goOn({ atOnce: 200, latencyMs }, 60_000)
    expect(more.meanUnderWay).toBeGreaterThan(180)
    await goOn({ atOnce: 50, latencyMs }, 60_000)
    const fewer = await goOn({ atOnce: 50, latencyMs }, 60_000)
    expect(fewer.meanUnderWay).toBeGreaterThan(35)
    expect(fewer.turnedAway).toBeLessThan(0.02)
  })

  it('finds a rate that rose', async () => {
    const { goOn } = createSimulation()
    const latencyMs = () => 1_000
    await goOn({ rpm: 600, latencyMs }, 60_000)
    await goOn({ rpm: 900, latencyMs }, 240_000)
    const { servedAMinute } = await goOn({ rpm: 900, latencyMs }, 60_000)
    expect(servedAMinute).toBeGreaterThan(810)
  })
})
