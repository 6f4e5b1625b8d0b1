import { describe, expect, test } from 'vitest'
import type { Capacity } from '../../../src/domain/planning/demand.ts'
import { createMinuteWindow } from '../../../src/domain/planning/minute-window.ts'

const minute = 60_000
const play = (capacity: Capacity, requests: readonly (readonly [atMs: number, tokens: number])[]) => {
  const window = createMinuteWindow(capacity)
  const times = requests.map(([atMs, tokens]) => {
    const opensAt = window.opensAt(atMs, tokens)
    window.take(opensAt, tokens)
    return opensAt
  })
  return { times, peak: { ...window.peak } }
}

describe('the minute window', () => {
  test.each<[string, Capacity, [number, number][], number[], object]>([
    [
      'no limit',
      { rpm: null, tpm: null },
      [
        [0, 9],
        [1, 9],
        [2, 9],
      ],
      [0, 1, 2],
      { requests: 3, tokens: 27 },
    ],
    [
      'requests: the third waits for the first to be a minute old, the fourth for the second',
      { rpm: 2, tpm: null },
      [
        [0, 1],
        [10, 1],
        [20, 1],
        [30, 1],
        [40, 1],
      ],
      [0, 10, minute, minute + 10, 2 * minute],
      { requests: 2, tokens: 2 },
    ],
    [
      'tokens: a large one waits for room, and those behind it wait too',
      { rpm: null, tpm: 100 },
      [
        [0, 60],
        [5, 30],
        [10, 50],
        [20, 5],
      ],
      [0, 5, minute, minute],
      { requests: 3, tokens: 90 },
    ],
    [
      'one that asks for more than a minute has is taken alone',
      { rpm: null, tpm: 100 },
      [
        [0, 10],
        [1, 500],
        [2, 10],
      ],
      [0, minute, 2 * minute],
      { requests: 1, tokens: 500 },
    ],
    [
      'a pause makes room',
      { rpm: 1, tpm: null },
      [
        [0, 1],
        [minute, 1],
        [3 * minute, 1],
      ],
      [0, minute, 3 * minute],
      { requests: 1, tokens: 1 },
    ],
  ])('%s', (_, capacity, requests, times, peak) => {
    expect(play(capacity, requests)).toEqual({ times, peak })
  })

  test('never more than the limits within any minute, whatever comes', () => {
    const random = (seed: number): (() => number) => {
      let state = seed
      return () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31
        return state / 2 ** 31
      }
    }
    for (let seed = 1; seed <= 20; seed++) {
      const draw = random(seed)
      let atMs = 0
      const requests = Array.from({ length: 300 }, (): [number, number] => {
        atMs += Math.floor(draw() * 2_000)
        return [atMs, Math.floor(draw() * 100)]
      })
      const { times, peak } = play({ rpm: 20, tpm: 900 }, requests)
      for (const [i, time] of times.entries()) {
        const within = requests.filter((_, j) => j <= i && times[j]! > time - minute)
        expect(within.length).toBeLessThanOrEqual(20)
        expect(within.reduce((sum, [, tokens]) => sum + tokens, 0)).toBeLessThanOrEqual(900)
      }
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(peak.requests).toBeLessThanOrEqual(20)
    }
  })
})
