import { describe, expect, it } from 'vitest'
import { createWindow } from '../../src/batches/window.ts'

const limits = { jobs: 4_000, bytes: 16 * 1024 * 1024 }

/** A queue and workers: every job waits until those before it are served. Answers the window in the end. */
const settled = (jobsPerSecond: number, callMs: number, workers: number, jobs = 40_000): number => {
  const window = createWindow(limits)
  const free = Array.from({ length: workers }, () => 0)
  /** When the jobs that fill the window are done. */
  const out: number[] = []
  const waits: number[] = []
  for (let fed = 0; fed < jobs; fed++) {
    let at = 0
    while (out.length >= window.jobs) {
      at = Math.max(at, out.shift()!)
      window.note(waits.shift()!, 1_000)
    }
    const worker = fed % workers
    const started = Math.max(at, free[worker]!)
    free[worker] = started + (workers * 1_000) / jobsPerSecond
    waits.push(started - at)
    out.push(started + callMs)
  }
  return window.jobs
}
describe('the window', () => {
  it('grows to what keeps slow calls busy', () => {
    // 1,000 calls of 2 s at once: at 500 jobs a second, the window has to hold them all and a little more.
    const jobs = settled(500, 2_000, 1_000)
    expect(jobs).toBeGreaterThan(1_000)
    expect(jobs).toBeLessThan(2_000)
  })

  it('stays small where jobs only queue up', () => {
    expect(settled(50, 20, 1)).toBeLessThanOrEqual(110)
  })

  it('holds fewer lines the larger their answers are', () => {
    const window = createWindow(limits)
    expect(window.uncollected).toBe(4_000)
    for (let i = 0; i < 1_000; i++) window.note(null, 1024 * 1024)
    expect(window.uncollected).toBeLessThan(20)
    expect(window.uncollected).toBeGreaterThan(10)
  })

  it('never passes the configured limit', () => {
    const window = createWindow({ jobs: 50, bytes: 1e9 })
    for (let i = 0; i < 1_000; i++) window.note(0, 1)
    expect(window.jobs).toBe(50)
  })
})
