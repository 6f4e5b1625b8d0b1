import { describe, expect, test } from 'vitest'
import { nextDelayMs } from '../../src/webhooks/retry-delay.ts'

const hourMs = 3_600_000
const delay = (failedAttempts: number, chance: number, retryAfterMs: number | null = null) =>
  nextDelayMs(failedAttempts, { retryAfterMs, random: () => chance })

describe('the retry delay of webhooks', () => {
  test('ten attempts spread over 75.6 hours, then the dead letters', () => {
    const steps = Array.from({ length: 9 }, (_, index) => delay(index + 1, 0.5)!)
    expect(steps.map(step => step / 1_000)).toEqual([
      5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ])
    expect(steps.reduce((sum, step) => sum + step, 0) / hourMs).toBeCloseTo(75.6, 1)
    expect(delay(10, 0.5)).toBeNull()
  })

  test.each([
    [0, 4_000],
    [0.5, 5_000],
    [1, 6_000],
  ])('jitter of chance %d turns 5 s into %d ms', (chance, expected) => {
    expect(delay(1, chance)).toBe(expected)
  })

  describe('Retry-After', () => {
    test.each([
      ['longer than the step is waited for', 1, 0, 60_000, 60_000],
      ['is jittered upwards only', 1, 1, 60_000, 72_000],
      ['shorter than the step leaves the step', 2, 0.5, 1_000, 300_000],
      ['of a week is taken as a day', 1, 0, 7 * 24 * hourMs, 24 * hourMs],
    ])('%s', (_case, failedAttempts, chance, retryAfterMs, expected) => {
      expect(delay(failedAttempts, chance, retryAfterMs)).toBe(expected)
    })

    test('buys no attempt beyond the last', () => {
      expect(delay(10, 0.5, 1_000)).toBeNull()
    })
  })
})
