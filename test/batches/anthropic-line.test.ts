import { describe, expect, it } from 'vitest'
import { parseAnthropicLine } from '../../src/batches/anthropic-line.ts'
import { lineOf } from './pieces.ts'

const good = { model: 'claude-x', max_tokens: 256, messages: [{ role: 'user', content: '2+2?' }] }
const parse = (params: unknown, version: string | null = '2023-06-01') =>
  parseAnthropicLine(lineOf({ custom_id: 'row-17', params }, 7), version)

const refused = (param: string, why: string) => ({
  customId: 'row-17',
  fault: { code: 'invalid_request', message: `${param}: ${why}`, param, line: 7 },
})

describe('parseAnthropicLine', () => {
  it('reads a request, its params as they are written', () => {
    const params = '{"seed": 12345678901234567890, "model":"claude-x","temperature":1.0}'
    const line = lineOf(`{"custom_id":"row-17","params": ${params} }`)
    expect(parseAnthropicLine(line, null)).toMatchObject({
      customId: 'row-17',
      model: 'claude-x',
      body: params,
    })
  })

  it.each([
    ['params that are a text', 'text', 'params', 'Input should be an object'],
    ['no params', null, 'params', 'Input should be an object'],
    ['no model', { ...good, model: undefined }, 'model', 'Field required'],
    ['a model that is a number', { ...good, model: 3 }, 'model', 'Input should be the name of a model'],
    ['a stream', { ...good, stream: true }, 'stream', 'Streaming is not supported in message batches'],
    ['a speed', { ...good, speed: 'fast' }, 'speed', 'Not supported in message batches'],
    ['no tokens', { ...good, max_tokens: 0 }, 'max_tokens', 'Input should be greater than 0'],
  ])('refuses %s in every version', (_, params, param, why) => {
    expect(parse(params)).toEqual(refused(param, why))
    expect(parse(params, '2026-10-21')).toEqual(refused(param, why))
  })

  it.each([{ ...good, stream: false }, { ...good, speed: null }, { model: 'claude-x' }])(
    'takes %j',
    params => {
      expect(parse(params, '2026-10-21')).not.toHaveProperty('fault')
    },
  )

  const withBlock = (role: string, block: object) => ({
    ...good,
    messages: [...good.messages, { role, content: [block] }],
  })

  const sampling = 'Not supported with anthropic-version 2026-10-21'
  const newlyRefused: readonly (readonly [object, string, string])[] = [
    [{ ...good, temperature: 1 }, 'temperature', sampling],
    [{ ...good, top_p: 0.9 }, 'top_p', sampling],
    [{ ...good, top_k: null }, 'top_k', sampling],
    [
      withBlock('assistant', { type: 'document' }),
      'messages.1.content.0',
      'A document is not allowed in an assistant message',
    ],
    [
      withBlock('user', { type: 'text', text: '', citations: [{}] }),
      'messages.1.content.0.citations',
      'Citations are not allowed in text of the user',
    ],
  ]

  it.each(newlyRefused)('refuses %j from 2026-10-21 on, but not before', (params, param, why) => {
    expect(parse(params, '2026-10-21')).toEqual(refused(param, why))
    expect(parse(params, '2027-01-01')).toEqual(refused(param, why))
    for (const version of ['2023-06-01', null, 'nonsense']) {
      expect(parse(params, version)).not.toHaveProperty('fault')
    }
  })

  it.each([
    withBlock('user', { type: 'document' }),
    withBlock('user', { type: 'text', text: '', citations: [] }),
    withBlock('assistant', { type: 'text', text: '', citations: [{}] }),
    { ...good, messages: [null, 'text', { role: 'user' }, { role: 'user', content: [null] }] },
    { ...good, messages: 'text' },
  ])('takes %j in every version', params => {
    expect(parse(params, '2026-10-21')).not.toHaveProperty('fault')
  })

  it('refuses a bottomless request', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const line = lineOf(`{"custom_id":"row-17","params":{"model":"m","x":${deep}}}`, 7)
    expect(parseAnthropicLine(line, null)).toEqual(refused('params', 'Input nests deeper than 1000 levels'))
  })
})
