import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { usableCallsOf, type WorkFacts, workersWanted } from '../../../src/domain/planning/workers-wanted.ts'

const idle: WorkFacts = {
  ...{ waiting: 0, running: 0, places: 100, usableCalls: null, isAway: false, isPaused: false },
}
const facts = fc.record({
  waiting: fc.nat(100_000),
  running: fc.nat(2_000),
  places: fc.integer({ min: 1, max: 1_000 }),
  usableCalls: fc.option(fc.integer({ min: 1, max: 5_000 })),
  isAway: fc.boolean(),
  isPaused: fc.boolean(),
})

describe('the workers that a provider wants', () => {
  it.each([
    ['none where nothing waits or runs', {}, 0, 'nothing_to_do'],
    ['one for the first job, from none', { waiting: 1 }, 1, 'work'],
    ['as many as have places for all of it', { waiting: 250, running: 51 }, 4, 'work'],
    ['no more than a limit can use', { waiting: 10_000, usableCalls: 250 }, 3, 'limits'],
    ['one for a limit that less than a worker fills', { waiting: 10_000, usableCalls: 5 }, 1, 'limits'],
    ['one to probe while it is away, however much waits', { waiting: 10_000, isAway: true }, 1, 'away'],
    ['those that calls need while it is away', { waiting: 9, running: 201, isAway: true }, 3, 'away'],
    ['none while it is paused', { waiting: 10_000, isAway: true, isPaused: true }, 0, 'paused'],
  ] as const)('%s', (_, more, workers, boundBy) => {
    expect(workersWanted({ ...idle, ...more })).toEqual({ workers, boundBy })
  })

  it('are never fewer than calls under way need, and never more than all of the work does', () => {
    fc.assert(
      fc.property(facts, work => {
        const { workers } = workersWanted(work)
        expect(workers).toBeGreaterThanOrEqual(Math.ceil(work.running / work.places))
        expect(workers).toBeLessThanOrEqual(Math.ceil((work.waiting + work.running) / work.places))
      }),
    )
  })

  it('do not become more when the provider goes away, is paused, or its limits shrink', () => {
    fc.assert(
      fc.property(facts, fc.integer({ min: 1, max: 5_000 }), (work, limit) => {
        const open = { ...work, isAway: false, isPaused: false }
        const { workers } = workersWanted(open)
        for (const worse of [
          { ...open, isAway: true },
          { ...open, isAway: true, isPaused: true },
          { ...open, usableCalls: Math.min(limit, open.usableCalls ?? limit) },
        ])
          expect(workersWanted(worse).workers).toBeLessThanOrEqual(workers)
      }),
    )
  })

  it('limits are calls at once by how long a call takes', () => {
    expect(usableCallsOf({ rpm: 600, concurrency: null }, 2, 1)).toBe(20)
    expect(usableCallsOf({ rpm: 600, concurrency: 8 }, 2, 3)).toBe(24)
    expect(usableCallsOf({ rpm: null, concurrency: null }, 2, 3)).toBeNull()
  })
})
