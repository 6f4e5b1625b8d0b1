import { describe, expect, test } from 'vitest'
import { chainOf, findLoops, type RouteBook, routeFor } from '../../../src/domain/routing/chain.ts'
import { isStar, nameFor } from '../../../src/domain/routing/wildcards.ts'

const providers = { a: { models: {} }, b: { models: {} }, c: { models: { listed: {}, other: {} } } }
const book: RouteBook = {
  providers,
  aliases: { best: 'exact', quick: 'a/quick' },
  models: {
    exact: { provider: 'a' },
    'a/*': { provider: 'a', fallback_to: 'deep/b/*' },
    'a/fine-*': { provider: 'b' },
    'a/kept': { provider: 'a', upstream_model: 'named' },
    'deep/*': { provider: 'b' },
    'renamed/*': { provider: 'b', upstream_model: 'vendor/*' },
    'fixed/*': { provider: 'b', upstream_model: 'one' },
    'listed/*': { provider: 'c' },
  },
}
const targets = (name: string, of: RouteBook = book): string[] =>
  chainOf(of, name).map(({ provider, model }) => `${provider}/${model}`)

describe('a route with a star in its name', () => {
  test.each([
    ['what the star stands for is the model, also of a fallback', 'a/gpt-5.4', ['a/gpt-5.4', 'b/b/gpt-5.4']],
    ['slashes belong to it', 'a/meta/llama-3', ['a/meta/llama-3', 'b/b/meta/llama-3']],
    ['the longer pattern wins', 'a/fine-1', ['b/1']],
    ['a name of its own wins', 'a/kept', ['a/named']],
    ['upstream_model may have the star elsewhere', 'renamed/x', ['b/vendor/x']],
    ['or none', 'fixed/x', ['b/one']],
    ['nothing is no name', 'a/', []],
    ['an alias is the route', 'best', ['a/exact']],
    ['an alias may lead to what a star stands for', 'quick', ['a/quick', 'b/b/quick']],
    ['a provider that lists models takes those', 'listed/listed', ['c/listed']],
    ['and no other', 'listed/unlisted', []],
    ['no pattern is like it', 'z', []],
  ])('%s: %s', (_, name, expected) => {
    expect(targets(name)).toEqual(expected)
  })

  test('keeps the health of what clients name under one name, of what the config names under its own', () => {
    const kept = (name: string) => chainOf(book, name).map(({ keptAs }) => keptAs)
    expect(kept('a/anything')).toEqual(['*', '*'])
    expect(kept('a/named')).toEqual([undefined, '*'])
    expect(kept('listed/listed')).toEqual([undefined])
    expect(kept('exact')).toEqual([undefined])
    const answered = chainOf(book, 'a/anything', undefined, provider => provider === 'a')
    expect(answered.map(({ keptAs }) => keptAs)).toEqual([undefined, '*'])
    expect(answered.map(({ measuredAs }) => measuredAs)).toEqual(['*', '*'])
  })

  test('of everything is the last resort of names', () => {
    const models = { ...book.models, '*': { provider: 'c' } }
    expect(routeFor({ models }, 'z')?.name).toBe('*')
    expect(routeFor({ models }, 'a/z')?.name).toBe('a/*')
  })

  test('a loop that makes names longer ends', () => {
    const loop: RouteBook = {
      providers,
      models: { 'a/*': { provider: 'a', fallback_to: 'a/a/*' } },
    }
    expect(targets('a/x', loop)).toEqual(['a/x'])
    expect(findLoops(loop.models)).toEqual([['a/*', 'a/*']])
  })

  test.each([
    '../../v1beta/files',
    'x/../y',
    'a//b',
    '/x',
    'x/',
    'x?key=1',
    'x#y',
    'x%2e%2e',
    'x\\y',
    'x y',
    'x\ny',
    '.hidden',
    '*',
    'x*',
    'ä',
    'x'.repeat(201),
  ])('nobody may put %j for it', star => {
    expect(isStar(star)).toBe(false)
    if (!star.includes('*')) expect(targets(`a/${star}`)).toEqual([])
  })

  test.each([
    'gpt-5.4',
    'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    'accounts/fireworks/models/kimi-k2p6',
    'ft:gpt-4o:org::id',
    'qwen3:0.6b',
    '~anthropic/claude-latest',
    'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude',
    '@cf/meta/llama'.slice(1),
  ])('anybody may put %s for it', star => {
    expect(isStar(star)).toBe(true)
  })

  test('a name that a provider lists has the name by which clients reach it', () => {
    expect(nameFor('a/*', '*', 'gpt-5.4')).toBe('a/gpt-5.4')
    expect(nameFor('renamed/*', 'vendor/*', 'vendor/x')).toBe('renamed/x')
    expect(nameFor('renamed/*', 'vendor/*', 'other/x')).toBeNull()
    expect(nameFor('fixed/*', 'one', 'x')).toBeNull()
  })
})
