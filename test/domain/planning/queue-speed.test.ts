import { describe, expect, it } from 'vitest'
import { type Mark, rateOf, speedOf } from '../../../src/domain/planning/queue-speed.ts'

/** One every two seconds, at so many a second, to the time 0. */
const marks = (seconds: number, perSecond: number, isBusy = true): Mark[] =>
  Array.from({ length: seconds / 2 + 1 }, (_, i) => ({
    ...{ atMs: (2 * i - seconds) * 1_000, count: 2 * i * perSecond, isBusy },
  }))

const idle = { calling: 0, slots: null, rpm: null }

describe('the rate at which a count rises', () => {
  it.each<[string, Mark[], number | null]>([
    ['without any mark', [], null],
    ['of one mark', marks(0, 5), null],
    ['of two marks', marks(2, 5), 5],
    ['steady for long', marks(120, 5), 5],
    ['slow for long, by the longest span', marks(120, 0.05), 0.05],
    ['nothing at all', marks(120, 0), 0],
  ])('%s', (_, given, expected) => {
    const rate = rateOf(given)
    if (expected === null) expect(rate).toBeNull()
    else expect(rate).toBeCloseTo(expected, 6)
  })

  it('follows a change within ten seconds', () => {
    const slow = marks(60, 2)
    const before = slow.at(-1)!
    const fast = [2, 4, 6, 8, 10].map(s => ({ atMs: s * 1_000, count: before.count + s * 50, isBusy: true }))
    expect(rateOf([...slow, ...fast])).toBeCloseTo(50, 6)
  })
})

describe('the speed of a queue', () => {
  it('is what was measured while something waited, whatever the limits say', () => {
    expect(speedOf(marks(30, 10), { calling: 50, slots: 1_000, rpm: 6_000 })).toEqual({
      perSecond: 10,
      callMs: 5_000,
    })
  })

  it('is not that of a queue in which nothing waits, but what its limits allow', () => {
    const seen = marks(30, 1, false)
    expect(speedOf(seen, { calling: 5, slots: 100, rpm: null })).toEqual({ perSecond: 20, callMs: 5_000 })
    expect(speedOf(seen, { calling: 5, slots: 100, rpm: 600 }).perSecond).toBe(10)
    expect(speedOf(seen, { ...idle, calling: 5 }).perSecond).toBeNull()
  })

  it('is unknown of a queue that was never used, but for the limits of its keys', () => {
    expect(speedOf([], idle)).toEqual({ perSecond: null, callMs: null })
    expect(speedOf([], { ...idle, rpm: 120 })).toEqual({ perSecond: 2, callMs: null })
  })

  it('falls back to the limits where what waits is not served', () => {
    expect(speedOf(marks(30, 0), { ...idle, rpm: 60 }).perSecond).toBe(1)
    expect(speedOf(marks(30, 0), idle).perSecond).toBeNull()
  })
})
