import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BatonError } from '../../src/domain/errors.ts'
import { cuts } from './pieces.ts'
import { documentOf, read, request } from './read-document.ts'

/** JSON text with every way of writing a string's characters, and white space wherever it may stand. */
const character = fc.oneof(
  fc.constantFrom('\\"', '\\\\', '\\/', '\\n', '\\u0000', '\\ud83d\\ude00', '\\ud800', '\\udc00x', '\\u00e9'),
  fc.constantFrom('é', '東', '😀', '{', '}', '[', ']', ',', ':', ' '),
  fc
    .string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' })
    .map(text => JSON.stringify(text).slice(1, -1)),
)
const string = fc.array(character, { maxLength: 12 }).map(parts => `"${parts.join('')}"`)
const scalar = fc.oneof(
  string,
  fc.constantFrom('1', '-0', '1.50', '1e400', '12345678901234567890', '1E-7', 'true', 'null'),
)
const space = fc.constantFrom('', '', ' ', '\n', '\r\n\t')
const { value } = fc.letrec<{ value: string; list: string; object: string }>(tie => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc
    .tuple(space, fc.array(tie('value'), { maxLength: 4 }))
    .map(([gap, items]) => `[${gap}${items.join(`${gap},`)}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(string, tie('value')), { maxLength: 4 }))
    .map(([gap, members]) => `{${members.map(([k, v]) => `${gap}${k}${gap}:${v}`).join(',')}${gap}}`),
}))

describe('messageBatchLines, for any document and any pieces', () => {
  it('yields the text of the requests as it is written', async () => {
    const property = fc.asyncProperty(
      fc.array(value, { minLength: 1, maxLength: 6 }),
      space,
      cuts,
      fc.boolean(),
      async (params, gap, places, hasMark) => {
        const requests = params.map(
          (text, index) => `{${gap}"params":${text}${gap},"custom_id":"row-${index}"}`,
        )
        const document = `${hasMark ? '\ufeff' : ''}{"requests":${gap}[${gap}${requests.join(`${gap},`)}]${gap}}`
        const { text, total } = await read(document, { places })
        expect(text).toBe(requests.map(line => `${line.replaceAll(/[\r\n]/g, ' ')}\n`).join(''))
        expect(total).toBe(params.length)
      },
    )
    await fc.assert(property, { numRuns: 1_000 })
  })

  it('refuses what JSON.parse refuses, and nothing else of a document with a character changed', async () => {
    const good = documentOf(request('a', { x: [1, 'é"', { y: null }], z: -1.5e3 }), request('b'))
    const property = fc.asyncProperty(
      fc.nat(good.length),
      fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', 'n', ' ', '\n'),
      cuts,
      async (at, replacement, places) => {
        const document = good.slice(0, at) + replacement + good.slice(at + 1)
        let isJson = true
        try {
          JSON.parse(document)
        } catch {
          isJson = false
        }
        const outcome = await read(document, { places }).then(
          () => 'taken',
          (error: BatonError) => error.code,
        )
        // What is first wrong decides: a bad id may stand before a missing bracket.
        expect(isJson ? ['taken', 'invalid_request'] : ['invalid_json', 'invalid_request']).toContain(outcome)
      },
    )
    await fc.assert(property, { numRuns: 1_000 })
  })

  it('takes bytes that are UTF-8, and no others', async () => {
    const byte = fc.constantFrom(
      0x61,
      0x80,
      0xa9,
      0xbf,
      0xc0,
      0xc3,
      0xe2,
      0x82,
      0xac,
      0xed,
      0xa0,
      0xf0,
      0x9f,
      0x98,
      0xff,
    )
    const property = fc.asyncProperty(
      fc.array(byte, { maxLength: 8 }),
      fc.nat(2),
      cuts,
      async (bytes, where, places) => {
        const [before, after] = [
          ['{"requests":[{"custom_id":"a","params":{"x":"', '"}}]}'],
          ['{"requests":[{"custom_id":"a","params":{"', '":1}}]}'],
          ['{"completion_window":"', `",${documentOf(request('a')).slice(1)}`],
        ][where]!
        const document = Buffer.concat([Buffer.from(before!), Buffer.from(bytes), Buffer.from(after!)])
        const outcome = await read(document, { places }).then(
          () => 'taken',
          (error: BatonError) => error.code,
        )
        expect(outcome).toBe(isUtf8(document) ? 'taken' : 'invalid_json')
      },
    )
    await fc.assert(property, { numRuns: 2_000 })
  })
})
