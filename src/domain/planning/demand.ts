import { type RouteBook, type RouteTarget, resolveRoutes } from '../routing/chain.ts'

/** What one key of a provider's account may do in a minute; absent means that no limit is known. */
export interface MinuteLimits {
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
}

/** What a provider may do in a minute with all its keys; null: no limit is known. */
export interface Capacity {
  readonly rpm: number | null
  readonly tpm: number | null
}

interface Account {
  readonly limits: MinuteLimits
  readonly api_keys?: readonly string[] | undefined
}

/** As much of the config as demand is reckoned from. */
export interface DemandBook extends RouteBook {
  readonly providers: Readonly<Record<string, RouteBook['providers'][string] & Account>>
}

export interface FallbackDemand {
  readonly route: string
  /** The providers tried before, in their order. */
  readonly after: readonly string[]
  /** What they may do together, all of which comes here when they fail. */
  readonly capacity: Capacity
}

/** What the routes can send to one provider. */
export interface Demand {
  /** Routes that ask it first. */
  readonly first: readonly string[]
  readonly fallbacks: readonly FallbackDemand[]
  /** All providers that can fall over to this one, each once. */
  readonly before: readonly string[]
  /** What the providers in `before` may send together. */
  readonly fallbackCapacity: Capacity
}

const perKey = (limit: number | undefined, keys: number): number | null =>
  limit === undefined ? null : limit * keys

/** Limits are of a key: a provider with three of them may do three times as much. */
export const capacityOf = ({ limits, api_keys }: Account): Capacity => {
  const keys = api_keys?.length ?? 1
  return { rpm: perKey(limits.rpm, keys), tpm: perKey(limits.tpm, keys) }
}

const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)

/** Null as soon as one of them knows no limit. */
const together = (book: DemandBook, providers: readonly string[]): Capacity =>
  providers.reduce<Capacity>(
    (sum, name) => {
      const account = book.providers[name]
      const { rpm, tpm } = account ? capacityOf(account) : { rpm: null, tpm: null }
      return { rpm: plus(sum.rpm, rpm), tpm: plus(sum.tpm, tpm) }
    },
    { rpm: 0, tpm: 0 },
  )

const providersOf = (chain: readonly RouteTarget[]): string[] => [
  ...new Set(chain.map(({ provider }) => provider)),
]

/**
 * The demand on a provider: the most that the providers before it in its chains may send. This is the worst
 * case: all of them fail at once while they are used up to their limits.
 */
export const demandOn = (book: DemandBook, name: string): Demand => {
  const first: string[] = []
  const fallbacks: FallbackDemand[] = []
  for (const [route, chain] of resolveRoutes(book)) {
    const position = chain.findIndex(({ provider }) => provider === name)
    if (position === 0) first.push(route)
    if (position > 0) {
      const after = providersOf(chain.slice(0, position))
      fallbacks.push({ route, after, capacity: together(book, after) })
    }
  }
  const before = [...new Set(fallbacks.flatMap(({ after }) => after))]
  return { first, fallbacks, before, fallbackCapacity: together(book, before) }
}
