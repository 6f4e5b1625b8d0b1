import { describe, expect, test } from 'vitest'
import { renderBytes, renderCount, renderDuration } from '../../src/terminal/format.ts'
import { createRate } from '../../src/terminal/screen.ts'

describe('quantities in a terminal', () => {
  test.each([
    [400, '0 s'],
    [42_000, '42 s'],
    [59_600, '1 min 0 s'],
    [190_000, '3 min 10 s'],
    [7_500_000, '2 h 5 min'],
    [100_800_000, '1 d 4 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(renderDuration(ms)).toBe(text)
  })

  test.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1_234, '1.2 kB'],
    [200e6, '200.0 MB'],
    [8e9, '8.0 GB'],
  ])('%d bytes is %s', (bytes, text) => {
    expect(renderBytes(bytes)).toBe(text)
  })

  test('one is not many', () => {
    expect([0, 1, 2].map(count => renderCount(count, 'line'))).toEqual(['0 lines', '1 line', '2 lines'])
  })

  test('a rate is that of the last while, whatever was before', () => {
    const rate = createRate()
    expect(rate(0, 0)).toBe(0)
    expect(rate(10, 1_000)).toBe(10)
    expect(rate(10, 20_000)).toBeCloseTo(0, 5)
    expect(rate(110, 25_000)).toBe(20)
  })
})
