import { describe, expect, it } from 'vitest'
import { lockMs } from '../../chaos/cluster/config.ts'
import { alwaysPossible } from '../../chaos/faults/inflict.ts'
import { planClocks } from '../../chaos/plan/clocks.ts'
import { type FaultKind, faultKinds, planFaults } from '../../chaos/plan/faults.ts'
import { planLoad } from '../../chaos/plan/load.ts'
import { members } from '../../chaos/plan/processes.ts'
import { createRandom } from '../../chaos/random.ts'

const size = { jobs: 500, batches: 10, lines: 100, durationMs: 300_000 }
const redisKinds: FaultKind[] = [
  'redis-kill',
  'redis-pause',
  'redis-full',
  'redis-disk-full',
  'redis-half-open',
]
const faultsOf = (seed: number, kills = 60, possible = [...alwaysPossible, ...redisKinds]) =>
  planFaults(createRandom(seed), { kills, durationMs: 300_000, possible, lockMs })

const seeds = Array.from({ length: 30 }, (_, seed) => seed)

describe('the plan of a chaos run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planLoad(createRandom(7), size)).toEqual(planLoad(createRandom(7), size))
    expect(planLoad(createRandom(7), size)).not.toEqual(planLoad(createRandom(8), size))
    expect(faultsOf(7)).toEqual(faultsOf(7))
    expect(faultsOf(7)).not.toEqual(faultsOf(8))
  })

  describe('the faults', () => {
    it('are of every kind that is possible, and meet every process', () => {
      const kinds = new Set(faultsOf(1).map(({ kind }) => kind))
      expect([...kinds].toSorted()).toEqual(faultKinds.filter(kind => kind !== 'redis-failover').toSorted())
      const met = new Set(faultsOf(1).map(({ target }) => target))
      for (const { name } of members) expect(met).toContain(name)
    })

    it.each(seeds)('have as many kills as were asked for (seed %i)', seed => {
      const kills = faultsOf(seed).filter(({ kind }) => kind === 'kill' || kind === 'redis-kill')
      expect(kills).toHaveLength(60)
    })

    it.each(seeds)('of one target do not overlap, and all end within the run (seed %i)', seed => {
      for (const [, faults] of Map.groupBy(faultsOf(seed), ({ target }) => target)) {
        for (const [index, { atMs, forMs }] of faults.entries()) {
          expect(atMs + forMs).toBeLessThan(faults[index + 1]?.atMs ?? 320_000)
        }
      }
    })

    it('meet Redis first of all, so that a short plan has a fail-over in it', () => {
      for (const seed of seeds) {
        const plan = faultsOf(seed, 1, [...alwaysPossible, 'redis-failover'])
        expect(plan.map(({ kind }) => kind)).toContain('redis-failover')
      }
    })

    it('are none where none is asked for', () => {
      expect(faultsOf(1, 0)).toEqual([])
    })
  })

  it.each(seeds)('the clocks are right, ahead and behind, by no more than ten minutes (seed %i)', seed => {
    const off = planClocks(createRandom(seed))
    expect(off).toEqual(planClocks(createRandom(seed)))
    expect([...off.keys()].toSorted()).toEqual(members.map(({ name }) => name).toSorted())
    const signs = new Set([...off.values()].map(Math.sign))
    expect(signs).toEqual(new Set([0, 1, -1]))
    for (const ms of off.values()) expect(Math.abs(ms)).toBeLessThanOrEqual(10 * 60_000)
  })

  describe('the load', () => {
    it('has requests of every fate, each with a marker of its own', () => {
      const { jobs, batches } = planLoad(createRandom(3), size)
      const fates = new Set(jobs.map(({ fate }) => fate))
      expect(fates).toEqual(new Set(['plain', 'scripted', 'rejected', 'malformed', 'cancelled', 'stuck']))
      const markers = [...jobs, ...batches.flatMap(({ lines }) => lines)].map(({ marker }) => marker)
      expect(new Set(markers).size).toBe(500 + 10 * 100)
      expect(batches.filter(({ cancelAfterMs }) => cancelAfterMs !== null)).toHaveLength(2)
      expect(batches.filter(({ window }) => window === '1m')).toHaveLength(1)
    })

    it('waits for nothing to expire in a run that is shorter than that', () => {
      const { jobs, batches } = planLoad(createRandom(3), { ...size, durationMs: 20_000 })
      expect(jobs.filter(({ fate }) => fate === 'stuck')).toEqual([])
      expect(batches.filter(({ window }) => window === '1m')).toEqual([])
    })
  })
})
