import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainOf, findLoops, type RouteBook, resolveRoutes } from '../../src/domain/routing/chain.ts'
import { patienceMs, runs } from './runs.ts'

/** Names with a meaning to objects among them: a route may be called anything. */
const routeName = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'toString', 'constructor', '1', 'x/y')
const upstreamName = fc.constantFrom('m1', 'm2', 'a', 'x/y', 'valueOf')
const providerName = fc.constantFrom('p', 'q', 'constructor')

const facts = fc.record(
  {
    upstream_model: upstreamName,
    context_window: fc.integer({ min: 1, max: 9 }),
    max_output_tokens: fc.integer({ min: 1, max: 9 }),
    price: fc.record({ input: fc.nat(9), output: fc.nat(9) }),
  },
  { requiredKeys: [] },
)
const fallbacks = fc.oneof(
  fc.constant(undefined),
  fc.oneof(routeName, fc.constant('unknown')),
  fc.array(fc.oneof(routeName, fc.constant('unknown')), { maxLength: 4 }),
)
const route = fc
  .tuple(facts, providerName, fallbacks)
  .map(([known, provider, fallback_to]) => ({ ...known, provider, fallback_to }))

const book: fc.Arbitrary<RouteBook> = fc.record({
  models: fc.dictionary(routeName, route, { minKeys: 1 }),
  providers: fc.dictionary(
    providerName,
    fc.record({ models: fc.dictionary(fc.oneof(routeName, upstreamName), facts) }),
  ),
})

const listOf = (names: string | readonly string[] | undefined): readonly string[] =>
  typeof names === 'string' ? [names] : (names ?? [])

/** Routes that can be got to, found otherwise than `chainOf` finds them. */
const reachable = ({ models }: RouteBook, from: string): Set<string> => {
  const found = new Set([from])
  for (const name of found) {
    for (const next of listOf(models[name]!.fallback_to)) if (Object.hasOwn(models, next)) found.add(next)
  }
  return found
}

/** Whether anything is left when routes that lead nowhere are taken away again and again. */
const hasLoop = ({ models }: RouteBook): boolean => {
  const left = new Set(Object.keys(models))
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const name of left) {
      if (!listOf(models[name]!.fallback_to).some(next => left.has(next))) left.delete(name)
    }
  }
  return left.size > 0
}

describe('chains, of any routes', { timeout: patienceMs }, () => {
  it('end, begin at their own route, go to each target once, and leave none out', () => {
    fc.assert(
      fc.property(book, given => {
        const routes = resolveRoutes(given)
        expect([...routes.keys()]).toEqual(Object.keys(given.models))
        for (const [name, chain] of routes) {
          expect(chain[0]).toMatchObject({ route: name, provider: given.models[name]!.provider })
          const keyOf = ({ provider, model }: { provider: string; model: string }) => `${provider} ${model}`
          expect(new Set(chain.map(keyOf)).size).toBe(chain.length)
          const there = reachable(given, name)
          for (const target of chain) expect(there).toContain(target.route)
          const served = new Set(chain.map(keyOf))
          for (const other of there) expect(served).toContain(keyOf(chainOf(given, other)[0]!))
        }
      }),
      runs(3_000),
    )
  })

  it('put what a route falls back to behind it, in its order', () => {
    fc.assert(
      fc.property(book, given => {
        // With targets all of their own no route is left out for another's sake.
        const models = Object.fromEntries(
          Object.entries(given.models).map(([name, { fallback_to }]) => [
            name,
            { provider: name, fallback_to },
          ]),
        )
        for (const name of Object.keys(models)) {
          const chain = chainOf({ models, providers: {} }, name).map(target => target.route)
          const firsts = listOf(models[name]!.fallback_to).filter(next => Object.hasOwn(models, next))
          if (firsts[0] !== undefined && firsts[0] !== name) expect(chain[1]).toBe(firsts[0])
          expect([...chain].sort()).toEqual([...reachable({ models, providers: {} }, name)].sort())
        }
      }),
      runs(1_000),
    )
  })

  it('are reported as loops exactly where routes fall back to themselves', () => {
    fc.assert(
      fc.property(book, given => {
        const loops = findLoops(given.models)
        expect(loops.length > 0).toBe(hasLoop(given))
        for (const loop of loops) {
          expect(loop.at(-1)).toBe(loop[0])
          expect(new Set(loop).size).toBe(loop.length - 1)
          for (const [i, name] of loop.slice(0, -1).entries()) {
            expect(listOf(given.models[name]!.fallback_to)).toContain(loop[i + 1])
          }
        }
      }),
      runs(3_000),
    )
  })
})
