import { describe, expect, it } from 'vitest'
import { createRefusals } from '../../src/health/refusals.ts'

/** Calls one after the other, each 10 ms long, each as soon as it may be; what each of them was told to wait. */
const callsOf = (askedMs: number, count: number): readonly number[] => {
  const refusals = createRefusals()
  let nowMs = 1_000
  return Array.from({ length: count }, () => {
    const begunAtMs = nowMs + 1
    nowMs += 10
    const forMs = refusals.turnedAway('m', begunAtMs, askedMs, nowMs)
    nowMs += forMs
    return forMs
  })
}

describe('a target that turns calls away', () => {
  it('is believed once when it asks for no wait, and then left alone for ever longer, up to two seconds', () => {
    expect(callsOf(0, 8)).toEqual([0, 100, 200, 400, 800, 1_600, 2_000, 2_000])
  })

  it('is left alone as long as it asked where that is longer', () => {
    expect(callsOf(500, 6)).toEqual([500, 500, 500, 500, 800, 1_600])
    expect(callsOf(60_000, 8)).toEqual(Array.from({ length: 8 }, () => 60_000))
  })

  it('says nothing new by calls that had begun before it was known', () => {
    const refusals = createRefusals()
    expect(refusals.turnedAway('m', 0, 0, 10)).toBe(0)
    for (let i = 0; i < 100; i++) expect(refusals.turnedAway('m', i / 10, 0, 11)).toBeLessThanOrEqual(0)
    expect(refusals.turnedAway('m', 11, 0, 20)).toBe(100)
    // What is left of that.
    expect(refusals.turnedAway('m', 12, 0, 50)).toBe(70)
    expect(refusals.turnedAway('m', 12, 90, 50)).toBe(90)
  })

  it('is believed again once it has taken a call', () => {
    const refusals = createRefusals()
    const refuse = (atMs: number) => refusals.turnedAway('m', atMs - 1, 0, atMs)
    expect([10, 20, 30].map(refuse)).toEqual([0, 100, 200])
    refusals.answered('m')
    expect([40, 50].map(refuse)).toEqual([0, 100])
  })

  it('is not confused with others', () => {
    const refusals = createRefusals()
    const refuse = (target: string, atMs: number) => refusals.turnedAway(target, atMs - 1, 0, atMs)
    expect([refuse('a', 10), refuse('a', 20), refuse('b', 20), refuse('a', 30)]).toEqual([0, 100, 0, 200])
    refusals.answered('b')
    expect(refuse('a', 40)).toBe(400)
  })
})
