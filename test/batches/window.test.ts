import { describe, expect, it } from 'vitest'
import { createWindow, heavyFactor } from '../../src/batches/window.ts'

const limits = { jobs: 4_000, bytes: 1_000_000 }
const none = { uncollected: 0, done: 0, openBytes: 0, running: { lines: 0, bytes: 0 } }

describe('the window', () => {
  it('bounds what waits, not what workers have', () => {
    const { room } = createWindow(limits)
    expect(room(none).lines).toBe(4_000)
    expect(room({ ...none, uncollected: 3_990 }).lines).toBe(10)
    expect(room({ ...none, uncollected: 9_000, running: { lines: 5_000, bytes: 0 } }).lines).toBe(0)
    expect(room({ ...none, uncollected: 9_000, running: { lines: 8_500, bytes: 0 } }).lines).toBe(3_500)
  })

  it('bounds the bytes of what waits, and those of all at sixteen times as much', () => {
    const { room } = createWindow(limits)
    expect(room({ ...none, uncollected: 5, openBytes: 900_000 }).bytes).toBe(100_000)
    const running = { lines: 4, bytes: 5_000_000 }
    expect(room({ ...none, uncollected: 5, openBytes: 5_100_000, running }).bytes).toBe(900_000)
    const most = limits.bytes * heavyFactor
    const heavy = { lines: 5, bytes: most - 10 }
    expect(room({ ...none, uncollected: 5, openBytes: most - 10, running: heavy }).bytes).toBe(10)
  })

  it('lets a line larger than itself go when nothing waits', () => {
    const { room } = createWindow(limits)
    expect(room(none).alone).toBe(true)
    expect(room({ ...none, uncollected: 1, openBytes: 1 }).alone).toBe(false)
    const running = { lines: 1, bytes: 2_000_000 }
    expect(room({ ...none, uncollected: 1, openBytes: 2_000_000, running }).alone).toBe(true)
    const many = { lines: 9, bytes: 16_000_000 }
    expect(room({ ...none, uncollected: 9, openBytes: 16_000_000, running: many }).alone).toBe(false)
  })

  it('holds fewer lines that are done the larger their answers are', () => {
    const window = createWindow({ jobs: 4_000, bytes: 16 * 1024 * 1024 })
    expect(window.done).toBe(4_000)
    for (let i = 0; i < 1_000; i++) window.note(1024 * 1024)
    expect(window.done).toBeLessThan(20)
    expect(window.done).toBeGreaterThan(10)
    expect(window.room({ ...none, uncollected: 20, done: 20 }).lines).toBe(0)
    // Those that run become answers, too.
    const running = { lines: 240, bytes: 0 }
    expect(window.room({ ...none, uncollected: 240, running }).lines).toBeLessThan(20)
  })

  it('never passes the configured limit', () => {
    const { room } = createWindow({ jobs: 50, bytes: 1e9 })
    expect(room({ ...none, uncollected: 80, running: { lines: 40, bytes: 0 } }).lines).toBe(10)
    expect(room({ ...none, uncollected: 80, done: 50, running: { lines: 30, bytes: 0 } }).lines).toBe(0)
  })
})
