import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../src/domain/routing/backoff.ts'
import { chanceOf } from '../../../src/domain/routing/strategy.ts'
import { runs } from '../../fuzz/runs.ts'

const settings = fc.record({
  baseMs: fc.integer({ min: 1, max: 10_000 }),
  capMs: fc.integer({ min: 1, max: 600_000 }),
})
const failures = fc.integer({ min: 1, max: 60 })
const chance = fc.double({ min: 0, max: 1, noNaN: true })

describe('backoff', () => {
  it('is never longer than the cap, nor than twice as long as after one failure less', () => {
    fc.assert(
      fc.property(settings, failures, chance, (backoff, count, drawn) => {
        const waitMs = backoffMs(backoff, count, drawn)
        expect(waitMs).toBeGreaterThanOrEqual(0)
        expect(waitMs).toBeLessThanOrEqual(backoff.capMs)
        const next = backoffMs(backoff, count + 1, drawn)
        expect(next).toBeGreaterThanOrEqual(waitMs)
        expect(next).toBeLessThanOrEqual(2 * waitMs + 1)
      }),
      runs(500),
    )
  })

  it.each([
    [1, 250],
    [2, 500],
    [5, 4_000],
    [30, 60_000],
  ])('after %i failures, jobs wait %i ms on average, spread over all of twice that', (count, meanMs) => {
    const waits = Array.from({ length: 10_000 }, (_, i) =>
      backoffMs({ baseMs: 500, capMs: 120_000 }, count, chanceOf(`job_${i}`)(`a/m#${count}`)),
    )
    const mean = waits.reduce((sum, ms) => sum + ms, 0) / waits.length
    expect(Math.abs(mean - meanMs)).toBeLessThan(meanMs * 0.03)
    for (let tenth = 0; tenth < 10; tenth++) {
      const from = (meanMs * 2 * tenth) / 10
      const here = waits.filter(ms => ms >= from && ms < from + meanMs / 5).length
      expect(here / waits.length).toBeCloseTo(0.1, 1)
    }
  })
})
