import { describe, expect, test } from 'vitest'
import { type Circuit, healthyCircuit, isProbeDue, placesBack, shutUntil } from '../../src/domain/circuit.ts'
import { resetsOf, sharesOf, termsOf } from '../../src/domain/circuit-terms.ts'

const nowMs = 1_000_000
const circuit = (state: Circuit['state'], more: Partial<Circuit> = {}): Circuit => ({
  ...healthyCircuit('first'),
  state,
  sinceMs: nowMs - 3_000,
  ...more,
})

describe('circuit rules', () => {
  test.each([
    [30_000, 300_000, [30_000, 60_000, 120_000, 240_000, 300_000]],
    [1_000, 1_000, [1_000]],
    [1_000, 500, [1_000]],
    [1_000, 3_000, [1_000, 2_000, 3_000]],
  ])('a reset of %i ms doubles up to %i ms', (resetMs, maxMs, resets) => {
    expect(resetsOf(resetMs, maxMs)).toEqual(resets)
  })

  test.each([
    ['five minutes by the minute', 300_000, 60_000, 0.05, [0.05, 0.24, 0.43, 0.62, 0.81]],
    ['a check that does not divide the ramp', 5_000, 2_000, 0.1, [0.1, 0.4, 0.7]],
    ['a check longer than the ramp', 1_000, 60_000, 0.05, [0.05]],
    ['no ramp', 0, 60_000, 0.05, []],
  ])('the ramp: %s', (_, rampMs, checkMs, firstShare, shares) => {
    expect(sharesOf(rampMs, checkMs, firstShare).map(share => Number(share.toFixed(6)))).toEqual(shares)
  })

  test.each([
    ['healthy', circuit('healthy'), 0],
    ['recovering, as a share of calls may be made', circuit('recovering'), 0],
    ['throttled', circuit('throttled', { untilMs: nowMs + 500 }), nowMs + 500],
    ['cooling until now, as a share may be made', circuit('throttled', { untilMs: nowMs }), 0],
    ['down', circuit('down', { untilMs: nowMs + 9_000 }), nowMs + 9_000],
    ['open until now, so that a probe is due', circuit('down', { untilMs: nowMs }), 0],
    ['slow until a probe is due', circuit('slow', { untilMs: nowMs + 9_000 }), nowMs + 3_000],
    ['slow, so that a probe is due', circuit('slow', { untilMs: nowMs }), 0],
    ['probing for three seconds', circuit('probing', { untilMs: nowMs + 1 }), nowMs + 3_000],
    [
      'probing for a minute',
      circuit('probing', { sinceMs: nowMs - 60_000, untilMs: nowMs + 1 }),
      nowMs + 15_000,
    ],
    ['probing by one that fell silent', circuit('probing', { untilMs: nowMs }), 0],
    ['paused, whatever is beneath', circuit('healthy', { pausedAtMs: nowMs - 10 }), nowMs + 1_000],
    ['paused when a probe was due', circuit('down', { untilMs: nowMs, pausedAtMs: nowMs }), nowMs + 1_000],
  ])('how long no call is made: %s', (_, given, untilMs) => {
    expect(shutUntil(given, nowMs)).toBe(untilMs)
  })

  test('a probe is never due where calls are made anyway', () => {
    expect(isProbeDue(circuit('recovering', { untilMs: nowMs - 1 }), nowMs)).toBe(false)
    expect(isProbeDue(circuit('healthy'), nowMs)).toBe(false)
  })

  test.each([
    [0.05, 50, 2],
    [0.05, 4, 1],
    [0.5, 25, 12],
  ])('a share of %d leaves %i places %i calls', (share, concurrency, places) => {
    expect(placesBack(share, concurrency)).toBe(places)
  })

  test('one that came back is judged on few calls, but never on more than otherwise', () => {
    const settings = {
      ...{ windowMs: 30_000, errorPercent: 50, runLength: 5, slowFactor: 2, resetMs: 1, maxResetMs: 1 },
      ...{ rampMs: 1, checkMs: 1, firstShare: 1 },
    }
    expect(termsOf({ ...settings, minCalls: 10 })).toMatchObject({ minCallsBack: 3, bucketMs: 3_000 })
    expect(termsOf({ ...settings, minCalls: 2 })).toMatchObject({ minCallsBack: 2 })
  })
})
