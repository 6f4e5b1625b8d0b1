import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type VerdictKind, verdictKinds } from '../../src/domain/classify/verdict.ts'
import type { Attempt } from '../../src/domain/job.ts'
import type { RouteTarget } from '../../src/domain/routing/chain.ts'
import { nextStep, type Step, spends } from '../../src/domain/routing/next-step.ts'
import { type Choice, chanceOf, orderTargets } from '../../src/domain/routing/strategy.ts'
import { patienceMs, runs } from './runs.ts'

/** How a call ends in this world: as judged, or cut off. */
interface Ending {
  readonly verdict: VerdictKind | null
  readonly reason: string
  readonly tookMs: number
}

interface World {
  readonly targets: readonly RouteTarget[]
  readonly limits: { readonly retries: number; readonly maxAttempts: number }
  readonly refusalHandsOver: boolean
  /** Call for call, from the first again when they are used up. */
  readonly endings: readonly Ending[]
  /** For each target when it is out of use, in ms: of every period so much. */
  readonly outages: readonly { readonly everyMs: number; readonly forMs: number }[]
  readonly chance: readonly number[]
  /** A strategy may put the targets into another order at each decision: one for each seed, in turn. None keeps to the chain. */
  readonly orders: readonly string[]
}

const reasonsOf: Readonly<Partial<Record<VerdictKind, readonly string[]>>> = {
  transient: ['http_500', 'http_503', 'connect', 'timeout', 'not_json'],
}
const judged = fc
  .constantFrom(...verdictKinds.filter(kind => kind !== 'ok'))
  .chain(verdict =>
    fc.constantFrom(...(reasonsOf[verdict] ?? [verdict])).map(reason => ({ verdict, reason })),
  )
const interrupted = fc.constantFrom('worker_lost', 'shutdown').map(reason => ({ verdict: null, reason }))
const ending: fc.Arbitrary<Ending> = fc
  .oneof(
    { weight: 9, arbitrary: fc.tuple(judged, fc.nat(30_000)) },
    // Nobody loses a worker many times a second.
    { weight: 1, arbitrary: fc.tuple(interrupted, fc.integer({ min: 1_000, max: 30_000 })) },
  )
  .map(([end, tookMs]) => ({ ...end, tookMs }))

const world: fc.Arbitrary<World> = fc.record({
  targets: fc
    .array(fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), { maxLength: 4 })
    .map(windows =>
      windows.map((contextWindow, i) => ({
        route: `r${i}`,
        provider: `p${i}`,
        model: 'm',
        ...(contextWindow !== undefined && { contextWindow }),
      })),
    ),
  limits: fc.record({ retries: fc.nat(3), maxAttempts: fc.integer({ min: 1, max: 8 }) }),
  refusalHandsOver: fc.boolean(),
  endings: fc.array(ending, { minLength: 1, maxLength: 12 }),
  outages: fc.array(
    fc.record({ everyMs: fc.integer({ min: 1_000, max: 300_000 }), forMs: fc.nat(200_000) }),
    {
      minLength: 4,
      maxLength: 4,
    },
  ),
  chance: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 7,
  }),
  orders: fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
})

interface Call {
  readonly target: RouteTarget
  readonly hop: number
  readonly atMs: number
  readonly isRetry: boolean
  readonly attempt: Attempt
}

interface Walked {
  readonly calls: readonly Call[]
  readonly parks: readonly { readonly atMs: number; readonly step: Step & { kind: 'park' } }[]
  readonly end: Step | 'deadline'
  readonly spent: number
  readonly hops: readonly number[]
}

const backoff = { baseMs: 500, capMs: 120_000 }
const startMs = 1_000_000_000
const deadlineMs = startMs + 600_000

const weightedBy = (seed: string): Choice<RouteTarget> => ({
  strategy: 'weighted',
  weightOf: () => 1,
  figuresOf: () => ({ failures: 0, successShare: 1, p95Ms: null, firstTokenP95Ms: null }),
  isStreamed: false,
  tokens: { input: 0, output: 0 },
  chance: chanceOf(seed),
  keyOf: ({ provider }) => provider,
})

const seedOf = ({ chance }: World): string => String(chance[0])

/** Whether a call is another try at a place that was not left, as far as the limits allow them. */
const isOnTheSpot = (call: Call, here: readonly Call[], { retries }: World['limits']): boolean => {
  const last = here.at(-1)
  const tries = here.filter(({ hop, attempt }) => hop === call.hop && attempt.verdict === 'transient')
  return last?.hop === call.hop && last.attempt.verdict === 'transient' && tries.length <= retries
}

