import { describe, expect, it } from 'vitest'
import { failedLines, pickLines } from '../../src/batches/failed-lines.ts'
import { batchJobId, newBatchId, ulidOf } from '../../src/redis/keys.ts'
import { piecesOf, textOf } from './pieces.ts'

const batchId = newBatchId('openai', 3, 1_765_000_000_000)
/** In pieces of that many bytes. */
const inPieces = (text: string, size: number): AsyncIterable<Uint8Array> => {
  const bytes = Buffer.from(text)
  return piecesOf(
    bytes,
    Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (i + 1) * size),
  )
}

const errorLine = (number: number, more: object = {}): string =>
  `${JSON.stringify({ id: `batch_req_${ulidOf(batchJobId(batchId, number))}`, custom_id: 'x', ...more })}\n`

const picked = async (input: string, numbers: readonly number[]): Promise<string> => {
  const wanted = new Uint8Array(100)
  for (const number of numbers) wanted[number] = 1
  return textOf(pickLines(inPieces(input, 7), wanted))
}

describe('failed lines of a batch', () => {
  it('tells the requests of an error file by their ids, wherever it is cut', async () => {
    const text = errorLine(2) + errorLine(40, { custom_id: 'ä'.repeat(500) }) + errorLine(99)
    for (const size of [1, 7, 64, 10_000]) {
      const failed = await failedLines(inPieces(text, size), 99)
      expect([...failed.keys()].filter(number => failed[number] === 1)).toEqual([2, 40, 99])
    }
  })

  it('throws for a file that is not one of ours', async () => {
    await expect(failedLines(inPieces('{"id":"x"}\n', 5), 9)).rejects.toThrow('line 1')
  })

  it('picks requests as they are, and counts no blank lines', async () => {
    const input = '\ufeff{"a": 1.0}\r\n\n  \n{"b":12345678901234567890}\n{"c":"ä"}'
    expect(await picked(input, [1, 2, 3])).toBe('{"a": 1.0}\n{"b":12345678901234567890}\n{"c":"ä"}\n')
    expect(await picked(input, [2])).toBe('{"b":12345678901234567890}\n')
    expect(await picked(input, [1, 3])).toBe('{"a": 1.0}\n{"c":"ä"}\n')
    expect(await picked(input, [])).toBe('')
  })
})
