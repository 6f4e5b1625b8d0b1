import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRange } from '../../src/api/files/send-content.ts'
import { patienceMs, runs } from './runs.ts'

const size = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 40 }))
const number = fc.oneof(fc.nat(25), fc.integer({ min: 0, max: 2 ** 41 })).map(String)
const digits = fc.oneof(number, fc.constantFrom('', '00', '007', '9'.repeat(30)))

/** RFC 9110, 14.1.2, byte by byte where the file is small. */
const asked = (first: string, last: string, length: number): number[] => {
  const all = Array.from({ length }, (_, at) => at)
  return first === ''
    ? all.slice(-Number(last) || length)
    : all.filter(at => at >= +first && (last === '' || at <= +last))
}

describe('random byte ranges', () => {
  describe('a range', { timeout: patienceMs }, () => {
    it('lies within the file, whatever the header says', () => {
      const header = fc.oneof(
        fc.string(),
        fc.tuple(digits, digits).map(([a, b]) => `bytes=${a}-${b}`),
        fc.tuple(digits, fc.string(), digits).map(([a, middle, b]) => `bytes=${a}${middle}${b}`),
        fc.constantFrom(
          'bytes',
          'bytes=',
          'bytes=-',
          'bytes=0-0,2-3',
          'bytes=-1-2',
          'BYTES=0-1',
          'bytes=1e1-',
          'x=0-1',
        ),
      )
      fc.assert(
        fc.property(fc.option(header, { nil: undefined }), size, (text, length) => {
          const range = parseRange(text, length)
          if (range === null || range === 'unsatisfiable') return
          expect(Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end)).toBe(true)
          expect(range.start).toBeGreaterThanOrEqual(0)
          expect(range.start).toBeLessThan(range.end)
          expect(range.end).toBeLessThanOrEqual(length)
        }),
        runs(10_000),
      )
    })

    it('is the bytes that were asked for', () => {
      fc.assert(
        fc.property(fc.nat(20), digits, digits, (length, first, last) => {
          const isNone = first === '' ? last === '' : last !== '' && +last < +first
          const bytes = first === '' && +last === 0 ? [] : asked(first, last, length)
          const expected = bytes.length === 0 ? 'unsatisfiable' : { start: bytes[0], end: bytes.at(-1)! + 1 }
          expect(parseRange(`bytes=${first}-${last}`, length)).toEqual(isNone ? null : expected)
        }),
        runs(5_000),
      )
    })
  })
})
