import { describe, expect, it } from 'vitest'
import { readFailures } from '../../src/batches/read-failures.ts'
import { batchJobId, newBatchId, ulidOf } from '../../src/redis/keys.ts'
import { piecesOf } from './pieces.ts'

const batchId = newBatchId('openai', 3, 1_765_000_000_000)
const lastError = { provider: 'first', model: 'm', status_code: 503 }
const openai = (number: number, more: object): string =>
  `${JSON.stringify({ id: `batch_req_${ulidOf(batchJobId(batchId, number))}`, custom_id: `c${number}`, ...more })}\n`
const anthropic = (customId: string, result: object): string =>
  `${JSON.stringify({ custom_id: customId, result })}\n`
const read = (dialect: 'openai' | 'anthropic', text: string, more: object = {}) => {
  const query = { dialect, from: 0, limit: 10, ...more }
  const bytes = Buffer.from(text).subarray(query.from)
  const mebibytes = Array.from({ length: bytes.length >> 20 }, (_, i) => (i + 1) << 20)
  return readFailures(piecesOf(bytes, [5, 90, ...mebibytes]), query)
}

describe('what failed of a batch', () => {
  it('is told by the error itself, by the answer, or by its status', async () => {
    const text =
      openai(7, { response: null, error: { code: 'batch_expired', message: 'm', last_error: lastError } }) +
      openai(9, {
        response: { status_code: 400, body: { error: { code: 'bad', type: 't' } } },
        error: null,
      }) +
      openai(8, { response: { status_code: 404, body: { error: { type: 'not_found' } } }, error: null }) +
      openai(1, { response: { status_code: 418, body: {} }, error: null })
    const { lines, isWhole } = await read('openai', text)
    expect(isWhole).toBe(true)
    expect(lines).toEqual([
      { custom_id: 'c7', line: 7, status_code: null, code: 'batch_expired', provider: 'first' },
      { custom_id: 'c9', line: 9, status_code: 400, code: 'bad', provider: null },
      { custom_id: 'c8', line: 8, status_code: 404, code: 'not_found', provider: null },
      { custom_id: 'c1', line: 1, status_code: 418, code: 'status_418', provider: null },
    ])
  })

  it('stands among the answers of a message batch', async () => {
    const text =
      anthropic('a', { type: 'succeeded', message: {} }) +
      anthropic('b', { type: 'errored', error: { type: 'error', error: { type: 'overloaded_error' } } }) +
      anthropic('c', { type: 'expired', last_error: lastError }) +
      anthropic('"\\', { type: 'succeeded', message: {} }) +
      anthropic('d', { type: 'canceled' })
    const { lines, codes } = await read('anthropic', text)
    expect(lines.map(({ custom_id, code, provider }) => [custom_id, code, provider])).toEqual([
      ['b', 'overloaded_error', null],
      ['c', 'expired', 'first'],
      ['d', 'canceled', null],
    ])
    expect(codes.map(({ code, count }) => [code, count])).toEqual([
      ['overloaded_error', 1],
      ['expired', 1],
      ['canceled', 1],
    ])
  })

  it('is shown page by page, each line once, with counts of all', async () => {
    const of = (code: string) => ({ response: null, error: { code } })
    const text = [1, 2, 3, 4, 5].map(number => openai(number, of(number === 3 ? 'x' : 'y'))).join('')
    const first = await read('openai', text, { limit: 2 })
    expect(first.codes).toMatchObject([
      { code: 'y', count: 4, example: { line: 1 } },
      { code: 'x', count: 1, example: { line: 3 } },
    ])
    const second = await read('openai', text, { limit: 2, from: first.next })
    const third = await read('openai', text, { limit: 2, from: second.next })
    expect([first, second, third].map(({ lines }) => lines.map(({ line }) => line))).toEqual([
      [1, 2],
      [3, 4],
      [5],
    ])
    expect(third.next).toBeNull()
    const ofY = await read('openai', text, { limit: 3, code: 'y' })
    expect(ofY.lines.map(({ line }) => line)).toEqual([1, 2, 4])
    expect((await read('openai', text, { limit: 3, code: 'y', from: ofY.next })).lines).toMatchObject([
      { line: 5 },
    ])
  })

  it('is looked at in bounded steps', async () => {
    const long = anthropic('a', { type: 'succeeded', message: { text: 'x'.repeat(9 * 1024 * 1024) } })
    const text = long + long + long + anthropic('z', { type: 'canceled' })
    const first = await read('anthropic', text)
    expect(first).toMatchObject({ lines: [], codes: [], isWhole: false, next: expect.any(Number) })
    const second = await read('anthropic', text, { from: first.next })
    expect(second.lines).toMatchObject([{ custom_id: 'z' }])
  })
})
