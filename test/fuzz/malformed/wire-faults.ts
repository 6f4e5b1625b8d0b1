import type { Chance } from './chance.ts'
import { bytesOf, type Draft, type Ending, headOf } from './draft.ts'

interface Wire {
  readonly bytes: Buffer
  readonly ending: Ending
}

/** Writes a request that is right in another way than it should be. */
export type WireFault = (draft: Draft, chance: Chance) => Wire

const lengths = ['-1', '+5', '1e3', '0x10', 'NaN', '', '5, 5', '5 5', '99999999999999999999', '٣']

const chunkGarbage = [
  'zz\r\n',
  '-1\r\n',
  'ffffffffffffffff1\r\n',
  '5\r\nab',
  '5;x="\r\nabcde\r\n',
  '\r\n',
  '0\r\nx: y',
  '5\nabcde\n',
]

const withBody = (draft: Draft): Buffer => draft.body ?? Buffer.from('{"a":1}')

const end = (...parts: readonly (Buffer | string)[]): Wire => ({
  bytes: Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
  ending: 'end',
})

const cutAt = (draft: Draft, chance: Chance): Buffer => {
  const bytes = bytesOf(draft)
  return bytes.subarray(0, chance.whole(bytes.length))
}

export const wireFaults: Readonly<Record<string, WireFault>> = {
  'a length that is too long': (draft, chance) => {
    const body = withBody(draft)
    return end(headOf(draft, [`content-length: ${body.length + 1 + chance.whole(500)}`]), body)
  },
  'a length that is too short': (draft, chance) => {
    const body = withBody(draft)
    return end(headOf(draft, [`content-length: ${chance.whole(body.length)}`]), body)
  },
  'a length of garbage': (draft, chance) =>
    end(headOf(draft, [`content-length: ${chance.pick(lengths)}`]), withBody(draft)),
  'two lengths': draft => end(headOf(draft, ['content-length: 2', 'content-length: 3']), withBody(draft)),
  'a length beside chunks': draft =>
    end(headOf(draft, ['content-length: 2', 'transfer-encoding: chunked']), '2\r\n{}\r\n0\r\n\r\n'),
  'chunks of garbage': (draft, chance) =>
    end(headOf(draft, ['transfer-encoding: chunked']), chance.pick(chunkGarbage), withBody(draft)),
  'chunks without an end': draft =>
    end(
      headOf(draft, ['transfer-encoding: chunked']),
      `${withBody(draft).length.toString(16)}\r\n`,
      withBody(draft),
      '\r\n',
    ),
  trailers: draft =>
    end(
      headOf(draft, ['transfer-encoding: chunked']),
      '2\r\n{}\r\n0\r\nauthorization: x\r\ncontent-length: 9\r\n\r\n',
    ),
  'a byte of the head changed': (draft, chance) => {
    const bytes = Buffer.from(bytesOf(draft))
    bytes[chance.whole(headOf(draft).length)] = chance.whole(256)
    return end(bytes)
  },
  'bytes inserted in the head': (draft, chance) => {
    const bytes = bytesOf(draft)
    const at = chance.whole(headOf(draft).length)
    const piece = chance.pick([
      '\r\n',
      '\n',
      '\0',
      '\r',
      ' ',
      ':',
      '\r\n\r\n',
      ' folded\r\n more',
      '\u00ff',
      '\t',
    ])
    return end(bytes.subarray(0, at), piece, bytes.subarray(at))
  },
  'no HTTP': (_, chance) => end(chance.bytes(1 + chance.whole(200))),
  'another protocol': (_, chance) =>
    end(
      chance.pick([
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'CONNECT localhost:1 HTTP/1.1\r\nhost: x\r\n\r\n',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        'GET /healthz\r\n\r\n',
        '*1\r\n$4\r\nPING\r\n',
        '\r\n\r\n\r\n',
      ]),
    ),
  'one that ends on the way': (draft, chance) => end(cutAt(draft, chance)),
  'one that is cut on the way': (draft, chance) => ({ bytes: cutAt(draft, chance), ending: 'cut' }),
  'one whose answer is not read': draft => ({ bytes: bytesOf(draft), ending: 'cut' }),
}
