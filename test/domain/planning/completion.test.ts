import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { classWeights } from '../../../src/domain/place.ts'
import {
  type Crowd,
  completionAt,
  servedInAll,
  servedUntil,
  type Watch,
  watchDeadline,
} from '../../../src/domain/planning/completion.ts'

const none = { interactive: 0, default: 0, bulk: 0 }
const alone: Crowd = { class: 'bulk', waiting: none, own: 0, tenants: 0 }

describe('how many are served until some are', () => {
  it.each([
    ['alone', 10, [], 10],
    ['beside an equal that has more', 10, [{ waiting: 100, weight: 1 }], 20],
    ['beside an equal that has less', 10, [{ waiting: 3, weight: 1 }], 13],
    ['beside one with twice the share', 10, [{ waiting: 100, weight: 2 }], 30],
    [
      'beside two',
      10,
      [
        { waiting: 100, weight: 1 },
        { waiting: 2, weight: 4 },
      ],
      22,
    ],
  ])('%s', (_, waiting, others, expected) => {
    expect(servedUntil({ waiting, weight: 1 }, others)).toBe(expected)
  })

  it.each<[string, Partial<Crowd>, number]>([
    ['nobody else waits', {}, 100],
    ['only the tenant itself waits', { own: 40, waiting: { ...none, bulk: 40 }, tenants: 1 }, 100],
    ['one more tenant waits', { own: 40, waiting: { ...none, bulk: 1_040 }, tenants: 2 }, 200],
    ['three more tenants wait, with little', { own: 40, waiting: { ...none, bulk: 70 }, tenants: 4 }, 130],
    ['a connection waits', { waiting: { ...none, interactive: 1 } }, 101],
    ['a class with eight times the share has much', { waiting: { ...none, default: 10_000 } }, 900],
  ])('until a hundred lines are, where %s', (_, crowd, expected) => {
    expect(servedInAll(100, { ...alone, ...crowd })).toBe(expected)
  })

  it('a connection is served before the batches', () => {
    expect(servedInAll(1, { ...alone, class: 'interactive', waiting: { ...none, bulk: 1e6 } })).toBeCloseTo(
      1,
      1,
    )
  })

  it('goes by the weights that the queues serve by', () => {
    const lua = readFileSync(new URL('../../../src/queue/lua/prelude.lua', import.meta.url), 'utf8')
    const text = Object.entries(classWeights).map(([name, weight]) => `${name} = ${weight}`)
    expect(lua).toContain(`CLASS_WEIGHT = { ${text.join(', ')} }`)
  })
})

describe('when a tenant has its answers', () => {
  it('is when all before are served, and a call later', () => {
    expect(completionAt(100, alone, { perSecond: 10, callMs: 2_000 }, 1_000)).toBe(13_000)
    expect(completionAt(100, alone, { perSecond: 10, callMs: null }, 1_000)).toBe(11_000)
  })

  it('is unknown where no speed is', () => {
    expect(completionAt(100, alone, { perSecond: null, callMs: 2_000 }, 1_000)).toBeNull()
  })
})

describe('the watch over a deadline', () => {
  const calm: Watch = { isAtRisk: false, otherwiseSinceMs: null }
  const deadlineMs = 1_000_000
  /** The states after estimates that come every ten seconds. */
  const follow = (from: Watch, estimates: readonly (number | null)[]): boolean[] => {
    let watch = from
    return estimates.map((estimate, i) => {
      watch = watchDeadline(watch, estimate, deadlineMs, i * 10_000)
      return watch.isAtRisk
    })
  }
  const [late, good] = [1_100_000, 500_000]

  it.each<[string, boolean, (number | null)[], boolean[]]>([
    ['an estimate that stays late warns', false, [late, late, late], [false, false, true]],
    [
      'one that was late for a moment does not',
      false,
      [late, good, late, late],
      [false, false, false, false],
    ],
    ['one that is unknown begins anew', false, [late, null, late, late], [false, false, false, false]],
    ['one that stays good withdraws the warning', true, [good, good, good], [true, true, false]],
    ['one that is good by a hair does not', true, [990_000, 990_000, 990_000], [true, true, true]],
    ['one that is good for a moment does not', true, [good, late, good, good], [true, true, true, true]],
  ])('%s', (_, isAtRisk, estimates, expected) => {
    expect(follow({ ...calm, isAtRisk }, estimates)).toEqual(expected)
  })
})
