import { describe, expect, test } from 'vitest'
import { type Ability, eligibleTargets, type Request } from '../../../src/domain/routing/eligible-targets.ts'

interface Named extends Ability {
  readonly name: string
}

const requestOf = (body: object): Request => {
  const text = JSON.stringify(body)
  return { endpoint: '/v1/chat/completions', text, body: () => JSON.parse(text) }
}
const says = (content: unknown, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more })
const image = says([{ type: 'image_url', image_url: { url: 'https://x/y.png' } }])
/** 16,000 tokens at the least, and twice that in truth. */
const long = says('word '.repeat(32_000))

const blind: Named = { name: 'blind', capabilities: { vision: false, tools: false } }
const seeing: Named = { name: 'seeing', capabilities: { vision: true } }
const unknown: Named = { name: 'unknown' }
const small: Named = { name: 'small', contextWindow: 8_192, maxOutputTokens: 1_000 }
const middle: Named = { name: 'middle', contextWindow: 16_385, maxOutputTokens: 4_096 }
const large: Named = { name: 'large', contextWindow: 128_000, maxOutputTokens: 16_000 }

describe('the targets that are able', () => {
  const cases: [name: string, targets: Named[], body: object, able: string[], lacking: string[]][] = [
    ['all, where nothing is needed', [blind, seeing], says('hi'), ['blind', 'seeing'], []],
    ['not those that lack what is needed', [blind, seeing], image, ['seeing'], ['vision']],
    ['also those of which nothing is known', [blind, unknown], image, ['unknown'], ['vision']],
    ['none, and then what was lacking', [blind], { ...image, tools: [{}] }, [], ['vision', 'tools']],
    ['all, where a word means nothing', [blind], says('an image, and "tools"'), ['blind'], []],
    ['not those with too small a window', [small, middle, large], long, ['middle', 'large'], []],
    [
      'the largest, where none may be large enough',
      [small, middle],
      says('a b '.repeat(99_000)),
      ['middle'],
      [],
    ],
    ['an unknown window has room', [small, unknown], long, ['unknown'], []],
    ['a lone target is tried', [small], long, ['small'], []],
    ['not those with too short answers', [small, large], says('x', { max_tokens: 2_000 }), ['large'], []],
    [
      'the longest, where none is long enough',
      [small, middle],
      says('x', { max_tokens: 9_000 }),
      ['middle'],
      [],
    ],
    [
      'what a prompt says of limits is no limit',
      [small, large],
      says('"max_tokens": 9000'),
      ['small', 'large'],
      [],
    ],
  ]
  test.each(cases)('%s', (_, targets, body, names, lacking) => {
    const able = eligibleTargets(targets, requestOf(body))
    expect(able.targets.map(({ name }) => name)).toEqual(names)
    expect(able.lacking).toEqual(lacking)
  })

  test.each([
    ['nothing is known', [unknown, unknown], image],
    ['all is known to be possible', [seeing, unknown], image],
    ['the text has no trace of what is lacking', [blind, seeing], says('hi', { max_tokens: 5 })],
    ['the body is short and asks for little', [small, large], says('hi', { max_tokens: 5 })],
  ])('no body is parsed where %s', (_, targets, body) => {
    const unparsed: Request = {
      ...requestOf(body),
      body: () => {
        throw new Error('parsed')
      },
    }
    expect(eligibleTargets(targets, unparsed).targets).toEqual(targets)
  })
})
