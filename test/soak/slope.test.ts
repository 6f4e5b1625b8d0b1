import { describe, expect, it } from 'vitest'
import { slopeOf } from '../../soak/slope.ts'

const points = (length: number, y: (x: number) => number) =>
  Array.from({ length }, (_, i) => ({ x: i / 10, y: y(i / 10) }))

describe('the slope of a soak', () => {
  it('is exact for a line', () => {
    const slope = slopeOf(points(50, x => 3 - 2 * x))!
    expect(slope.perX).toBeCloseTo(-2, 9)
    expect(slope.robust).toBeCloseTo(-2, 9)
    expect(slope.error).toBeCloseTo(0, 6)
  })

  it('is that of a worked example', () => {
    // y = 1, 3, 2, 5 at x = 0, 1, 2, 3: 1.1 by least squares, with a residue of 2.7 over 2 and a spread of 5.
    const slope = slopeOf([1, 3, 2, 5].map((y, x) => ({ x, y })))!
    expect(slope.perX).toBeCloseTo(1.1, 9)
    expect(slope.error).toBeCloseTo(Math.sqrt(2.7 / 2 / 5), 9)
    // Of -1, 0.5, 1, 4/3, 2 and 3.
    expect(slope.robust).toBeCloseTo((1 + 4 / 3) / 2, 9)
  })

  it('has a robust one that an outlier does not move', () => {
    const jumpy = points(51, x => (x === 5 ? 1_000 : x))
    expect(slopeOf(jumpy)!.robust).toBeCloseTo(1, 9)
    expect(slopeOf(jumpy)!.perX).toBeGreaterThan(5)
  })

  it('knows none where there is nothing to tell it by', () => {
    expect(slopeOf([])).toBeNull()
    expect(slopeOf(points(2, x => x))).toBeNull()
    expect(slopeOf([1, 2, 3].map(y => ({ x: 1, y })))).toBeNull()
  })

  it('has time for an hour of samples', () => {
    const slope = slopeOf(points(3_600, x => 2 * x + Math.sin(x)))!
    expect(slope.robust).toBeCloseTo(2, 1)
  })
})
