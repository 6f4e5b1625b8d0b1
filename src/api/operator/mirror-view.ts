import { comparisonOf, type Latency } from '../../mirror/comparison.ts'
import type { Stats } from '../../mirror/mirror-store.ts'
import type { MirroredRoute } from '../../mirror/mirrored-routes.ts'

export interface MirrorFacts {
  readonly route: string
  readonly mirror: MirroredRoute
  readonly stats: Stats
  readonly waiting: number
  /** See `MirrorStore.read`. */
  readonly lost: number
}

/** What the samples of a route's mirror have shown, as `GET /v1/mirrors` tells it. */
export const mirrorView = ({ route, mirror, stats, waiting, lost }: MirrorFacts) => {
  const { sinceMs, agreement, latency, cost, ...counts } = comparisonOf(stats)
  return {
    route,
    to: { provider: mirror.to.provider, model: mirror.to.model },
    sample: mirror.sample,
    parallel: mirror.parallel,
    keep_pairs: mirror.keepPairs,
    since: sinceMs === null ? null : Math.floor(sinceMs / 1_000),
    ...counts,
    lost: counts.lost + lost,
    waiting,
    agreement,
    latency_ms: {
      original: latencyView(latency.original),
      mirror: latencyView(latency.mirror),
      mean_difference: latency.meanDifference,
    },
    cost_usd: {
      compared: cost.compared,
      original: cost.original,
      mirror: cost.mirror,
      mean_difference: cost.meanDifference,
    },
  }
}

const latencyView = ({ mean, p50, p95 }: Latency) => ({ mean, p50, p95 })
