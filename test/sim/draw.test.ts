import { describe, expect, test } from 'vitest'
import { drawFault, drawLatencyMs } from '../../src/sim/decide.ts'

/** A small generator (mulberry32), so that a distribution is the same in every run. */
function seeded(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const sample = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw)

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]!

describe('draws of latencies and faults', () => {
  test('no latency draws nothing', () => {
    const never = () => expect.unreachable('random was asked')
    expect(drawLatencyMs(undefined, never)).toBe(0)
    expect(drawLatencyMs({ kind: 'fixed', ms: 20 }, never)).toBe(20)
  })

  test.each([
    [0, 10],
    [0.5, 20],
    [0.75, 25],
  ])('uniform latency puts a draw of %f at %f ms', (random, ms) => {
    expect(drawLatencyMs({ kind: 'uniform', minMs: 10, maxMs: 30 }, () => random)).toBe(ms)
  })

  test('lognormal latency has its median and the spread of its sigma', () => {
    const random = seeded(1)
    const drawn = sample(20_000, () =>
      drawLatencyMs({ kind: 'lognormal', medianMs: 100, sigma: 0.5 }, random),
    )
    expect(quantile(drawn, 0.5)).toBeCloseTo(100, -1)
    // One standard deviation up: 100 e^0.5 = 164.9 at 84.13 %.
    expect(Math.abs(quantile(drawn, 0.8413) - 164.9)).toBeLessThan(5)
    expect(Math.min(...drawn)).toBeGreaterThan(0)
  })

  test('lognormal latency stays finite at the ends of the draw', () => {
    const latency = { kind: 'lognormal', medianMs: 100, sigma: 1 } as const
    expect(drawLatencyMs(latency, () => 0)).toBe(100)
    expect(drawLatencyMs(latency, () => 1 - 2 ** -53)).toBeLessThan(1_000_000)
  })

  test.each([
    [0, 'hang'],
    [0.09, 'hang'],
    [0.1, 'reset'],
    [0.29, 'reset'],
    [0.31, undefined],
  ])('faults share one draw: %f', (random, kind) => {
    const faults = [
      { kind: 'hang', rate: 0.1 },
      { kind: 'reset', rate: 0.2 },
    ] as const
    expect(drawFault(faults, () => random)?.kind).toBe(kind)
  })

  test('a fault with a rate of 0 never comes, one with 1 always', () => {
    expect(drawFault([{ kind: 'hang', rate: 0 }], () => 0)).toBeNull()
    expect(drawFault([{ kind: 'hang', rate: 1 }], () => 0.999_999)?.kind).toBe('hang')
  })
})
