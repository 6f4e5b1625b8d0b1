import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestKey } from '../../src/cache/request-key.ts'
import { canonicalJson } from '../../src/json/canonical-json.ts'
import { patienceMs, runs } from './runs.ts'

// Requests that mean the same have one key, and others have others.

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<Json>
const gap = fc.constantFrom('', ' ', '\n', '\t ', '\r\n')

/** Writes a value in one of the many ways in which it can be written. */
const written = (value: Json, chance: () => number, space: () => string): string => {
  const write = (inner: Json): string => written(inner, chance, space)
  const padded = (text: string): string => space() + text + space()
  if (typeof value === 'string') return padded(writtenText(value, chance))
  if (Array.isArray(value)) return padded(`[${value.map(write).join(',')}${space()}]`)
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value)
    for (let i = names.length - 1; i > 0; i--) {
      const j = Math.floor(chance() * (i + 1))
      ;[names[i], names[j]] = [names[j]!, names[i]!]
    }
    const members = names.map(name => `${padded(writtenText(name, chance))}:${write(value[name]!)}`)
    return padded(`{${members.join(',')}${space()}}`)
  }
  return padded(JSON.stringify(value))
}

const writtenText = (text: string, chance: () => number): string => {
  const units = Array.from({ length: text.length }, (_, i) => {
    const escaped = `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`
    if (chance() < 0.2) return chance() < 0.5 ? escaped : escaped.toUpperCase().replace('\\U', '\\u')
    if (text[i] === '/' && chance() < 0.5) return '\\/'
    const plain = JSON.stringify(text[i]).slice(1, -1)
    // Half of a pair is escaped by itself, but not beside its other half.
    return plain.length === 6 && text.codePointAt(i)! >= 0xd800 ? text[i]! : plain
  })
  const whole = `"${units.join('')}"`
  return whole.isWellFormed() ? whole : JSON.stringify(text)
}

/** Two writings of one value, drawn from what fast-check shrinks. */
const twoWritings = fc
  .tuple(json, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), fc.infiniteStream(gap))
  .map(([value, chances, gaps]) => {
    const chance = (): number => chances.next().value
    const space = (): string => gaps.next().value
    return { value, one: JSON.stringify(value), two: written(value, chance, space) }
  })

