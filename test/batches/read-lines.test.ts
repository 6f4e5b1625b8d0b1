import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type InputLine, type LinePosition, readLines } from '../../src/batches/read-lines.ts'
import { cuts, piecesOf } from './pieces.ts'

const start: LinePosition = { offset: 0, line: 0 }

const linesIn = async (
  source: AsyncIterable<Uint8Array>,
  from = start,
  maxLineBytes = 1_000,
): Promise<InputLine[]> => {
  const lines: InputLine[] = []
  for await (const group of readLines(source, from, maxLineBytes)) lines.push(...group)
  return lines
}

const shown = (lines: readonly InputLine[]) =>
  lines.map(({ number, end, bytes }) => [number, end, bytes?.toString('latin1') ?? null])

const bom = '\xef\xbb\xbf'
const read = async (text: string, maxLineBytes?: number) =>
  shown(await linesIn(piecesOf(Buffer.from(text, 'latin1')), start, maxLineBytes))

describe('readLines', () => {
  it.each([
    ['nothing', '', []],
    ['a line', 'a\n', [[1, 2, 'a']]],
    [
      'a last line without newline',
      'a\nb',
      [
        [1, 2, 'a'],
        [2, 3, 'b'],
      ],
    ],
    [
      'CRLF',
      'a\r\nb\r\n',
      [
        [1, 3, 'a'],
        [2, 6, 'b'],
      ],
    ],
    ['a CR at the very end', 'a\r', [[1, 2, 'a']]],
    ['blank lines, counted', '\n \t\r\n\na\n\n', [[4, 8, 'a']]],
    ['nothing but blank lines', '\n  \n\r\n \t', []],
    ['a byte order mark', `${bom}a\n`, [[1, 5, 'a']]],
    ['a byte order mark before a blank line', `${bom}\r\na`, [[2, 6, 'a']]],
    ['a byte order mark and no more', bom, []],
    [
      'a byte order mark on another line, which stays',
      `a\n${bom}b\n`,
      [
        [1, 2, 'a'],
        [2, 7, `${bom}b`],
      ],
    ],
    ['a byte order mark after a blank first line, which stays', `\n${bom}b\n`, [[2, 6, `${bom}b`]]],
    [
      'control characters, which are no white space',
      '\0\n\v\n',
      [
        [1, 2, '\0'],
        [2, 4, '\v'],
      ],
    ],
  ])('reads %s', async (_, text, lines) => {
    expect(await read(text)).toEqual(lines)
  })

  it.each([
    [
      'at the limit',
      'abcde\nx',
      [
        [1, 6, 'abcde'],
        [2, 7, 'x'],
      ],
    ],
    [
      'past the limit',
      'abcdef\nx',
      [
        [1, 7, null],
        [2, 8, 'x'],
      ],
    ],
    [
      'past the limit by its CR only',
      'abcde\r\nx',
      [
        [1, 7, 'abcde'],
        [2, 8, 'x'],
      ],
    ],
    [
      'past the limit by its byte order mark only',
      `${bom}abcde\r\nx`,
      [
        [1, 10, 'abcde'],
        [2, 11, 'x'],
      ],
    ],
    [
      'past the limit and last',
      'a\nabcdef',
      [
        [1, 2, 'a'],
        [2, 8, null],
      ],
    ],
  ])('takes a line %s for what it is', async (_, text, lines) => {
    expect(await read(text, 5)).toEqual(lines)
  })

  it('skips a line of 20 MB without holding it', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    async function* source() {
      for (let i = 0; i < 320; i += 1) {
        yield chunk
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      }
      yield Buffer.from('\nnext\n')
    }
    const lines = await linesIn(source(), start, 100_000)
    const end = 320 * chunk.length + 1
    expect(shown(lines)).toEqual([
      [1, end, null],
      [2, end + 5, 'next'],
    ])
    expect(peak).toBeLessThan(5_000_000)
  })

  it('takes time in proportion to the bytes, however small the pieces', async () => {
    const bytes = Buffer.alloc(1_000_000, 'x')
    const oneByOne = Array.from(bytes, (_, at) => at)
    const startedAt = performance.now()
    const [line] = await linesIn(piecesOf(bytes, oneByOne), start, 2_000_000)
    expect(line!.bytes!.equals(bytes)).toBe(true)
    // Copied anew with each piece it would be 500 GB.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('hands out lines that nothing is written over', async () => {
    const bytes = Buffer.from('aaaa\nbbbb\ncccc\n')
    const lines = await linesIn(piecesOf(bytes, [2, 7, 12]))
    expect(shown(lines).map(([, , text]) => text)).toEqual(['aaaa', 'bbbb', 'cccc'])
  })
})

const character = fc.constantFrom('a', 'b', ' ', '\t', '\r', '\n', '\n', '\xef\xbb\xbf', '\xc3\xa9')
const file = fc
  .string({ unit: character, maxLength: 120, size: 'max' })
  .map(text => Buffer.from(text, 'latin1'))

describe('readLines, for any file and any pieces', () => {
  it('finds the same lines as when the file is read at once', async () => {
    await fc.assert(
      fc.asyncProperty(file, cuts, fc.integer({ min: 1, max: 12 }), async (bytes, places, maxLineBytes) => {
        const whole = await linesIn(piecesOf(bytes), start, maxLineBytes)
        const pieces = await linesIn(piecesOf(bytes, places), start, maxLineBytes)
        expect(shown(pieces)).toEqual(shown(whole))
      }),
      { numRuns: 500 },
    )
  })

  it('finds the lines that splitting the text finds', async () => {
    await fc.assert(
      fc.asyncProperty(file, cuts, async (bytes, places) => {
        const expected = bytes
          .toString('latin1')
          .replace(/^\xef\xbb\xbf/, '')
          .split('\n')
          .map((text, index) => [index + 1, text.replace(/\r$/, '')] as const)
          .filter(([, text]) => /[^ \t\r]/.test(text))
        const lines = shown(await linesIn(piecesOf(bytes, places)))
        expect(lines.map(([number, , text]) => [number, text])).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('finds the same rest when it is started again at the end of any line', async () => {
    await fc.assert(
      fc.asyncProperty(file, cuts, fc.integer({ min: 1, max: 12 }), async (bytes, places, maxLineBytes) => {
        const lines = await linesIn(piecesOf(bytes), start, maxLineBytes)
        for (const [index, { number, end }] of lines.entries()) {
          const rest = piecesOf(bytes.subarray(end), places)
          const again = await linesIn(rest, { offset: end, line: number }, maxLineBytes)
          expect(shown(again)).toEqual(shown(lines.slice(index + 1)))
        }
      }),
      { numRuns: 300 },
    )
  })
})
