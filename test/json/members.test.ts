import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementsOf, membersOf, memberText } from '../../src/json/members.ts'

describe('members of JSON text', () => {
  describe('memberText', () => {
    it.each([
      ['{"body":{"a":1}}', '{"a":1}', 1],
      ['{"x":{"body":1},"body":2}', '2', 0],
      ['{"body":[[[]]],"x":[[[[[]]]]]}', '[[[]]]', 3],
      ['{"x":[[[[[]]]]],"body":{}}', '{}', 1],
      [' { "body" : { "a" : 1.0 } , "x" : 1 } ', '{ "a" : 1.0 }', 1],
      ['{"body":1,"body":2}', '2', 0],
      ['{"b\\u006fdy":3}', '3', 0],
      ['{"x":"body","y":"\\"body\\":4","body":5}', '5', 0],
      ['{"body":"}\\\\"}', '"}\\\\"', 0],
      ['{"body":{"__proto__":{"a":12345678901234567890}}}', '{"__proto__":{"a":12345678901234567890}}', 2],
    ])('finds it in %s', (json, text, depth) => {
      expect(memberText(json, 'body')).toEqual({ text, depth })
    })

    it.each(['{}', '{"x":1}', '{"x":{"body":1}}', '{"x":["body",1]}', '{"x":"body"}'])(
      'finds none in %s',
      json => {
        expect(memberText(json, 'body')).toBeNull()
      },
    )

    it('finds what JSON.parse finds, in any object', () => {
      const key = fc.oneof(fc.constantFrom('body', '"body"', 'x', '__proto__', '\\'), fc.string())
      const value = fc.jsonValue({ maxDepth: 4 })
      const space = fc.constantFrom('', ' ', '\t', '  ')
      const object = fc.tuple(fc.array(fc.tuple(key, value)), space).map(([members, gap]) => {
        const written = members.map(
          ([k, v]) => `${gap}${JSON.stringify(k)}${gap}:${gap}${JSON.stringify(v, null, gap)}${gap}`,
        )
        return `{${written.join(',').replaceAll('\n', ' ')}}`
      })
      fc.assert(
        fc.property(object, json => {
          const parsed = JSON.parse(json) as Record<string, unknown>
          const found = memberText(json, 'body')
          expect(found === null).toBe(!Object.hasOwn(parsed, 'body'))
          if (found !== null) expect(JSON.parse(found.text)).toEqual(parsed.body)
        }),
        { numRuns: 1_000 },
      )
    })
  })

  const anything = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '1', 'a') }),
  )

  it('comes to an end within any text, JSON or not', () => {
    fc.assert(
      fc.property(anything, text => {
        for (const spans of [membersOf(text), elementsOf(text)]) {
          for (const { start, end } of spans) expect(start <= end && end <= text.length).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds the elements that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.nat(2), (values, gap) => {
        const text = JSON.stringify(values, null, gap)
        const found = [...elementsOf(text)].map(({ start, end }) => JSON.parse(text.slice(start, end)))
        expect(found).toEqual(JSON.parse(text))
      }),
    )
  })

  it('tells names as they are, which JSON.parse of this Node does not always', () => {
    JSON.parse('{"a":0,"\\\\n":1}')
    const names = [...membersOf('{"a":0,"\\n":1}')].map(({ name }) => name)
    expect(names).toEqual(['a', '\n'])
  })

  it('takes what nests a million deep', () => {
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    expect([...membersOf(`{"a":${deep},"b":1}`)].map(({ name, depth }) => [name, depth])).toEqual([
      ['a', 1_000_000],
      ['b', 0],
    ])
  })
})
