import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { JsonText, jsonOrString, writeJson } from '../../src/json/json-text.ts'

const deep = '['.repeat(20_000) + ']'.repeat(20_000)

describe('JSON text written as it is', () => {
  it.each([
    '{"seed":9007199254740993,"temperature":1.0,"big":1e400}',
    '{ "a" : 1 , "a" : 2 }',
    '"\\u00e9\\/"',
    '-0',
    deep,
  ])('writes a text where it stands, as it is: %.40s', text => {
    expect(writeJson(new JsonText(text))).toBe(text)
    expect(writeJson({ a: [1, new JsonText(text)], b: { c: new JsonText('2.0') }, d: undefined })).toBe(
      `{"a":[1,${text}],"b":{"c":2.0}}`,
    )
  })

  it('writes all else as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true }), value => {
        expect(writeJson(value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('keeps texts apart that are written while another is', () => {
    const inner = { toJSON: () => writeJson({ x: new JsonText('1.0') }) }
    expect(writeJson([new JsonText('2.0'), inner, new JsonText('3.0')])).toBe('[2.0,"{\\"x\\":1.0}",3.0]')
  })

  it('takes what is no JSON for a string', () => {
    expect(writeJson([jsonOrString('1.0'), jsonOrString('<html>')])).toBe('[1.0,"<html>"]')
  })

  it('gives nothing to others that write JSON', () => {
    expect(() => JSON.stringify({ body: new JsonText('{}') })).toThrow(TypeError)
    const lines: string[] = []
    pino({ base: null }, { write: line => void lines.push(line) }).info(
      { view: new JsonText('"secret"') },
      'done',
    )
    expect(lines.join()).not.toContain('secret')
  })
})
