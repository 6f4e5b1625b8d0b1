import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withModel } from '../../../src/providers/native-body.ts'

const messages = '"messages":[{"role":"user","content":"hello"}]'

describe('the model in a native body', () => {
  it.each([
    ['as its first member', `{"model":"m",${messages}}`],
    ['alone', '{"model":"m"}'],
    ['and speaks of one', '{"model":"m","user":"which model"}'],
    ['as its last member', `{${messages},"model":"m"}`],
    ['with spaces', `{ "model" : "m", ${messages} }`],
    ['in numbers that would not survive', `{"model":"m","seed":12345678901234567890}`],
  ])('leaves a body untouched that names the model %s', (_, text) => {
    expect(withModel(text, 'm')).toBe(text)
  })

  it.each([
    ['another one', `{"model":"n",${messages}}`],
    ['one that begins alike', `{"model":"mm",${messages}}`],
    ['a second one, which is what a provider reads', `{"model":"m",${messages},"model":"n"}`],
    ['a second one, written with an escape', `{"model":"m",${messages},"mod\\u0065l":"n"}`],
  ])('sets the model of a body that names %s', (_, text) => {
    expect(JSON.parse(withModel(text, 'm'))).toMatchObject({ model: 'm' })
  })

  it.each(['{"model":"m"', 'nonsense', '[]', ''])(
    'leaves what is no JSON object to the provider: %s',
    text => {
      expect(withModel(text, 'm')).toBe(text)
    },
  )

  it.each([
    [`{"model":"n",${messages}}`, `{"model":"m",${messages}}`],
    [`{ ${messages} , "model" : "n" }`, `{ ${messages} , "model" : "m" }`],
    ['{"model":"n","seed":12345678901234567890}', '{"model":"m","seed":12345678901234567890}'],
    ['{"model":["n",{"a":"}"}],"a":1,"mod\\u0065l":"n"}', '{"model":"m","a":1,"mod\\u0065l":"m"}'],
    [
      '{"a":{"model":"n"},"b\\\\":"\\"model\\":1","model":"n"}',
      '{"a":{"model":"n"},"b\\\\":"\\"model\\":1","model":"m"}',
    ],
    ['{"a":"}"}', '{"model":"m","a":"}"}'],
    [' { } ', '{"model":"m" } '],
  ])('leaves everything else as it was: %s', (text, expected) => {
    expect(withModel(text, 'm')).toBe(expected)
  })

  it('takes a body that is nested deeply', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(withModel(`{"model":"n","a":${deep}}`, 'm')).toBe(`{"model":"m","a":${deep}}`)
  })

  it('says what JSON.parse then reads, of any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constant('model'), fc.string()), fc.jsonValue()),
        fc.nat(3),
        (body, space) => {
          const text = JSON.stringify(body, null, space)
          expect(JSON.parse(withModel(text, 'm'))).toEqual({ ...JSON.parse(text), model: 'm' })
        },
      ),
    )
  })
})
