import { describe, expect, test } from 'vitest'
import {
  type CallEnd,
  counted,
  emptyTally,
  figuresOf,
  type Tally,
} from '../../../src/domain/routing/target-stats.ts'

const minute = 60_000
const tallyOf = (outcomes: readonly CallEnd[], atMs = 0): Tally =>
  outcomes.reduce((tally: Tally, outcome) => counted(tally, outcome, atMs), emptyTally)
const times = (count: number, durationMs: number) => Array.from({ length: count }, () => durationMs)
/** A bucket reaches a quarter further than the one before. */
const about = (ms: number) => expect.closeTo(Math.log(ms), 0)
const p95At = (tallies: readonly Tally[], nowMs = 0): number | null => {
  const { p95Ms } = figuresOf(tallies, nowMs)
  return p95Ms === null ? null : Math.log(p95Ms)
}

describe('target stats', () => {
  describe('the p95', () => {
    test.each([
      ['of one answer', [700], 700],
      ['is what nineteen of twenty took', [...times(19, 100), 5_000], 100],
      ['is not hidden by the many', [...times(18, 100), 5_000, 5_000], 5_000],
      ['of the shortest', [0, 1], 10],
      ['of the longest', [1e9], 700_000],
    ])('%s', (_, durations, p95) => {
      expect(p95At([tallyOf(durations)])).toEqual(about(p95))
    })

    test('follows what happens now', () => {
      const slow = tallyOf(times(100, 5_000))
      const both = times(30, 100).reduce((tally, ms) => counted(tally, ms, 8 * minute), slow)
      expect(p95At([slow])).toEqual(about(5_000))
      expect(p95At([both], 8 * minute)).toEqual(about(100))
    })

    test('is over all processes', () => {
      expect(p95At([tallyOf(times(90, 100)), tallyOf(times(10, 3_000))])).toEqual(about(3_000))
      expect(p95At([])).toBeNull()
    })

    test('is forgotten when nothing comes: soon after one answer, later after many', () => {
      expect(p95At([tallyOf([700])], 3.9 * minute)).not.toBeNull()
      expect(p95At([tallyOf([700])], 4.1 * minute)).toBeNull()
      expect(p95At([tallyOf(times(100, 700))], 10 * minute)).not.toBeNull()
      expect(p95At([tallyOf(times(100, 700))], 15 * minute)).toBeNull()
    })
  })

  test('the first content of streams has a p95 of its own, over all processes, and is forgotten', () => {
    const streamed = counted(tallyOf(times(90, 5_000)), 4_000, 0, 100)
    expect(figuresOf([tallyOf([700])], 0).firstTokenP95Ms).toBeNull()
    const both = figuresOf([streamed, counted(emptyTally, 3_000, 0, 90)], 0)
    expect([Math.log(both.p95Ms!), Math.log(both.firstTokenP95Ms!)]).toEqual([about(5_000), about(100)])
    expect(figuresOf([counted(streamed, 'failure', 0, 10)], 0).firstTokenP95Ms).toBe(
      figuresOf([streamed], 0).firstTokenP95Ms,
    )
    expect(figuresOf([streamed], 4.1 * minute).firstTokenP95Ms).toBeNull()
  })

  test('failures fade, and add up over processes', () => {
    const tally = tallyOf(['failure', 'failure'])
    expect(figuresOf([tally], 0).failures).toBe(2)
    expect(figuresOf([tally, tallyOf(['throttled'], 30_000)], 30_000).failures).toBe(2)
    expect(figuresOf([tally], 10 * minute).failures).toBeLessThan(0.001)
  })

  describe('an answer', () => {
    test('clears the failures before it', () => {
      expect(figuresOf([tallyOf(['failure', 'throttled', 'failure', 100])], 0).failures).toBe(0)
      expect(figuresOf([tallyOf(['failure', 100, 'throttled'])], 0).failures).toBe(1)
    })

    test('clears those that other processes met before it, and none that come after', () => {
      const [failing, answered] = [tallyOf(['failure', 'failure'], 1_000), tallyOf([100], 2_000)]
      expect(figuresOf([failing, answered], 2_000).failures).toBe(0)
      expect(figuresOf([answered, counted(failing, 'failure', 3_000)], 3_000).failures).toBeGreaterThan(1)
    })
  })

  describe('the share of success', () => {
    const sixOfTen = tallyOf(Array.from({ length: 50 }, (_, i) => (i % 5 < 2 ? 'failure' : 100)))
    test.each([
      ['of one that nobody asked is whole', emptyTally, 0, 1],
      ['is not ruined by a single failure', tallyOf(['failure']), 0, 2 / 3],
      ['is what it is after many calls', sixOfTen, 0, 0.62],
      ['is not lowered where too much was asked', tallyOf(['throttled', 'throttled', 100]), 0, 1],
      ['is forgiven after a while', sixOfTen, 10 * minute, 0.99],
    ])('%s', (_, tally, nowMs, share) => {
      expect(figuresOf([tally], nowMs).successShare).toBeCloseTo(share, 2)
    })

    test('is over all processes', () => {
      const [well, failing] = [tallyOf(times(30, 100)), tallyOf(times(20, 100).map(() => 'failure'))]
      expect(figuresOf([well, failing], 0).successShare).toBeCloseTo(0.615, 2)
    })
  })

  test('a tally of an earlier version is read', () => {
    const { failed, failedAtMs, answeredAtMs, firsts, ...told } = tallyOf(['failure', 100])
    expect(figuresOf([{ ...told, failures: 1 } as Tally], 0)).toMatchObject({ successShare: 1 })
  })

  test('a tally that goes round the processes as JSON stays what it is', () => {
    const tally = counted(tallyOf([100, 200, 'failure'], 1_000), 300, 2_000)
    expect(figuresOf([JSON.parse(JSON.stringify(tally)) as Tally], 9_000)).toEqual(figuresOf([tally], 9_000))
  })
})
