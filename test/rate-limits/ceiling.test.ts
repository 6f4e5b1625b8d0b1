import { afterEach, describe, expect, it } from 'vitest'
import { testRedis } from '../support/redis.ts'
import { fixedWindow, numberAtOnce, slidingWindow, tokenBucket, unlimited } from './hidden-limits.ts'
import { createSimulation, type SilentProvider } from './simulated-calls.ts'
import { seededRandom } from './simulated-time.ts'

type Simulation = Awaited<ReturnType<typeof createSimulation>>

let simulation: Simulation
const open = async (processes = 1): Promise<Simulation['goOn']> => {
  const { url, prefix } = testRedis()
  simulation = await createSimulation(url, prefix, processes)
  return simulation.goOn
}
afterEach(() => simulation.end())

/** Lognormal, with that mean. */
const spread = (meanMs: number): (() => number) => {
  const random = seededRandom(2)
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return meanMs * Math.exp(0.5 * normal - 0.125)
  }
}

const providerOf = (
  limit: SilentProvider['limit'],
  latencyMs: SilentProvider['latencyMs'],
): SilentProvider => ({
  ...{ limit, latencyMs, tellsRetryAfter: true },
})

describe('the ceiling of calls at once', () => {
  it('doubles with each round of answers while nothing speaks against it', async () => {
    const goOn = await open()
    const provider = providerOf(unlimited(), () => 1_000)
    await goOn(provider, 950)
    const ceilingAfter = async (rounds: number) => (await goOn(provider, rounds * 1_010)).ceiling
    expect(await ceilingAfter(1)).toBe(32)
    expect(await ceilingAfter(1)).toBe(64)
    expect(await ceilingAfter(4)).toBeGreaterThanOrEqual(512)
  })

  it('stops where answers become slower with each call more, and stays near', async () => {
    const goOn = await open()
    // It works on 50 calls at a time, and all others wait for these.
    const provider = providerOf(unlimited(), underWay => 500 * Math.max(1, underWay / 50))
    await goOn(provider, 20_000)
    const { meanUnderWay } = await goOn(provider, 20_000)
    expect(meanUnderWay).toBeGreaterThan(45)
    expect(meanUnderWay).toBeLessThan(300)
  })

  it.each([
    ['200, answers of 8 s', 200, () => 8_000, 0.01],
    ['30, answers of 300 ms', 30, () => 300, 0.01],
    ['200, answers of 2 s that differ', 200, spread(2_000), 0.01],
    // One call more, tried in vain, is more of fewer.
    ['20, answers of 8 s that differ', 20, spread(8_000), 0.05],
  ])('is just what may be at once where that is hidden: %s', async (_, atOnce, latencyMs, leastAway) => {
    const goOn = await open(2)
    const provider = providerOf(numberAtOnce(atOnce), latencyMs)
    await goOn(provider, 60_000)
    const { used, turnedAway, rate } = await goOn(provider, 60_000)
    expect(rate).toBeUndefined()
    expect(used).toBeGreaterThan(0.9)
    expect(turnedAway).toBeLessThan(leastAway)
  })

  it.each([
    ['answers of 8 s', () => 8_000],
    ['answers of 8 s that differ', spread(8_000)],
    ['answers of 500 ms', () => 500],
  ])('gives way to a rate where that is hidden, in a bucket of a second: %s', async (_, latencyMs) => {
    const goOn = await open()
    const provider = providerOf(tokenBucket(600, 10), latencyMs)
    await goOn(provider, 60_000)
    const { used, turnedAway, rate } = await goOn(provider, 60_000)
    expect(rate).toBeDefined()
    expect(used).toBeGreaterThan(0.9)
    expect(turnedAway).toBeLessThan(0.01)
  })

  // Where answers take alike, a rate is as well kept by the calls at once that come to it.
  it.each([
    ['a bucket of a minute, answers of 2 s', () => tokenBucket(600, 600), () => 2_000],
    ['so many in a second of the clock, answers of 8 s', () => fixedWindow(600, 1_000), () => 8_000],
    ['so many in any second, answers of 2 s that differ', () => slidingWindow(600, 1_000), spread(2_000)],
    ['so many in a minute of the clock, answers of 2 s', () => fixedWindow(600, 60_000), () => 2_000],
  ])('uses up a hidden rate of any shape: %s', async (_, limit, latencyMs) => {
    const goOn = await open()
    const provider = providerOf(limit(), latencyMs)
    await goOn(provider, 120_000)
    const { used, turnedAway } = await goOn(provider, 60_000)
    expect(used).toBeGreaterThan(0.88)
    expect(turnedAway).toBeLessThan(0.02)
  })

  it('finds a number at once that rose, and one that fell', async () => {
    const goOn = await open()
    const numbers = (atOnce: number) => providerOf(numberAtOnce(atOnce), () => 2_000)
    await goOn(numbers(100), 60_000)
    const more = numbers(200)
    await goOn(more, 120_000)
    expect((await goOn(more, 60_000)).meanUnderWay).toBeGreaterThan(180)
    const fewer = numbers(50)
    await goOn(fewer, 60_000)
    const { meanUnderWay, turnedAway } = await goOn(fewer, 60_000)
    expect(meanUnderWay).toBeGreaterThan(35)
    expect(turnedAway).toBeLessThan(0.02)
  })

  it('finds a rate that rose', async () => {
    const goOn = await open()
    await goOn(
      providerOf(tokenBucket(600, 10), () => 1_000),
      60_000,
    )
    const more = providerOf(tokenBucket(900, 15), () => 1_000)
    await goOn(more, 120_000)
    expect((await goOn(more, 60_000)).used).toBeGreaterThan(0.9)
  })
})
