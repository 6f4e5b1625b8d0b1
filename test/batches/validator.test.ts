import { describe, expect, it } from 'vitest'
import { createValidator } from '../../src/batches/validator.ts'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import { lineOf } from './pieces.ts'

const validatorFor = (options: { endpoint?: Endpoint; maxLines?: number; maxFaults?: number } = {}) =>
  createValidator({
    endpoint: '/v1/chat/completions',
    maxLines: 50_000,
    maxFaults: 20,
    isKnownModel: model => model.startsWith('gpt-'),
    ...options,
  })

const request = (customId: string, body: object = {}, url: Endpoint = '/v1/chat/completions') => ({
  custom_id: customId,
  method: 'POST',
  url,
  body: { model: 'gpt-x', ...body },
})

const validate = (contents: readonly (string | object)[], options?: Parameters<typeof validatorFor>[0]) => {
  const validator = validatorFor(options)
  for (const [index, content] of contents.entries()) validator.add(lineOf(content, index + 1))
  return { ...validator.finish(), full: validator.full }
}

describe('a validator', () => {
  it('finds nothing wrong with a good file', () => {
    const { total, faults, model } = validate([request('a'), request('b'), request('A')])
    expect({ total, faults, model }).toEqual({ total: 3, faults: [], model: 'gpt-x' })
  })

  it('allows several models, and names none then', () => {
    const { faults, model } = validate([request('a'), request('b', { model: 'gpt-y' })])
    expect({ faults, model }).toEqual({ faults: [], model: null })
  })

  it('finds an empty file', () => {
    expect(validate([])).toMatchObject({
      total: 0,
      faults: [{ code: 'empty_file', param: null, line: null }],
    })
  })

  it('says which line has a custom id already', () => {
    const { faults } = validate([request('a'), request('b'), request('a')])
    const message = "The custom_id 'a' is that of line 1 already; each must be unique in its file."
    expect(faults).toEqual([{ code: 'duplicate_custom_id', message, param: 'custom_id', line: 3 }])
  })

  it.each([
    ['long ids', 'x'.repeat(10_000)],
    ['an id as long as a digest', 'x'.repeat(64)],
    ['an id that is just kept', 'x'.repeat(63)],
  ])('tells %s apart by their last character', (_, id) => {
    const other = `${id.slice(0, -1)}y`
    expect(validate([request(id), request(other)]).faults).toEqual([])
    expect(validate([request(id), request(other), request(id)]).faults).toMatchObject([{ line: 3 }])
  })

  it('names a model that is not served', () => {
    const { faults } = validate([request('a', { model: 'claude-y' })])
    expect(faults).toMatchObject([{ code: 'model_not_found', param: 'body.model', line: 1 }])
    expect(faults[0]!.message).toContain("'claude-y'")
  })

  it('shows no more of a text than is needed to find it', () => {
    const { faults } = validate([request('a', { model: 'x'.repeat(1_000_000) })])
    expect(faults[0]!.message.length).toBeLessThan(250)
  })

  it('takes as many lines as are allowed, and stops at one more', () => {
    const lines = Array.from({ length: 50_001 }, (_, index) => request(`row-${index}`))
    expect(validate(lines.slice(1))).toMatchObject({ total: 50_000, faults: [], full: false })
    const message = 'The file has more than 50000 requests.'
    expect(validate(lines)).toMatchObject({
      faults: [{ code: 'too_many_tasks', message, param: null, line: 50_001 }],
      full: true,
    })
  })

  it('looks no further after the most faults it is to find', () => {
    const { faults, full, total } = validate(['1', '2', '3', '4', '5'], { maxFaults: 3 })
    expect(faults.map(({ line }) => line)).toEqual([1, 2, 3])
    expect({ full, total }).toEqual({ full: true, total: 3 })
  })

  it.each([
    ['texts', Array(30_000).fill('text')],
    ['lists of tokens', Array(30_000).fill([1, 2])],
  ])('counts %s to embed, not lines', (_, input) => {
    const endpoint = '/v1/embeddings'
    const one = request('a', { input }, endpoint)
    expect(validate([one, request('b', { input: 'text' }, endpoint)], { endpoint }).faults).toEqual([])
    expect(validate([one, request('b', { input }, endpoint)], { endpoint })).toMatchObject({
      faults: [{ code: 'too_many_tasks', param: 'body.input', line: 2 }],
      full: true,
    })
  })

  it('takes a list of tokens for one input', () => {
    const endpoint = '/v1/embeddings'
    const input = Array(60_000).fill(1)
    expect(validate([request('a', { input }, endpoint)], { endpoint }).faults).toEqual([])
  })
})