describe('random cache keys', () => {
  describe('a canonical text', { timeout: patienceMs }, () => {
    it('is the same for all writings of a value, and means the same', () => {
      fc.assert(
        fc.property(twoWritings, ({ one, two }) => {
          expect(JSON.parse(two)).toEqual(JSON.parse(one))
          expect(canonicalJson(two)).toBe(canonicalJson(one))
          expect(JSON.parse(canonicalJson(two)!)).toEqual(JSON.parse(one))
          expect(canonicalJson(canonicalJson(two)!)).toBe(canonicalJson(two))
        }),
        runs(3_000),
      )
    })

    it('is another one for another value', () => {
      const sorted = (value: Json): Json => {
        if (typeof value !== 'object' || value === null) return value
        if (Array.isArray(value)) return value.map(sorted)
        const names = Object.keys(value).sort()
        return Object.fromEntries(names.map(name => [name, sorted(value[name]!)]))
      }
      fc.assert(
        fc.property(json, json, (one, two) => {
          const [a, b] = [JSON.stringify(one), JSON.stringify(two)]
          const isSame = JSON.stringify(sorted(JSON.parse(a))) === JSON.stringify(sorted(JSON.parse(b)))
          expect(canonicalJson(a) === canonicalJson(b)).toBe(isSame)
        }),
        runs(3_000),
      )
    })

    it('keeps numbers as they are written, which doubles could not', () => {
      const digits = fc.stringMatching(/^[1-9][0-9]{17,30}$/)
      fc.assert(
        fc.property(digits, digits, (one, two) => {
          expect(canonicalJson(`{"seed":${one}}`) === canonicalJson(`{"seed": ${two}}`)).toBe(one === two)
        }),
        runs(500),
      )
    })

    it.each([
      ['a name that comes twice', '{"a":1,"a":2}', '{"a":2}'],
      ['which of two comes last', '{"a":1,"a":2}', '{"a":2,"a":1}'],
      ['text and number', '{"a":"1"}', '{"a":1}'],
      ['the order of a list', '[1,2]', '[2,1]'],
      ['null and absence', '{"a":null}', '{}'],
      ['what is spaced within a text', '{"a":"b c"}', '{"a":"b  c"}'],
      ['a backslash at the end of a text', '{"a":"\\\\","b":1}', '{"a":"\\\\\\"","b":1}'],
    ])('tells %s apart', (_, one, two) => {
      expect(canonicalJson(one)).not.toBe(canonicalJson(two))
    })

    it('is none of what is no JSON, and of anything else it is found', () => {
      const text = fc.oneof(fc.string({ unit: fc.constantFrom(...'{}[]":,\\ 1ae\ufeff') }), fc.json())
      fc.assert(
        fc.property(
          text,
          fc.nat(20),
          fc.constantFrom('', '}', '"', ',', '\\', '\ufeff', ' '),
          (given, at, junk) => {
            const broken = given.slice(0, at) + junk + given.slice(at)
            let isJson = true
            try {
              JSON.parse(broken)
            } catch {
              isJson = false
            }
            expect(canonicalJson(broken) !== null).toBe(isJson)
          },
        ),
        runs(2_000),
      )
    })

    it('is none of what would exhaust the stack', () => {
      const deep = 100_000
      expect(canonicalJson('['.repeat(deep) + ']'.repeat(deep))).toBeNull()
      expect(canonicalJson(`${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`)).toBeNull()
    })
  })

  describe('the key of a request', { timeout: patienceMs }, () => {
    const base = {
      tenant: 'default',
      route: 'gpt-4',
      chain: '[["openai","gpt-4"]]',
      endpoint: '/v1/chat/completions',
      body: '{"model":"gpt-4","messages":[{"role":"user","content":"hi"}],"temperature":0}',
      headers: { 'openai-beta': 'a=1, b=2' },
    } as const
    const bodyWith = (more: object) => JSON.stringify({ ...JSON.parse(base.body), ...more })

    it('is the same whoever asks, and tells nothing of the prompt', () => {
      const key = requestKey(base)
      expect(key).toMatch(/^[\w-]{43}$/)
      const aside = { user: 'u', metadata: { a: 'b' }, store: true, prompt_cache_key: 'k' }
      expect(requestKey({ ...base, body: bodyWith(aside) })).toBe(key)
      expect(requestKey({ ...base, headers: { 'openai-beta': 'b=2,a=1,a=1' } })).toBe(key)
    })

    it.each([
      ['tenant', { tenant: 'team-a' }],
      ['route', { route: 'gpt-5' }],
      ['models behind the route', { chain: '[["openai","gpt-5"]]' }],
      ['format', { endpoint: '/v1/messages' as const }],
      ['prompt', { body: base.body.replace('hi', 'ho') }],
      ['temperature', { body: bodyWith({ temperature: 0.1 }) }],
      ['number of answers', { body: bodyWith({ n: 2 }) }],
      ['seed', { body: bodyWith({ seed: 1 }) }],
      ['beta', { headers: { 'openai-beta': 'a=1' } }],
      ['header that goes on', { headers: { ...base.headers, 'x-team': 'blue' } }],
      ['unknown parameter', { body: bodyWith({ something_new: 1 }) }],
    ])('is another one for another %s', (_, other) => {
      expect(requestKey({ ...base, ...other })).not.toBe(requestKey(base))
    })

    it('leaves out what is on the outside only', () => {
      const nested = { response_format: { user: 'u' } }
      expect(requestKey({ ...base, body: bodyWith(nested) })).not.toBe(
        requestKey({ ...base, body: bodyWith({ response_format: { user: 'v' } }) }),
      )
      const echoed = { ...base, endpoint: '/v1/responses' as const }
      expect(requestKey({ ...echoed, body: bodyWith({ user: 'u' }) })).not.toBe(requestKey(echoed))
    })

    it('is none where the provider remembers', () => {
      const responses = { ...base, endpoint: '/v1/responses' as const }
      for (const more of [
        { conversation: 'conv_1' },
        { previous_response_id: 'resp_1' },
        { background: true },
      ])
        expect(requestKey({ ...responses, body: bodyWith(more) })).toBeNull()
      expect(requestKey({ ...responses, body: bodyWith({ background: false }) })).not.toBeNull()
    })
  })
})
