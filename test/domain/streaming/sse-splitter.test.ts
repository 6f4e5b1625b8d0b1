import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SseEvent } from '../../../src/domain/streaming/sse-event.ts'
import { SseSplitter } from '../../../src/domain/streaming/sse-splitter.ts'

const split = (...chunks: readonly string[]): SseEvent[] => {
  const splitter = new SseSplitter()
  return [...chunks.flatMap(chunk => splitter.push(chunk)), ...splitter.end()]
}

describe('SseSplitter', () => {
  it.each<[string, string, Partial<SseEvent>[]]>([
    ['data', 'data: a\n\n', [{ raw: 'data: a\n\n', name: null, data: 'a' }]],
    ['a name', 'event: ping\ndata: {}\n\n', [{ raw: 'event: ping\ndata: {}\n\n', name: 'ping', data: '{}' }]],
    ['several lines of data', 'data: a\ndata: b\n\n', [{ raw: 'data: a\ndata: b\n\n', data: 'a\nb' }]],
    ['no space', 'data:a\n\n', [{ raw: 'data:a\n\n', data: 'a' }]],
    ['only the first space', 'data:  a\n\n', [{ data: ' a' }]],
    ['a field without a colon', 'data\n\n', [{ data: '' }]],
    ['CRLF', 'event: a\r\ndata: b\r\n\r\n', [{ raw: 'event: a\ndata: b\n\n', name: 'a', data: 'b' }]],
    ['lone CRs', 'data: a\r\rdata: b\r\r', [{ data: 'a' }, { data: 'b' }]],
    [
      'all ends mixed',
      'data: a\r\n\ndata: b\r\r\ndata: c\n\r',
      [{ data: 'a' }, { data: 'b' }, { data: 'c' }],
    ],
    ['comments', ': OPENROUTER PROCESSING\n\n', [{ raw: ': OPENROUTER PROCESSING\n\n', data: null }]],
    ['a comment within', ': a\ndata: b\n\n', [{ raw: ': a\ndata: b\n\n', data: 'b' }]],
    ['a byte order mark', '\ufeffdata: a\n\n', [{ raw: 'data: a\n\n', data: 'a' }]],
    ['more blank lines', '\n\ndata: a\n\n\n\ndata: b\n\n', [{ data: 'a' }, { data: 'b' }]],
    ['a last event without its blank line', 'data: a\n\ndata: b', [{ data: 'a' }, { raw: 'data: b\n\n' }]],
    ['a last event without its second end', 'data: a\n', [{ raw: 'data: a\n\n' }]],
    ['an id and a delay', 'id: 7\nretry: 9\ndata: a\nid\n\n', [{ raw: 'data: a\n\n', data: 'a' }]],
    ['only an id', 'id: 7\n\n', []],
    ['names that begin alike', 'database: x\nidea: y\n\n', [{ data: null, name: null }]],
    ['an empty stream', '', []],
  ])('reads %s', (_, text, expected) => {
    expect(split(text)).toMatchObject(expected)
    expect(split(text)).toHaveLength(expected.length)
  })

  it('takes a mark for text where it does not begin the stream', () => {
    expect(split('data: a\n\n', '\ufeffdata: b\n\n')[1]).toMatchObject({ data: null })
  })

  it('gives an event as soon as it has ended, by whatever character', () => {
    const splitter = new SseSplitter()
    expect(splitter.push('data: a\r\n\r')).toMatchObject([{ data: 'a' }])
    expect(splitter.push('\n')).toEqual([])
    expect(splitter.push('data: b\n\n')).toMatchObject([{ data: 'b' }])
  })

  it('reads the same however the text is cut', () => {
    const line = fc.constantFrom(
      'data: a',
      'data:b',
      'data',
      'event: x',
      ': c',
      'id: 1',
      '',
      '\ufeff',
      'data: {"t":"é😀"}',
    )
    const end = fc.constantFrom('\n', '\r\n', '\r')
    const text = fc.array(fc.tuple(line, end)).map(lines => lines.flat().join(''))
    const cuts = fc.array(fc.nat({ max: 200 }))
    fc.assert(
      fc.property(text, cuts, (whole, places) => {
        const at = [0, ...places.filter(place => place < whole.length), whole.length].toSorted(
          (a, b) => a - b,
        )
        const chunks = at.slice(1).map((end, i) => whole.slice(at[i], end))
        expect(split(...chunks)).toEqual(split(whole))
      }),
    )
  })

  it('gives back what it gave: raw is an event by itself', () => {
    const text = ': a\r\nevent: b\rdata: c\ndata:d\n\n'
    const [event] = split(text)
    expect(split(event!.raw)).toEqual([event])
  })

  it('takes an event of 16 MB in 16,000 chunks', () => {
    const chunk = 'x'.repeat(1_000)
    const [event] = split('data: ', ...Array.from({ length: 16_000 }, () => chunk), '\n\n')
    expect(event!.data).toHaveLength(16_000_000)
  })
})
