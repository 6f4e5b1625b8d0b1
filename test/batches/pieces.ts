import fc from 'fast-check'
import type { InputLine } from '../../src/batches/read-lines.ts'

/** The bytes in pieces, cut at these places. */
export async function* piecesOf(bytes: Uint8Array, cuts: readonly number[] = []): AsyncGenerator<Uint8Array> {
  const places = [...cuts.filter(cut => cut < bytes.length), bytes.length].sort((a, b) => a - b)
  let from = 0
  for (const to of places) {
    yield bytes.subarray(from, to)
    from = to
  }
}

/** Where to cut: anywhere, in the same place twice too, which makes empty pieces. */
export const cuts = fc.array(fc.nat(400), { maxLength: 40, size: 'max' })

export const textOf = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export const lineOf = (content: string | object | Buffer | null, number = 1): InputLine => {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  const bytes = content === null || Buffer.isBuffer(content) ? content : Buffer.from(text)
  return { number, end: 0, bytes }
}
