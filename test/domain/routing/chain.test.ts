import { describe, expect, test } from 'vitest'
import { chainOf, findLoops, type RouteBook, resolveRoutes } from '../../../src/domain/routing/chain.ts'

type Routes = Record<string, string | string[]>

/** Each route on a provider of its own name, falling back to the routes given. */
const bookOf = (routes: Routes): RouteBook => ({
  providers: {},
  models: Object.fromEntries(
    Object.entries(routes).map(([name, fallback_to]) => [name, { provider: `at-${name}`, fallback_to }]),
  ),
})

const routesIn = (book: RouteBook, name: string) => chainOf(book, name).map(({ route }) => route)

describe('chains of targets', () => {
  describe('the order of a chain', () => {
    const cases: [name: string, routes: Routes, chain: string[]][] = [
      ['a route alone', { a: [] }, ['a']],
      ['follows fallback_to', { a: 'b', b: 'c', c: [] }, ['a', 'b', 'c']],
      [
        'each of a list is followed to its end first',
        { a: ['b', 'd'], b: 'c', c: [], d: [] },
        ['a', 'b', 'c', 'd'],
      ],
      ['a route met twice stands where it was met first', { a: ['b', 'c'], b: 'c', c: [] }, ['a', 'b', 'c']],
      ['a loop ends', { a: 'b', b: ['a', 'c'], c: 'c' }, ['a', 'b', 'c']],
      ['unknown routes are passed over', { a: ['nowhere', 'toString', 'b'], b: [] }, ['a', 'b']],
    ]
    test.each(cases)('%s', (_, routes, chain) => {
      expect(routesIn(bookOf(routes), 'a')).toEqual(chain)
    })

    test('a name that is no route has no targets, a prototype name included', () => {
      expect(chainOf(bookOf({ a: [] }), 'b')).toEqual([])
      expect(chainOf(bookOf({ a: [] }), 'constructor')).toEqual([])
    })

    test('a target met again under another route is left out', () => {
      const models = {
        a: { provider: 'p', upstream_model: 'x', fallback_to: 'b' },
        b: { provider: 'p', upstream_model: 'x', fallback_to: 'c' },
        c: { provider: 'q', upstream_model: 'x' },
      }
      expect(routesIn({ models, providers: {} }, 'a')).toEqual(['a', 'c'])
    })
  })

  describe('the facts of a target', () => {
    const price = { input: 1, output: 2 }
    const providers = {
      p: { models: { m: { upstream_model: 'm-2024', context_window: 10, max_output_tokens: 5, price } } },
    }

    test.each([
      [
        'come from the provider',
        { provider: 'p' },
        { model: 'm-2024', contextWindow: 10, maxOutputTokens: 5, price },
      ],
      [
        'and the route wins',
        {
          provider: 'p',
          upstream_model: 'own',
          context_window: 20,
          max_output_tokens: 6,
          price: { input: 0, output: 0 },
        },
        { model: 'own', contextWindow: 20, maxOutputTokens: 6, price: { input: 0, output: 0 } },
      ],
      ['are absent where nothing is known', { provider: 'unlisted' }, { model: 'm' }],
    ])('%s', (_, route, facts) => {
      expect(chainOf({ models: { m: route }, providers }, 'm')).toEqual([
        { route: 'm', provider: route.provider, ...facts },
      ])
    })

    test('are found by the upstream name when the route goes by another', () => {
      const [target] = chainOf(
        { models: { alias: { provider: 'p', upstream_model: 'm' } }, providers },
        'alias',
      )
      expect(target).toMatchObject({ model: 'm', contextWindow: 10 })
    })
  })

  test('what is known of a model from elsewhere fills in what the config does not say', () => {
    const price = { input: 1, output: 2 }
    const book = { models: { m: { provider: 'p', context_window: 5 } }, providers: {} }
    const known = (provider: string, model: string) =>
      provider === 'p' && model === 'm' ? { context_window: 9, max_output_tokens: 3, price } : undefined
    expect(chainOf(book, 'm', known)).toMatchObject([{ contextWindow: 5, maxOutputTokens: 3, price }])
  })

  describe('loops', () => {
    const cases: [name: string, routes: Routes, loops: string[][]][] = [
      ['none', { a: ['b', 'c'], b: 'c', c: [] }, []],
      ['a route to itself', { a: 'a' }, [['a', 'a']]],
      ['told from where it is entered', { x: 'a', a: 'b', b: 'a' }, [['a', 'b', 'a']]],
      [
        'several',
        { a: 'b', b: ['a', 'b'], c: 'd', d: 'c' },
        [
          ['a', 'b', 'a'],
          ['b', 'b'],
          ['c', 'd', 'c'],
        ],
      ],
      ['unknown routes end a trail', { a: 'nowhere' }, []],
    ]
    test.each(cases)('%s', (_, routes, loops) => {
      expect(findLoops(bookOf(routes).models)).toEqual(loops)
    })

    test('a dense web of routes is searched in no time', () => {
      const names = Array.from({ length: 60 }, (_, index) => `r${index}`)
      const book = bookOf(Object.fromEntries(names.map((name, index) => [name, names.slice(index + 1)])))
      expect(findLoops(book.models)).toEqual([])
      expect(routesIn(book, 'r0')).toEqual(names)
    })
  })

  test('every route is resolved', () => {
    const routes = resolveRoutes(bookOf({ a: 'b', b: [] }))
    expect([...routes].map(([name, chain]) => [name, chain.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
  })
})
