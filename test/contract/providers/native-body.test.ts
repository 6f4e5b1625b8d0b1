import { expect, it } from 'vitest'
import { withModel } from '../../../src/providers/native-body.ts'

const messages = '"messages":[{"role":"user","content":"hello"}]'

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

it.each(['{"model":"m"', 'nonsense', '[]', ''])('leaves what is no JSON object to the provider: %s', text => {
  expect(withModel(text, 'm')).toBe(text)
})
