import { describe, expect, it } from 'vitest'
import { timeScale } from '../../ui/time-scale.ts'

describe('timeScale', () => {
  it('places moments by their time while calls go on', () => {
    const { of, cuts } = timeScale([0, 10], [{ from: 0, to: 10 }])
    expect([0, 5, 10].map(of)).toEqual([0, 0.5, 1])
    expect(cuts).toEqual([])
  })

  it('cuts long stretches between calls, and says how long they were', () => {
    const { of, cuts } = timeScale(
      [0],
      [
        { from: 0, to: 1 },
        { from: 7_201, to: 7_202 },
      ],
    )
    // Two calls of a second each, and half of that for what lies between them.
    expect([1, 7_201, 7_202].map(time => of(time))).toEqual([1 / 3, 2 / 3, 1])
    expect(cuts).toEqual([{ at: 0.5, seconds: 7_200 }])
  })

  it('stands for a job that has not begun', () => {
    const { of } = timeScale([5, 5], [])
    expect(of(5)).toBe(0)
    expect(of(99)).toBe(1)
  })
})
