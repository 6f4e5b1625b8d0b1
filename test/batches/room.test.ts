import { describe, expect, it, test } from 'vitest'
import { linesWithRoom, roomIn } from '../../src/batches/room.ts'

const idle = { free: 0, waiting: 0, ofTenant: 0, perSecond: 0 }

describe('the room in a queue', () => {
  test.each([
    ['a little where nobody works', idle, 100],
    ['nothing when that waits', { ...idle, waiting: 100, ofTenant: 100 }, 0],
    ['what fills the free slots, and a little more', { ...idle, free: 5_000 }, 5_100],
    ['less what waits', { ...idle, free: 5_000, waiting: 3_000, ofTenant: 3_000 }, 2_100],
    ['enough for a second', { ...idle, perSecond: 800, waiting: 300, ofTenant: 300 }, 500],
    ['some for each tenant, however much waits of others', { ...idle, waiting: 9_000, ofTenant: 30 }, 70],
    ['a part of a second of a quick queue', { ...idle, perSecond: 2_000, waiting: 9_000 }, 500],
    ['less than nothing when more waits', { ...idle, waiting: 400, ofTenant: 400 }, -300],
  ])('%s', (_, state, room) => {
    expect(roomIn(state)).toBe(room)
  })
})

describe('lines for several queues', () => {
  const times = (count: number, ...queues: (string | null)[]) =>
    Array.from({ length: count }, () => queues).flat()
  const left = (a: number, b: number) =>
    new Map([
      ['a', a],
      ['b', b],
    ])

  it('go as long as their queue has room', () => {
    expect(linesWithRoom(times(10, 'a'), left(4, 0))).toBe(4)
    expect(linesWithRoom(times(3, 'a'), left(4, 0))).toBe(3)
    expect(linesWithRoom([], left(4, 0))).toBe(0)
  })

  it('go along with one behind them, and never without', () => {
    expect(linesWithRoom(times(5, 'a', 'b'), left(2, 4))).toBe(8)
    expect(linesWithRoom(['b', 'a', 'a', 'a'], left(0, 1))).toBe(1)
    expect(linesWithRoom(times(5, 'a', 'b'), left(0, 0))).toBe(0)
  })

  it('go along within bounds', () => {
    expect(linesWithRoom(times(1, ...times(999, 'a'), 'b'), left(0, 1))).toBe(1_000)
    expect(linesWithRoom(times(1, ...times(1_001, 'a'), 'b'), left(0, 1))).toBe(0)
    expect(linesWithRoom(['a', 'b'], left(-1_000, 1))).toBe(0)
  })

  it('go at once where they are for no queue', () => {
    expect(linesWithRoom([null, null, 'a', null], left(0, 0))).toBe(4)
    expect(linesWithRoom([null, 'a', 'a'], left(1, 0))).toBe(2)
  })
})
