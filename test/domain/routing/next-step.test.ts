import { describe, expect, it, test } from 'vitest'
import type { VerdictKind } from '../../../src/domain/classify/verdict.ts'
import type { Attempt } from '../../../src/domain/job.ts'
import type { RouteTarget } from '../../../src/domain/routing/chain.ts'
import { nextStep, type RoutingState, type Step, spends } from '../../../src/domain/routing/next-step.ts'
import { chanceOf } from '../../../src/domain/routing/strategy.ts'

const nowMs = 1_000_000_000
const target = (name: string, contextWindow?: number): RouteTarget => ({
  route: name,
  provider: name,
  model: 'm',
  ...(contextWindow !== undefined && { contextWindow }),
})
const backoff = { baseMs: 500, capMs: 120_000 }
/** Of the wait that `failures` (of them `more` only reckoned) ask for at `a`, what is left 10 ms after the last. */
const leftAt = (failed: number, more = 0): number =>
  Math.round(Math.min(500 * 2 ** (failed + more - 1), 120_000) * chanceOf('job')(`a/m#${failed}`)) - 10
const [a, b, c] = [target('a'), target('b'), target('c')]

/** `0 a transient` is a call on hop 0 by a; `0 a shutdown` one that was interrupted. All ended `agoMs` ago. */
const call = (text: string, agoMs = 10): Attempt => {
  const [hop, provider, word] = text.split(' ') as [string, string, string]
  const isInterrupted = ['shutdown', 'worker_lost', 'worker_crashed', 'expired'].includes(word)
  return {
    hop: Number(hop),
    provider,
    model: 'm',
    started_at: (nowMs - agoMs - 40) / 1_000,
    duration_ms: 40,
    status_code: null,
    verdict: isInterrupted ? null : (word as VerdictKind),
    reason: word,
    possibly_billed: false,
  }
}

interface Case {
  readonly targets?: readonly RouteTarget[]
  readonly log?: readonly (string | Attempt)[]
  readonly current?: RouteTarget | null
  readonly hop?: number
  readonly refusalHandsOver?: boolean
  /** Milliseconds from now; absent means now. */
  readonly shutFor?: Readonly<Record<string, number>>
  readonly spent?: number
  readonly retries?: number
  readonly random?: number
  /** Who can be asked only with something left out, and for how long from now the others are waited for. */
  readonly lastResorts?: readonly RouteTarget[]
  readonly exactForMs?: number
  /** Those on their way back whose places are all taken. */
  readonly returning?: readonly RouteTarget[]
  /** Of the job, from now. */
  readonly leftMs?: number
}

const stepOf = (given: Case): Step => {
  const attempts = (given.log ?? []).map(entry => (typeof entry === 'string' ? call(entry) : entry))
  const walk: RoutingState = {
    seed: 'job',
    expiresAtMs: nowMs + (given.leftMs ?? 86_400_000),
    targets: given.targets ?? [a, b],
    attempts,
    spent: given.spent ?? attempts.filter(spends).length,
    hop: given.hop ?? attempts.at(-1)?.hop ?? 0,
    current: given.current === undefined ? a : given.current,
    refusalHandsOver: given.refusalHandsOver ?? false,
    availableAt: t => {
      const waitMs = given.shutFor?.[t.provider]
      return waitMs === undefined ? 0 : nowMs + waitMs
    },
    isLastResort: t => given.lastResorts?.includes(t) ?? false,
    exactUntilMs: nowMs + (given.exactForMs ?? 5_000),
    isReturning: t => given.returning?.includes(t) ?? false,
  }
  const limits = { retries: given.retries ?? 1, maxAttempts: 5, backoffOf: () => backoff }
  return nextStep(walk, limits, nowMs, () => given.random ?? 0)
}

const told = (step: Step): string => {
  if (step.kind === 'call') return `call ${step.target.provider}`
  if (step.kind === 'park') return `park ${step.target.provider} ${step.untilMs - nowMs}`
  if (step.kind === 'wait') return 'wait'
  return step.kind === 'retry' ? `retry ${step.delayMs}` : `fail ${step.code}`
}

const cases = (rows: readonly [name: string, given: Case, step: string][]): void => {
  test.each(rows)('%s', (_, given, step) => {
    expect(told(stepOf(given))).toBe(step)
  })
}

