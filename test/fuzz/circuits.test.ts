import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { type Circuit, healthyCircuit, isProbeDue, shutUntil } from '../../src/domain/circuit.ts'
import { termsOf } from '../../src/domain/circuit-terms.ts'
import { createCircuitStore } from '../../src/health/circuit-store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { tallyOf } from '../health/tally-of.ts'
import { testRedis } from '../support/redis.ts'
import { patienceMs, runs } from './runs.ts'

// Whatever processes tell of a provider, and in whatever order: its state moves along the arrows that docs/health.md names.

const { url, prefix } = testRedis()
const redis = createPatientRedis(url, pino({ level: 'silent' }))
afterAll(() => redis.disconnect())

const terms = termsOf({
  ...{ windowMs: 10_000, errorPercent: 50, minCalls: 6, runLength: 5, slowFactor: 2 },
  ...{ resetMs: 2_000, maxResetMs: 7_000, rampMs: 3_000, checkMs: 1_000, firstShare: 0.1 },
})

const processes = ['w1', 'w2', 'w3'] as const
type Act =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'report'; readonly ok: number; readonly failed: number; readonly isOld: boolean }
  | { readonly kind: 'cool'; readonly ms: number }
  | { readonly kind: 'overdue'; readonly ages: readonly number[] }
  | { readonly kind: 'late' | 'trip' | 'lease' | 'pause' | 'resume' | 'condemn' }
  | { readonly kind: 'conclude'; readonly outcome: 'success' | 'failure' | 'ignored' }

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 600, 1_000, 2_500, 12_000) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      ok: fc.nat(6),
      failed: fc.nat(6),
      isOld: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('cool' as const), ms: fc.integer({ min: -500, max: 5_000 }) }),
  fc.record({ kind: fc.constant('overdue' as const), ages: fc.array(fc.nat(5_000), { maxLength: 3 }) }),
  fc.record({ kind: fc.constantFrom('late', 'trip', 'lease', 'pause', 'resume', 'condemn') }),
  fc.record({
    kind: fc.constant('conclude' as const),
    outcome: fc.constantFrom('success', 'failure', 'ignored'),
  }),
)

/** Where a state may lead, itself apart. */
const arrows: Readonly<Record<Circuit['state'], readonly Circuit['state'][]>> = {
  healthy: ['throttled', 'slow', 'down'],
  throttled: ['recovering', 'down'],
  slow: ['probing', 'healthy'],
  down: ['probing', 'healthy'],
  probing: ['recovering', 'down', 'healthy'],
  recovering: ['healthy', 'throttled', 'slow', 'down'],
}

let names = 0

const play = async (acts: readonly (readonly [(typeof processes)[number], Act])[]): Promise<void> => {
  const name = `p${names++}`
  let nowMs = 1_700_000_000_000
  const store = createCircuitStore(redis, prefix, () => nowMs)
  let before = healthyCircuit(name)
  let probeEra = 0
  let oldEra = 0

  const carryOut = async (by: string, step: Act): Promise<Circuit> => {
    const { era } = before
    const tell = async (part: Parameters<typeof tallyOf>[0]) =>
      (await store.report(name, terms, tallyOf({ era, by, ...part }), -1)) ?? before
    switch (step.kind) {
      case 'wait':
        nowMs += step.ms
        return tell({})
      case 'report': {
        const { ok, failed, isOld } = step
        return tell({ era: isOld ? oldEra : era, ok, failed, answers: ok, longest: ok > 0 ? [500] : [] })
      }
      case 'cool':
        return store.leaveAlone(name, terms, nowMs + step.ms, 'rate_limited')
      case 'overdue':
        return (
          await store.overdue(
            name,
            terms,
            era,
            by,
            step.ages.toSorted((a, b) => b - a),
          )
        ).circuit
      case 'late':
        return tell({ era: oldEra, late: true })
      case 'trip':
        return tell({ trippedSinceMs: nowMs - 100, reason: 'connect' })
      case 'lease': {
        const { taken, circuit } = await store.lease(name, by, 5_000)
        expect(taken).toBe(isProbeDue(before, nowMs))
        if (taken) probeEra = circuit.era
        return circuit
      }
      case 'conclude':
        return store.conclude(name, terms, probeEra, step.outcome, 'http_503')
      case 'condemn':
        return store.openByCheck(name, terms, era, 'connect', nowMs)
      default:
        return store.pause(name, step.kind === 'pause')
    }
  }

  for (const [by, step] of acts) {
    const after = await carryOut(by, step)
    const told = `${JSON.stringify(step)}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`
    const moved = before.state !== after.state
    if (moved) {
      expect(arrows[before.state], told).toContain(after.state)
      // A slow or an open one closes by an answer of before alone.
      if (['slow', 'down', 'probing'].includes(before.state) && after.state === 'healthy')
        expect(before.reason, told).toBe('overdue')
    }
    expect(after.seq, told).toBeGreaterThanOrEqual(before.seq)
    expect(after.era, told).toBeGreaterThanOrEqual(before.era)
    expect(after.share, told).toBeGreaterThanOrEqual(0)
    expect(after.share, told).toBeLessThanOrEqual(1)
    if (after.state === 'healthy')
      expect(after, told).toMatchObject({ share: 1, relapses: 0, reason: '', step: 0 })
    else expect(after.reason, told).not.toBe('')
    // A share grows a step at a time, and never without its time.
    if (before.state === 'recovering' && after.state === 'recovering' && after.step !== before.step) {
      expect(after.step, told).toBe(before.step + 1)
      expect(before.untilMs, told).toBeLessThanOrEqual(nowMs)
    }
    // Waits of one that cools are only extended, but by a person, who may end them.
    if (before.state === 'throttled' && after.state === 'throttled' && step.kind !== 'resume')
      expect(after.untilMs, told).toBeGreaterThanOrEqual(before.untilMs)
    // Throttling opens nothing, and an open one has its time.
    if (step.kind === 'cool') expect(after.state === 'down', told).toBe(before.state === 'down')
    if (moved && after.state === 'down')
      expect(shutUntil({ ...after, pausedAtMs: 0 }, nowMs), told).toBeGreaterThan(nowMs)
    if (after.era !== before.era) oldEra = before.era
    before = after
  }
}

describe('random circuits', () => {
  describe("a provider's health", { timeout: patienceMs }, () => {
    it('moves along its arrows, whoever tells what', async () => {
      const acts = fc.array(fc.tuple(fc.constantFrom(...processes), act), { minLength: 5, maxLength: 60 })
      await fc.assert(fc.asyncProperty(acts, play), runs(60))
    })
  })
})