/** A job's life as its workers lead it: decide, call, note down, decide again, until it ends or its time is over. */
const walkThrough = (given: World): Walked => {
  const { targets, limits, refusalHandsOver, endings, outages, chance, orders } = given
  let [nowMs, hop, spent, drawn, decisions] = [startMs, 0, 0, 0, 0]
  let current: RouteTarget | null = targets[0] ?? null
  const attempts: Attempt[] = []
  const calls: Call[] = []
  const parks: { atMs: number; step: Step & { kind: 'park' } }[] = []
  const hops: number[] = []
  const availableAt = (target: RouteTarget): number => {
    const { everyMs, forMs } = outages[targets.indexOf(target)]!
    const into = (nowMs - startMs) % everyMs
    return into < Math.min(forMs, everyMs - 1) ? nowMs + Math.min(forMs, everyMs - 1) - into : 0
  }
  const random = (): number => chance[drawn++ % chance.length]!
  const moveTo = (target: RouteTarget): void => {
    if (current !== target) hop += 1
    current = target
    hops.push(hop)
  }
  const call = (target: RouteTarget, isRetry: boolean): void => {
    const { verdict, reason, tookMs } = endings[calls.length % endings.length]!
    const attempt: Attempt = {
      hop,
      provider: target.provider,
      model: target.model,
      started_at: nowMs / 1_000,
      duration_ms: reason === 'worker_lost' ? null : tookMs,
      status_code: null,
      verdict,
      reason,
      possibly_billed: false,
    }
    calls.push({ target, hop, atMs: nowMs, isRetry, attempt })
    nowMs += tookMs
    attempts.push(attempt)
    if (spends(attempt)) spent += 1
  }

  const facts = { seed: seedOf(given), expiresAtMs: deadlineMs }
  while (nowMs < deadlineMs) {
    const seed = orders[decisions++ % orders.length]
    const inOrder = seed === undefined ? targets : orderTargets(targets, weightedBy(seed))
    const walk = { ...facts, targets: inOrder, attempts, spent, hop, current, refusalHandsOver, availableAt }
    const step = nextStep(walk, { ...limits, backoffOf: () => backoff }, nowMs, random)
    if (step.kind === 'wait') throw new Error('no target here is on its way back')
    if (step.kind === 'fail') return { calls, parks, end: step, spent, hops }
    if (step.kind === 'park') {
      parks.push({ atMs: nowMs, step })
      moveTo(step.target)
      nowMs = step.untilMs
    } else if (step.kind === 'retry') {
      nowMs += step.delayMs
      call(current!, true)
    } else {
      moveTo(step.target)
      call(step.target, false)
    }
  }
  return { calls, parks, end: 'deadline', spent, hops }
}

/** Worlds come with what is wrong in them. */
const everyWorld = (check: (walked: Walked, given: World) => void): void =>
  fc.assert(
    fc.property(world, given => check(walkThrough(given), given)),
    runs(1_500),
  )

const at = (call: Call): string => call.target.provider