describe('the next step of a job', () => {
  describe('where a job is called', () => {
    cases([
      ['first on the first target', { current: null }, 'call a'],
      ['where it stands, though one before it is ready', { current: b, hop: 1 }, 'call b'],
      ['elsewhere when the target it stands at is out of use', { shutFor: { a: 5_000 } }, 'call b'],
      ['on a target that is available from this very millisecond', { shutFor: { a: 0 } }, 'call a'],
      [
        'where it stands after a handover, though the first has rested meanwhile',
        { log: [call('0 a overloaded', 9_000)], current: b, hop: 1 },
        'call b',
      ],
      ['where it stands after a shutdown there', { log: ['1 b shutdown'], current: b }, 'call b'],
      ['where it stands after its worker was lost', { log: ['1 b worker_lost'], current: b }, 'call b'],
      [
        'elsewhere when the place it stands at is no target of the route any more',
        { current: c, hop: 1 },
        'call a',
      ],
    ])
  })

  describe('at a target on its way back', () => {
    const full = { returning: [a], shutFor: { a: 1_000, b: 9_000 } }
    cases([
      ['it waits for a place', full, 'wait'],
      [
        'it does not wait for one that is out for this job',
        { ...full, log: [call('0 a malformed', 600_000)] },
        'park b 9000',
      ],
    ])
  })

  describe('what a mirror was answered beside the job', () => {
    const mirrors = (text: string): Attempt => ({ ...call(text), mirror: true })
    cases([
      [
        'and could not be put into the format of the client ends nothing',
        { log: [mirrors('0 c untranslatable'), '0 a overloaded'], hop: 1, current: b },
        'call b',
      ],
      [
        'and is spoiled uses up no handover',
        { log: [mirrors('0 c malformed'), '0 a malformed'], hop: 1, current: b },
        'call b',
      ],
      [
        'is no call of the target where the job stands',
        { log: [mirrors('1 c transient')], hop: 1, current: b },
        'call b',
      ],
    ])
  })

  describe('after a transient failure', () => {
    cases([
      ['it is tried again here', { log: ['0 a transient'] }, `retry ${leftAt(1)}`],
      [
        'as often as configured, after longer waits',
        { log: ['0 a transient', '0 a transient'], retries: 2 },
        `retry ${leftAt(2)}`,
      ],
      ['at once when the wait is over already', { log: [call('0 a transient', 500)] }, 'call a'],
      [
        'parked where the wait is long: its place is of use to others',
        { log: Array.from({ length: 9 }, () => '0 a transient'), retries: 10, spent: 0 },
        `park a ${leftAt(9)}`,
      ],
      [
        'within half of what is left to the deadline',
        {
          log: Array.from({ length: 9 }, () => call('0 a transient', 0)),
          retries: 10,
          spent: 0,
          leftMs: 900,
        },
        'retry 450',
      ],
      ['and then handed over', { log: ['0 a transient', '0 a transient'] }, 'call b'],
      ['at once where no retries are wanted', { log: ['0 a transient'], retries: 0 }, 'call b'],
      ['at once when the target went out of use', { log: ['0 a transient'], shutFor: { a: 1 } }, 'call b'],
      [
        'with the tries counted anew at each hop',
        { log: ['0 a transient', '0 a transient', call('1 b transient', 500)], current: b },
        'call b',
      ],
    ])
  })

  describe('after a call that was given up after some time limit, it is not made again on the spot but handed over', () => {
    test.each<[string, Partial<Attempt>]>([
      ['ours', { reason: 'timeout' }],
      ['for a connection', { reason: 'connect', duration_ms: 10_000 }],
      ['of a gateway', { reason: 'http_504', status_code: 504 }],
      ['of a gateway, with a code of its own', { reason: 'upstream_gone', status_code: 504 }],
      ['of a CDN', { reason: 'http_524', status_code: 524 }],
      ['of the server, for the request', { reason: 'http_408', status_code: 408 }],
      ["as Anthropic's code tells", { reason: 'timeout_error' }],
      ["as Google's code tells", { reason: 'DEADLINE_EXCEEDED' }],
      ["as Bedrock's code tells", { reason: 'ModelTimeoutException' }],
    ])('%s', (_, more) => {
      const log = [{ ...call('0 a transient'), ...more }]
      expect(told(stepOf({ log, retries: 3 }))).toBe('call b')
      expect(stepOf({ targets: [a], log, retries: 3 })).toMatchObject({ kind: 'park', target: a })
    })

    test.each(['connect', 'dns'])(
      'which found nobody at once (%s), only where no other target is ready',
      reason => {
        const log = [{ ...call('0 a transient'), reason, duration_ms: 3 }]
        expect(told(stepOf({ log }))).toBe('call b')
        expect(stepOf({ targets: [a], log }).kind).toBe('retry')
        expect(stepOf({ log, shutFor: { b: 60_000 } }).kind).toBe('retry')
        expect(stepOf({ log, lastResorts: [b] }).kind).toBe('retry')
      },
    )
  })

  describe('after a failure of the target', () => {
    const kinds = [
      ...(['overloaded', 'rate_limited', 'out_of_quota', 'bad_credentials', 'unknown_model'] as const),
      ...(['unsupported', 'malformed'] as const),
    ] as const
    test.each(kinds)('%s hands over at once, to the next in order', kind => {
      expect(told(stepOf({ targets: [a, b, c], log: [`0 a ${kind}`] }))).toBe('call b')
    })
    cases([
      [
        'an earlier target that has rested comes first',
        { targets: [a, b, c], log: [call('0 a overloaded', 2_001), '1 b overloaded'], current: b },
        'call a',
      ],
      [
        'one that has not is passed over',
        { targets: [a, b, c], log: [call('0 a overloaded', leftAt(1, 2) + 9), '1 b overloaded'], current: b },
        'call c',
      ],
    ])
  })

  describe('a target that is a last resort', () => {
    const c = target('c')
    const given = { targets: [a, b], lastResorts: [b], current: null }
    cases([
      ['is not asked while another can be', { ...given }, 'call a'],
      ['is asked where the others are away for long', { ...given, shutFor: { a: 60_000 } }, 'call b'],
      ['waits for one that is back soon', { ...given, shutFor: { a: 4_000 } }, 'park a 4000'],
      ['waits no longer than the job may', { ...given, shutFor: { a: 4_000 }, exactForMs: 3_000 }, 'call b'],
      [
        'waits for that one, and not for another last resort that is ready before it',
        { ...given, targets: [a, b, c], lastResorts: [b, c], shutFor: { a: 4_000, c: 1_000 } },
        'park a 4000',
      ],
      [
        'is asked at once where the others have judged the request',
        { ...given, log: ['0 a rejected'], current: a },
        'call b',
      ],
      [
        'is called where the job has come to it',
        { ...given, current: b, hop: 1, log: ['0 a timeout'] },
        'call b',
      ],
      [
        'is waited for like any other when none is ready',
        { ...given, shutFor: { a: 60_000, b: 2_000 } },
        'park b 2000',
      ],
    ])
  })

  describe('after a judgement of the request', () => {
    const [small, same, large] = [target('small', 8), target('same', 8), target('large', 16)]
    const unknown = target('unknown')
    cases([
      [
        'too_long goes past windows no larger',
        { targets: [small, same, large], log: ['0 small too_long'], current: small },
        'call large',
      ],
      [
        'too_long tries an unknown window',
        { targets: [small, same, unknown], log: ['0 small too_long'], current: small },
        'call unknown',
      ],
      [
        'too_long where the window was unknown tries any other, once',
        { targets: [unknown, small], log: ['0 unknown too_long'], current: unknown },
        'call small',
      ],
      [
        'too_long everywhere fails',
        { targets: [large, small], log: ['0 large too_long'], current: large },
        'fail context_length_exceeded',
      ],
      ['rejected through a translation tries the others', { log: ['0 a rejected'] }, 'call b'],
      [
        'rejected everywhere fails',
        { log: ['0 a rejected', '1 b rejected'], current: b },
        'fail upstream_rejected',
      ],
      [
        'a rejection is never called again, however long the others are away',
        { log: [call('0 a rejected', 99_000)], shutFor: { b: 5_000 }, current: b, hop: 1 },
        'park b 5000',
      ],
      ['refused goes on where the route says so', { log: ['0 a refused'], refusalHandsOver: true }, 'call b'],
      [
        'refused everywhere fails',
        { log: ['0 a refused', '1 b refused'], current: b, refusalHandsOver: true },
        'fail refused',
      ],
      ['a route without targets fails', { targets: [] }, 'fail no_usable_target'],
    ])
  })

  describe('after an answer that is of no use', () => {
    cases([
      ['a spoiled one is asked of another', { log: ['0 a malformed'] }, 'call b'],
      [
        'whoever stands there, once',
        { targets: [a, b, c], log: ['0 a malformed', '1 b malformed'] },
        'fail malformed_answer',
      ],
      ['and not of the same model again', { targets: [a], log: ['0 a malformed'] }, 'fail malformed_answer'],
      [
        'it waits for another that is out of use',
        { log: ['0 a malformed'], shutFor: { b: 3_000 } },
        'park b 3000',
      ],
      [
        'one that cannot be told ends the job at once',
        { log: ['0 a untranslatable'] },
        'fail untranslatable_answer',
      ],
    ])
  })

  describe('after a target that cannot do it', () => {
    cases([
      [
        'the next is asked',
        { targets: [a, b, c], log: ['0 a unsupported', '1 b unsupported'], current: b },
        'call c',
      ],
      [
        'and it is never asked again',
        { log: [call('0 a unsupported', 600_000)], shutFor: { b: 3_000 } },
        'park b 3000',
      ],
      [
        'where it is the only one the job fails',
        { targets: [a], log: ['0 a unsupported'] },
        'fail upstream_rejected',
      ],
      [
        'it says more than a refusal elsewhere',
        { log: ['0 a unsupported', '1 b refused'], refusalHandsOver: true },
        'fail upstream_rejected',
      ],
    ])
  })

  describe('the budget', () => {
    test.each([
      ['connect', false],
      ['dns', false],
      ['tls', false],
      ['http_503', false],
      ['http_502', false],
      ['http_522', false],
      ['http_500', true],
      ['reset', true],
      ['timeout', true],
      ['not_json', true],
    ])('a transient failure by %s spends: %s', (reason, isSpent) => {
      expect(spends({ ...call('0 a transient'), reason })).toBe(isSpent)
    })

    test.each([
      ['transient', true],
      ['rejected', true],
      ['too_long', true],
      ['refused', true],
      ['ok', true],
      ['worker_lost', false],
      ['rate_limited', false],
      ['overloaded', false],
      ['out_of_quota', false],
      ['bad_credentials', false],
      ['unknown_model', false],
      ['unsupported', false],
      ['malformed', true],
      ['untranslatable', true],
      ['shutdown', false],
    ])('a call that ended %s spends: %s', (word, isSpent) => {
      expect(spends(call(`0 a ${word}`))).toBe(isSpent)
    })

    it('ends the job when it is used up, whatever could still be called', () => {
      expect(told(stepOf({ spent: 4 }))).toBe('call a')
      expect(told(stepOf({ spent: 5 }))).toBe('fail attempts_exhausted')
    })
    it.each([
      [20, 0, 'call a'],
      [2, 2, 'call a'],
      [2, 3, 'fail worker_crashed'],
    ])('is not for the ends of workers: after %i among others and %i alone, %s', (lost, crashed, step) => {
      const log = [...Array(lost).fill('0 a worker_lost'), ...Array(crashed).fill('0 a worker_crashed')]
      expect(told(stepOf({ log }))).toBe(step)
    })

    it('leaves the better reason when the request was judged everywhere', () => {
      expect(told(stepOf({ log: ['0 a rejected', '1 b rejected'], spent: 5 }))).toBe('fail upstream_rejected')
    })
  })

  describe('a job that nobody can serve now', () => {
    const failedAtA = (count: number) => Array.from({ length: count }, () => '0 a overloaded')
    cases([
      ['waits for the earliest target', { shutFor: { a: 9_000, b: 4_000 } }, 'park b 4000'],
      ['over at least a second', { shutFor: { a: 4_000, b: 9_000 }, random: 1 }, 'park a 5000'],
      ['and over a tenth of a long wait', { shutFor: { a: 60_000, b: 90_000 }, random: 1 }, 'park a 66000'],
      ['never for nothing', { shutFor: { a: 1, b: 1 } }, 'park a 100'],
      ['waits out its own backoff', { targets: [a], log: failedAtA(1) }, `park a ${leftAt(1, 2)}`],
      ['which doubles', { targets: [a], log: failedAtA(2) }, `park a ${leftAt(2, 2)}`],
      ['and doubles', { targets: [a], log: failedAtA(5) }, `park a ${leftAt(5, 2)}`],
      ['up to the cap', { targets: [a], log: failedAtA(50) }, `park a ${leftAt(50, 2)}`],
      [
        'no longer than half of what is left to its deadline',
        { targets: [a], log: [...failedAtA(49), call('0 a overloaded', 0)], leftMs: 2_000 },
        'park a 1000',
      ],
      [
        'waits for health when that takes longer',
        { targets: [a], log: failedAtA(1), shutFor: { a: 8_000 } },
        'park a 8000',
      ],
      ['is not held up by a call that was interrupted', { targets: [a], log: ['0 a worker_lost'] }, 'call a'],
    ])

    it('counts the backoff from the end of the last call, however long that took', () => {
      const slow = {
        ...call('0 a overloaded', 0),
        started_at: (nowMs - 300_000) / 1_000,
        duration_ms: 300_000,
      }
      expect(told(stepOf({ targets: [a], log: [slow] }))).toBe(`park a ${leftAt(1, 2) + 10}`)
    })
  })
})
