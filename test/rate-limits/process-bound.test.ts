import { describe, expect, it } from 'vitest'
import { processBoundOf, readMeans } from '../../src/rate-limits/process-bound.ts'

const gigabyte = 1024 ** 3

describe('the bound of a process', () => {
  it.each([
    ['enough of all', { heapBytes: 4 * gigabyte, memoryBytes: 8 * gigabyte, files: 1_048_576 }, 10_000],
    ['a small heap', { heapBytes: 250_000_000, memoryBytes: 8 * gigabyte, files: 65_536 }, 6_000],
    [
      'a container smaller than its heap',
      { heapBytes: 2 * gigabyte, memoryBytes: 100_000_000, files: 65_536 },
      2_400,
    ],
    ['few file descriptors', { heapBytes: 2 * gigabyte, memoryBytes: 2 * gigabyte, files: 1_024 }, 659],
    [
      'no known limit of files',
      { heapBytes: 125_000_000, memoryBytes: Number.POSITIVE_INFINITY, files: null },
      3_000,
    ],
    ['hardly anything', { heapBytes: 100_000, memoryBytes: 100_000, files: 64 }, 16],
  ])('with %s', (_, means, bound) => {
    expect(processBoundOf(means)).toBe(bound)
  })

  it('is read of a running process', () => {
    const bound = processBoundOf(readMeans())
    expect(bound).toBeGreaterThan(100)
    expect(bound).toBeLessThanOrEqual(10_000)
  })
})
