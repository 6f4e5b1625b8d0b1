import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Circuit, healthyCircuit } from '../../src/domain/circuit.ts'
import { createCircuitStore } from '../../src/health/circuit-store.ts'
import { type Circuits, createCircuits } from '../../src/health/circuits.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const startMs = 1_700_000_000_000
const log = pino({ level: 'silent' })

let redis: Redis
let circuits: Circuits
let nowMs: number
let drawn: number
let isChecked: boolean

beforeEach(() => {
  const { url, prefix } = testRedis()
  redis = createPatientRedis(url, log)
  nowMs = startMs
  drawn = 0
  isChecked = false
  const now = () => nowMs
  circuits = createCircuits({
    store: createCircuitStore(redis, prefix, now),
    ...{ subscriber: redis, prefix, log, now },
    isChecked: () => isChecked,
    random: () => drawn,
  })
})
afterEach(() => redis.disconnect())

const stands = (circuit: Partial<Circuit>): void =>
  circuits.learn({ ...healthyCircuit('first'), seq: 1, sinceMs: startMs, ...circuit })
/** Ms from now at which a job may be sent. */
const sendsIn = (): number => Math.max(0, circuits.sendsAt('first') - nowMs)

describe('circuits of one process', () => {
  describe('jobs are sent to a provider', () => {
    it('that is closed, or that nobody has heard of', () => {
      expect(sendsIn()).toBe(0)
      stands({})
      expect(sendsIn()).toBe(0)
    })

    it('that is open when its time has passed, one in a second: it probes', () => {
      stands({ state: 'down', untilMs: startMs + 5_000 })
      expect(sendsIn()).toBe(5_000)
      nowMs += 5_000
      expect([sendsIn(), sendsIn(), sendsIn()]).toEqual([0, 1_000, 1_000])
      nowMs += 999
      expect(sendsIn()).toBe(1)
      nowMs += 1
      expect([sendsIn(), sendsIn()]).toEqual([0, 1_000])
    })

    it('that is open, not for a probe, where a health check makes it', () => {
      isChecked = true
      stands({ state: 'down', untilMs: startMs })
      expect([sendsIn(), sendsIn()]).toEqual([1_000, 1_000])
    })

    it('that is being probed, when whoever probes has fallen silent', () => {
      stands({ state: 'probing', untilMs: startMs + 3_000, owner: 'w1' })
      expect(sendsIn()).toBe(1_000)
      nowMs += 3_000
      expect(sendsIn()).toBe(0)
    })

    it.each([
      [0.24, 0],
      [0.25, 1_000],
    ])('that is on its way back, by its share: of 0.25, drawn %s', (number, waitMs) => {
      drawn = number
      stands({ state: 'recovering', share: 0.25, untilMs: startMs + 1_000 })
      expect(sendsIn()).toBe(waitMs)
    })

    it('that was throttled, when its time has passed, by the share it is to have', () => {
      drawn = 0.5
      stands({ state: 'throttled', share: 0.1, untilMs: startMs + 5_000 })
      expect(sendsIn()).toBe(5_000)
      nowMs += 5_000
      expect(sendsIn()).toBe(1_000)
      drawn = 0.05
      expect(sendsIn()).toBe(0)
    })

    it('that is paused, never', () => {
      stands({ pausedAtMs: startMs })
      expect(sendsIn()).toBe(1_000)
      nowMs += 60_000
      expect(sendsIn()).toBe(15_000)
    })
  })
})
