import { chainOf } from '../domain/routing/chain.ts'
import { nearest } from './did-you-mean.ts'
import type { Draft, DraftRoute } from './draft.ts'
import type { Finding, Path } from './fault.ts'

/** What is wrong between a route's strategy, its weights and its chain. */
export const strategyFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => {
  const { strategy, weights } = route
  if (weights === undefined) return []
  const path: Path = ['models', name, 'weights']
  const relation = (at: Path, message: string, suggestion?: string): Finding => ({
    code: 'relation',
    path: at,
    message,
    suggestion,
  })
  if (strategy !== 'weighted') return [relation(path, 'is of no use without strategy: weighted')]
  const members = membersOf(draft, name)
  const strangers = Object.keys(weights).filter(member => !members.has(member))
  if (strangers.length > 0) {
    return strangers.map(stranger =>
      relation(
        [...path, stranger],
        'no such route or provider in this chain',
        nearest(stranger, [...members]),
      ),
    )
  }
  const sum = Object.values(weights).reduce((total: number, weight) => total + (weight ?? 0), 0)
  return sum > 0 ? [] : [relation(path, 'come to 0: nobody would have a share')]
}

/** By these names a target of the chain can be given its weight. */
const membersOf = ({ models }: Draft, name: string): ReadonlySet<string> => {
  const whole = Object.entries(models).flatMap(([route, { provider, ...rest }]) =>
    provider === undefined ? [] : [[route, { ...rest, provider }] as const],
  )
  const chain = chainOf({ models: Object.fromEntries(whole), providers: {} }, name)
  return new Set(chain.flatMap(({ route, provider }) => [route, provider]))
}
