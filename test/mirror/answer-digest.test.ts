import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import { answerDigestOf } from '../../src/mirror/answer-digest.ts'

const chat = (message: object, more: object = {}) => ({
  id: `chatcmpl-${Math.random()}`,
  model: 'one',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', ...message } }],
  usage: { prompt_tokens: Math.round(Math.random() * 100) },
  ...more,
})
const says = (content: string) => chat({ content })
const calls = (args: string, id = 'call_1') =>
  chat({
    content: null,
    tool_calls: [{ id, type: 'function', function: { name: 'look_up', arguments: args } }],
  })

const agreement = (endpoint: Endpoint, one: object, two: object): string => {
  const [a, b] = [one, two].map(answer => answerDigestOf(endpoint, JSON.stringify(answer))!)
  if (a!.exact === b!.exact) return 'exact'
  return a!.normalised === b!.normalised ? 'normalised' : 'none'
}

describe('two answers agree', () => {
  it.each([
    ['exact', 'the same words under another id', says('Yes.'), says('Yes.')],
    ['normalised', 'another case and spacing', says('Yes, it is.'), says(' yes,  it\nis. ')],
    ['none', 'other words', says('Yes.'), says('No.')],
    ['none', 'words run together', says('a b'), says('ab')],
    ['normalised', 'JSON written in another way', says('{"a": 1, "b": [2]}'), says('{"b":[2],"a":1}')],
    ['none', 'JSON with another value', says('{"a":1}'), says('{"a":2}')],
    ['none', 'JSON with a text in another case', says('{"a":"X"}'), says('{"a":"x"}')],
    ['none', 'what only begins like JSON', says('[note] a'), says('[note] b')],
    ['normalised', 'a letter composed in another way', says('caf\u00e9'), says('cafe\u0301')],
    ['exact', 'the same call under another id', calls('{"q":1}'), calls('{"q":1}', 'call_2')],
    ['normalised', 'arguments written in another way', calls('{"q": 1}'), calls('{"q":1}')],
    ['none', 'other arguments', calls('{"q":1}'), calls('{"q":2}')],
    ['none', 'a call and words', calls('{"q":1}'), says('{"q":1}')],
  ])('%s: %s', (how, _, one, two) => {
    expect(agreement('/v1/chat/completions', one, two)).toBe(how)
  })

  it.each<[Endpoint, (text: string) => object]>([
    ['/v1/messages', text => ({ id: Math.random(), content: [{ type: 'text', text }] })],
    ['/v1/completions', text => ({ id: Math.random(), choices: [{ text }] })],
    [
      '/v1/responses',
      text => ({
        id: Math.random(),
        output: [
          { type: 'reasoning', id: Math.random(), summary: [] },
          { type: 'message', content: [{ type: 'output_text', text }] },
        ],
      }),
    ],
  ])('in the format of %s, too', (endpoint, answer) => {
    expect(agreement(endpoint, answer('Yes'), answer('Yes'))).toBe('exact')
    expect(agreement(endpoint, answer('Yes'), answer('yes '))).toBe('normalised')
    expect(agreement(endpoint, answer('Yes'), answer('No'))).toBe('none')
  })

  it('as calls of tools in Anthropic’s format and embeddings', () => {
    const uses = (input: object) => ({ content: [{ type: 'tool_use', id: Math.random(), name: 't', input }] })
    expect(agreement('/v1/messages', uses({ a: 1, b: 2 }), uses({ b: 2, a: 1 }))).toBe('normalised')
    expect(agreement('/v1/messages', uses({ a: 1 }), uses({ a: 2 }))).toBe('none')
    const vector = (...embedding: number[]) => ({ data: [{ embedding }] })
    expect(agreement('/v1/embeddings', vector(0.1, 2), vector(0.1, 2))).toBe('exact')
    expect(agreement('/v1/embeddings', vector(0.1, 2), vector(0.1, 3))).toBe('none')
  })

  it('never of what is no JSON, and nothing of the answer is in the digest', () => {
    expect(answerDigestOf('/v1/messages', '<html>')).toBeNull()
    const { exact, normalised } = answerDigestOf('/v1/chat/completions', JSON.stringify(says('secret')))!
    for (const each of [exact, normalised]) expect(each).toMatch(/^[\w-]{22}$/)
  })
})
