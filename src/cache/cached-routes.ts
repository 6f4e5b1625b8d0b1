import type { RouteConfig } from '../config/schema.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { CachedRoutes } from './single-flight.ts'

/** The routes of a config that have a cache. `chains`: each route's targets. */
export const cachedRoutesOf = (
  models: Readonly<Record<string, RouteConfig>>,
  chains: ReadonlyMap<string, readonly RouteTarget[]>,
): CachedRoutes =>
  new Map(
    Object.entries(models).flatMap(([name, { cache }]) => {
      if (cache === undefined) return []
      const chain = (chains.get(name) ?? []).map(({ provider, model }) => [provider, model])
      const terms = {
        ttlMs: cache.ttl,
        maxBytes: cache.max_bytes,
        maxTotalBytes: cache.max_total_bytes,
        cachesTruncated: cache.store_truncated,
        chain: JSON.stringify(chain),
      }
      return [[name, terms] as const]
    }),
  )
