import { describe, expect, it } from 'vitest'
import { countedWork, p95Within } from '../../src/health/counted-work.ts'
import type { ProcessHeartbeat, WorkerHeartbeat } from '../../src/health/heartbeats.ts'
import { createRates } from '../../src/telemetry/rates.ts'

const worker = (instance: string, ok: number, failed: number): WorkerHeartbeat => ({
  ...{
    provider: 'openai',
    instance,
    pid: 1,
    breaker: 'closed',
    callsInFlight: 0,
    concurrency: 1,
    seenAtMs: 0,
  },
  counts: {
    attempts: { ok, transient: failed, rejected: 1_000 },
    ...{ handovers: failed, parks: 0, ends: { succeeded: ok, failed: 0 }, took: { 0: ok, 20: failed } },
  },
})
const process_ = (accepted: number): ProcessHeartbeat => ({
  ...{ instance: 'p', accepted, ends: { cancelled: 0, expired: accepted / 10 }, seenAtMs: 0 },
})

describe('rates of what heartbeats count', () => {
  it('are known from the second look on, over all processes', () => {
    const rates = createRates(10_000)
    rates.note(0, countedWork([worker('a', 100, 0)], [process_(1_000)]))
    expect(rates.perSecond('ended')).toBeNull()
    rates.note(2_000, countedWork([worker('a', 120, 4)], [process_(1_060)]))
    expect(rates.perSecond('accepted')).toBe(30)
    expect(rates.perSecond('ended')).toBe(13)
    expect(rates.perSecond('failed')).toBe(3)
    expect(rates.perSecond('handovers')).toBe(2)
    // What a client's own request was to blame for is a call, and no failure.
    expect(rates.perSecond('attempts:openai')).toBe(12)
    expect(rates.perSecond('failures:openai')).toBe(2)
  })

  it('do not take what a worker did before it was seen for new', () => {
    const rates = createRates(10_000)
    rates.note(0, countedWork([worker('a', 0, 0)], []))
    rates.note(2_000, countedWork([worker('a', 10, 0), worker('b', 1_000_000, 0)], []))
    expect(rates.perSecond('ended')).toBe(5)
    // One that began anew counts from 0.
    rates.note(4_000, countedWork([worker('a', 0, 0), worker('b', 1_000_020, 0)], []))
    expect(rates.perSecond('ended')).toBe(5)
  })

  it('are those of the span, and unknown after a long pause', () => {
    const rates = createRates(10_000)
    for (const [atMs, ok] of [
      [0, 0],
      [10_000, 1_000],
      [20_000, 1_010],
    ] as const)
      rates.note(atMs, countedWork([worker('a', ok, 0)], []))
    expect(rates.perSecond('ended')).toBe(1)
    rates.note(900_000, countedWork([worker('a', 9_000, 0)], []))
    expect(rates.perSecond('ended')).toBeNull()
  })

  it('tell how long 19 of 20 answers took', () => {
    const rates = createRates(10_000)
    rates.note(0, countedWork([worker('a', 500, 500)], []))
    expect(p95Within(rates, 'openai')).toBeNull()
    rates.note(2_000, countedWork([worker('a', 600, 501)], []))
    expect(p95Within(rates, 'openai')).toBe(10)
    rates.note(4_000, countedWork([worker('a', 600, 540)], []))
    expect(p95Within(rates, 'openai')).toBeGreaterThan(800)
  })
})
