import { describe, expect, it } from 'vitest'
import { answerTextOf, keptBytes } from '../../src/mirror/compared-call.ts'

describe('the text of an answer', () => {
  it.each([
    ['one that just fits', 'x'.repeat(keptBytes), keptBytes, false],
    ['one byte more', 'x'.repeat(keptBytes + 1), keptBytes, true],
    ['few characters that take more bytes', '\u00e9'.repeat(keptBytes / 2 + 1), keptBytes, true],
    ['half a character at the end', `x${'\u00e9'.repeat(keptBytes)}`, keptBytes - 1, true],
    ['half a pair of surrogates at the end', `${'x'.repeat(keptBytes - 1)}\u{1f600}`, keptBytes - 1, true],
  ])('%s', (_, body, bytes, cut) => {
    const answer = answerTextOf(body)
    expect([Buffer.byteLength(answer.text), answer.cut]).toEqual([bytes, cut])
    expect(body.startsWith(answer.text)).toBe(true)
  })

  it('keeps a mark at the beginning', () => {
    expect(answerTextOf(`\ufeff${'x'.repeat(keptBytes)}`).text.startsWith('\ufeff')).toBe(true)
  })
})