describe('a walk, whatever the targets do', { timeout: patienceMs }, () => {
  it('ends at its deadline at the latest, after a bounded number of calls', () => {
    everyWorld(({ calls, parks }, { targets, limits, endings }) => {
      // A call doubles the time to the next on its target, up to two minutes, and by jitter half of it is waited, about. Near
      // the deadline it is half of what is left. Only calls that were cut off are not counted.
      const isCutOff = endings.some(({ verdict }) => verdict === null)
      const perTarget = 3 * (7 + (deadlineMs - startMs) / 60_000) + Math.log2(deadlineMs - startMs)
      if (!isCutOff)
        expect(calls.length).toBeLessThanOrEqual(targets.length * perTarget * (limits.retries + 1))
      // No park is shorter than this, whatever health says.
      expect(parks.length).toBeLessThanOrEqual((deadlineMs - startMs) / 100)
    })
  })

  it('spends no more calls than its budget', () => {
    everyWorld(({ calls, spent, end }, { limits }) => {
      expect(spent).toBe(calls.filter(({ attempt }) => spends(attempt)).length)
      expect(spent).toBeLessThanOrEqual(limits.maxAttempts)
      if (typeof end !== 'string' && end.kind === 'fail' && end.code === 'attempts_exhausted') {
        expect(spent).toBe(limits.maxAttempts)
      }
    })
  })

  it('never goes back a hop, and is at a target of its own', () => {
    everyWorld(({ calls, parks, hops }, { targets }) => {
      expect(hops).toEqual([...hops].sort((a, b) => a - b))
      for (const call of calls) expect(targets).toContain(call.target)
      for (const { step } of parks) expect(targets).toContain(step.target)
    })
  })

  it('never asks again who judged the request itself', () => {
    everyWorld(({ calls }, { refusalHandsOver }) => {
      for (const [i, { target, attempt }] of calls.entries()) {
        const { verdict } = attempt
        const isJudged =
          ['rejected', 'unsupported', 'malformed', 'too_long'].includes(verdict!) ||
          (verdict === 'refused' && refusalHandsOver)
        if (!isJudged) continue
        const later = calls.slice(i + 1)
        expect(later.map(at)).not.toContain(target.provider)
        if (verdict !== 'too_long') continue
        // Nor one whose window is known to be no larger.
        const small = ({ contextWindow }: RouteTarget) =>
          contextWindow !== undefined &&
          target.contextWindow !== undefined &&
          contextWindow <= target.contextWindow
        expect(later.filter(call => small(call.target))).toEqual([])
      }
    })
  })

  it('pays for two spoiled answers at most, and for one that nobody can use', () => {
    everyWorld(({ calls }) => {
      const ofKind = (kind: VerdictKind) => calls.filter(({ attempt }) => attempt.verdict === kind)
      expect(ofKind('malformed').length).toBeLessThanOrEqual(2)
      const [unusable] = ofKind('untranslatable')
      if (unusable) expect(calls.at(-1)).toBe(unusable)
    })
  })

  it('calls again on the spot as often as it may, and otherwise leaves a target alone for longer each time', () => {
    everyWorld(({ calls }, given) => {
      const { limits } = given
      for (const [i, call] of calls.entries()) {
        const here = calls.slice(0, i).filter(earlier => at(earlier) === at(call))
        if (call.isRetry) {
          const tries = here.filter(({ hop, attempt }) => hop === call.hop && attempt.verdict === 'transient')
          expect(tries.length).toBeGreaterThan(0)
          expect(tries.length).toBeLessThanOrEqual(limits.retries)
        }
        const failed = here.filter(({ attempt }) => attempt.verdict !== null)
        const last = failed.at(-1)
        if (!last) continue
        const endedAtMs = last.atMs + (last.attempt.duration_ms ?? 0)
        const doublings = failed.length - 1 + (isOnTheSpot(call, here, limits) ? 0 : 2)
        const longestMs = Math.min(backoff.baseMs * 2 ** doublings, backoff.capMs)
        const drawn = chanceOf(seedOf(given))(`${at(call)}/m#${failed.length}`)
        const backoffMs = Math.min(longestMs * drawn, Math.max(0, (deadlineMs - endedAtMs) / 2))
        // Times in a log are seconds with a fraction.
        expect(call.atMs - endedAtMs).toBeGreaterThanOrEqual(backoffMs - 1)
      }
    })
  })

  it('parks for a time that is to come, and not for longer than its target asks for', () => {
    everyWorld(({ parks }, { outages }) => {
      const longestOutMs = Math.max(...outages.map(({ everyMs }) => everyMs), backoff.capMs)
      for (const { atMs, step } of parks) {
        expect(Number.isInteger(step.untilMs)).toBe(true)
        expect(step.untilMs - atMs).toBeGreaterThanOrEqual(100)
        // A tenth more, and a second, spread those that come back.
        expect(step.untilMs - atMs).toBeLessThanOrEqual(longestOutMs * 1.1 + 1_001)
      }
    })
  })

  it('fails for the reason that its log gives', () => {
    everyWorld(({ calls, end }, { targets }) => {
      if (typeof end === 'string' || end.kind !== 'fail') return
      const verdicts = new Set(calls.map(({ attempt }) => attempt.verdict))
      const needs: Readonly<Record<string, readonly VerdictKind[]>> = {
        upstream_rejected: ['rejected', 'unsupported'],
        context_length_exceeded: ['too_long'],
        refused: ['refused'],
        malformed_answer: ['malformed'],
        untranslatable_answer: ['untranslatable'],
      }
      const needed = needs[end.code]
      if (needed !== undefined) expect(needed.some(kind => verdicts.has(kind))).toBe(true)
      if (end.code === 'no_usable_target') expect(targets).toEqual([])
    })
  })
})
