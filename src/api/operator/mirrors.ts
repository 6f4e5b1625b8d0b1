import { BatonError } from '../../domain/errors.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { jsonOrString } from '../../json/json-text.ts'
import { comparisonOf, type Latency } from '../../mirror/comparison.ts'
import type { Stats } from '../../mirror/mirror-store.ts'
import type { MirroredRoute } from '../../mirror/mirrored-routes.ts'
import type { Pair, PairCall } from '../../mirror/pairs.ts'
import type { ApiParts, ApiScope } from '../parts.ts'

/**
 * `GET /v1/mirrors`: how each mirror compares with its route; `…/:route/pairs`: the answers that differed.
 */
export const addMirrorRoutes = (
  scope: ApiScope,
  { mirroredRoutes, mirrors }: Pick<ApiParts, 'mirroredRoutes' | 'mirrors'>,
): void => {
  scope.get('/v1/mirrors', async () => {
    const data = await Promise.all(
      [...mirroredRoutes].map(async ([route, mirror]) => {
        const read = await mirrors.read({ route, to: mirror.to })
        return mirrorView({ route, mirror, ...read })
      }),
    )
    return { object: 'list', data }
  })

  scope.get<{ Params: { route: string } }>('/v1/mirrors/:route/pairs', async request => {
    const { route } = request.params
    const mirror = mirroredRoutes.get(route)
    if (!mirror)
      throw new BatonError('mirror_not_found', `There is no mirror of '${route}'.`, { param: 'route' })
    const { to, keepPairs } = mirror
    const pairs = keepPairs > 0 ? await mirrors.pairs({ route, to }, keepPairs) : []
    // Counters cover the whole route; the texts of answers belong to their tenant alone.
    const own = pairs.filter(({ tenant }) => tenant === request.tenant)
    return { object: 'list', data: own.map(pair => pairView(route, pair)) }
  })
}

interface MirrorFacts {
  readonly route: string
  readonly mirror: MirroredRoute
  readonly stats: Stats
  readonly waiting: number
  /** See `MirrorStore.read`. */
  readonly lost: number
}

/** What the samples of a route's mirror have shown, as `GET /v1/mirrors` shows it. */
const mirrorView = ({ route, mirror, stats, waiting, lost }: MirrorFacts) => {
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

/** Two answers that differed, as `GET /v1/mirrors/:route/pairs` shows them. */
const pairView = (route: string, { atMs, jobId, endpoint, original, mirror }: Pair) => ({
  ...{ at: wholeSeconds(atMs), job_id: jobId, route, endpoint },
  original: callView(original),
  mirror: callView(mirror),
})

/** As the answer was written; the beginning of one that was cut is no JSON, and so a string. */
const callView = ({ provider, model, statusCode, latencyMs, costUsd, text, cut }: PairCall) => ({
  ...{ provider, model, status_code: statusCode, latency_ms: latencyMs, cost_usd: costUsd },
  ...{ answer: cut ? text : jsonOrString(text), cut },
})
