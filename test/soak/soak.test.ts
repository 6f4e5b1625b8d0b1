import { describe, expect, it } from 'vitest'
import { readSoakOptions } from '../../soak/options.ts'
import { runSoak } from '../../soak/run.ts'

describe('npm run soak', () => {
  it('runs everything end to end, and loses nothing', async () => {
    const options = { durationMs: 5_000, rate: 60, sampleEveryMs: 1_000 }
    const { samples, ledger, faults, processorShares } = await runSoak(options, new AbortController().signal)
    expect([...faults]).toEqual([])
    const { job, door, batch } = ledger.counts
    // A machine that is busy otherwise gets behind, but begins what is due.
    expect([job.began > 100, door.began > 30, batch.began > 0]).toEqual([true, true, true])
    expect([job.ended, door.ended, batch.ended]).toEqual([job.began, door.began, batch.began])
    expect(ledger.webhooks).toMatchObject({ due: expect.any(Number), missing: 0 })
    expect(ledger.webhooks.due).toBeGreaterThan(10)
    // On a busy machine they come late.
    expect(samples).not.toHaveLength(0)
    for (const name of ['api RSS MB', 'worker-batches heap MB', 'Redis MB', 'submit p99 ms', 'job p50 ms']) {
      expect([name, samples.at(-1)!.figures[name]! > 0]).toEqual([name, true])
    }
    expect(processorShares.get('api')).toBeGreaterThan(0)
  })

  it('reads what it is told, and says what it cannot read', () => {
    expect(readSoakOptions([])).toEqual({ durationMs: 300_000, rate: 160, sampleEveryMs: 5_000 })
    expect(readSoakOptions(['--minutes', '60', '--rate', '9'])).toEqual({
      durationMs: 3_600_000,
      rate: 9,
      sampleEveryMs: 15_000,
    })
    expect(readSoakOptions(['--help'])).toBe('help')
    expect(() => readSoakOptions(['--rate', 'fast'])).toThrow('--rate takes a number above 0')
    expect(() => readSoakOptions(['--minutes', '0'])).toThrow('--minutes takes a number above 0')
  })
})
