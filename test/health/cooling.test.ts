import { pino } from 'pino'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { termsOf } from '../../src/domain/circuit-terms.ts'
import { createCircuitStore } from '../../src/health/circuit-store.ts'
import { createCircuits } from '../../src/health/circuits.ts'
import { createLeaveAlone, type LeaveAlone } from '../../src/health/cooling.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const terms = termsOf({
  ...{ windowMs: 10_000, errorPercent: 50, minCalls: 10, runLength: 100, slowFactor: 2, resetMs: 1_000 },
  ...{ maxResetMs: 3_000, rampMs: 3_000, checkMs: 1_000, firstShare: 0.1 },
})
const { url, prefix } = testRedis()
const log = pino({ level: 'silent' })
const redis = createPatientRedis(url, log)
afterAll(() => redis.disconnect())

let nowMs = 1_700_000_000_000
let told: number[]
let leaveAlone: LeaveAlone

beforeEach(() => {
  const now = (): number => nowMs
  const real = createCircuitStore(redis, prefix, now)
  told = []
  const store: typeof real = {
    ...real,
    leaveAlone: (provider, at, untilMs, reason) => {
      told.push(untilMs - nowMs)
      return real.leaveAlone(provider, at, untilMs, reason)
    },
  }
  const circuits = createCircuits({
    store,
    subscriber: redis,
    prefix,
    log,
    now,
    random: Math.random,
    isChecked: () => false,
  })
  leaveAlone = createLeaveAlone({ provider: 'first', terms, store, circuits, log, now })
})

describe('a 429 is reported to the cluster', () => {
  it('where it says how long to wait, and again when that moves', () => {
    for (const forMs of [1_000, 1_010, 1_200]) leaveAlone(nowMs + forMs, 'rate_limited')
    expect(told).toEqual([1_000, 1_200])
  })

  it('not where the next call may follow at once: nothing would be left alone', () => {
    for (let i = 0; i < 3; i++) {
      leaveAlone(nowMs, 'rate_limited')
      nowMs += 10
    }
    expect(told).toEqual([])
  })
})
