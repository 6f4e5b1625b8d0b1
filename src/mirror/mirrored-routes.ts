import type { RouteConfig } from '../config/schema.ts'
import { chainOf, type KnownModels, type RouteBook, type RouteTarget } from '../domain/routing/chain.ts'

/** A route of whose jobs some are asked elsewhere, too. */
export interface MirroredRoute {
  readonly to: RouteTarget
  /** The part of the jobs, 0 to 1. */
  readonly sample: number
  /** Whether it is asked beside the route's first call, and answers where that fails. */
  readonly parallel: boolean
  /** How many samples may be under way at a time. */
  readonly maxWaiting: number
  /** Whether it is asked what it can be asked only with something left out: then answers differ for that. */
  readonly adjusts: boolean
  /** How many of the last answers that differed are kept, with their text; 0 for none. */
  readonly keepPairs: number
}

/** By the name of the route; others have no mirror. */
export type MirroredRoutes = ReadonlyMap<string, MirroredRoute>

type Book = RouteBook & { readonly models: Readonly<Record<string, RouteConfig>> }

/** The routes of a config that have a mirror. */
export const mirroredRoutesOf = (book: Book, known: KnownModels): MirroredRoutes =>
  new Map(
    Object.entries(book.models).flatMap(([name, { mirror, adjust }]) => {
      const to = mirror && targetNamed(book, mirror.to, known)
      if (!to) return []
      const { sample, parallel, max_waiting: maxWaiting, keep_pairs: keepPairs } = mirror
      const adjusts = adjust === 'always'
      return [[name, { to, sample, parallel, maxWaiting, adjusts, keepPairs }] as const]
    }),
  )

/** The first target of a route of that name, else the model of a provider: `openai/gpt-4`. */
const targetNamed = (book: Book, name: string, known: KnownModels): RouteTarget | undefined => {
  if (Object.hasOwn(book.models, name)) return chainOf(book, name, known)[0]
  const slash = name.indexOf('/')
  const [provider, model] = [name.slice(0, slash), name.slice(slash + 1)]
  // Resolved as a route of its own, so that the model's facts are found by the same code.
  return chainOf({ ...book, models: { [model]: { provider } } }, model, known)[0]
}
