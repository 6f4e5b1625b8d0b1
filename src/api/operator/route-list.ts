import type { Route } from '../../dispatch/routes.ts'
import { weightOf } from '../../dispatch/target-order.ts'
import { circuitOf, shutUntil } from '../../domain/circuit.ts'
import type { RouteTarget } from '../../domain/routing/chain.ts'
import { weighedCost, weightNow } from '../../domain/routing/strategy.ts'
import type { TargetFigures } from '../../domain/routing/target-stats.ts'
import { costOf } from '../../domain/usage.ts'
import { withoutWorkerForMs } from '../../health/worker-liveness.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { ApiParts, ApiScope } from '../parts.ts'

/** `GET /v1/routes`: how each route chooses, and what it knows of its targets. */
export const addRouteListRoute = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'circuits' | 'cooldowns' | 'figuresOf' | 'now' | 'routes' | 'withoutWorkerSince'>,
): void => {
  const { routes, cooldowns, circuits, figuresOf, withoutWorkerSince, now } = parts
  /** Without the draw that lets a share of jobs through to a provider on its way back. */
  const availableAt = (target: RouteTarget): number =>
    cooldowns.unavailableUntil(target) ||
    (withoutWorkerSince(target.provider) > 0 && now() + withoutWorkerForMs) ||
    shutUntil(circuits.of(target.provider), now()) ||
    shutUntil(circuits.of(circuitOf(target)), now())

  scope.get('/v1/routes', async () => ({
    object: 'list',
    data: [...routes].map(([name, route]) => routeView({ name, route, figuresOf, availableAt })),
  }))
}

interface RouteFacts {
  readonly name: string
  readonly route: Route
  readonly figuresOf: (target: RouteTarget) => TargetFigures
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
}

/** By which targets are compared where the size of a request matters. */
const usualRequest = { input_tokens: 1_000, output_tokens: 500 }

/**
 * A route as operators see it. Its targets stand in the order in which they are tried now, leaving chance
 * aside.
 */
const routeView = ({ name, route, figuresOf, availableAt }: RouteFacts): object => {
  const { strategy, targets, refusalHandsOver, adjust } = route
  const shares = targets.map(target => weightNow(weightOf(route, target), figuresOf(target)))
  const sum = shares.reduce((total, share) => total + share, 0)
  const views = targets.map((target, i) => ({
    ...targetView(target, figuresOf(target), availableAt(target)),
    weight: strategy === 'weighted' ? weightOf(route, target) : null,
    share: strategy === 'weighted' && sum > 0 ? Math.round((shares[i]! / sum) * 1_000) / 1_000 : null,
  }))
  return {
    id: name,
    object: 'route',
    strategy,
    on_refusal: refusalHandsOver ? 'handover' : 'succeed',
    adjust,
    targets: sorted(views, strategy),
  }
}

type TargetView = ReturnType<typeof targetView> & { readonly share: number | null }

const measures: Readonly<Record<Route['strategy'], (target: TargetView) => number | null>> = {
  ordered: () => 0,
  weighted: ({ share }) => (share === null ? null : -share),
  cheapest: ({ usual_cost_usd, success_share }) =>
    usual_cost_usd === null ? null : weighedCost(usual_cost_usd, { successShare: success_share }),
  fastest: ({ p95_ms }) => p95_ms,
}

const sorted = <View extends TargetView>(views: readonly View[], strategy: Route['strategy']): View[] => {
  const by = (view: View): number => measures[strategy](view) ?? Number.POSITIVE_INFINITY
  return views.toSorted((a, b) => (by(a) === by(b) ? 0 : by(a) - by(b)))
}

const targetView = (
  target: RouteTarget,
  { failures, successShare, p95Ms, firstTokenP95Ms }: TargetFigures,
  availableAtMs: number,
) => ({
  provider: target.provider,
  model: target.model,
  route: target.route,
  available_at: availableAtMs === 0 ? null : wholeSeconds(availableAtMs),
  recent_failures: Math.round(failures * 100) / 100,
  success_share: Math.round(successShare * 1_000) / 1_000,
  p95_ms: p95Ms,
  first_token_p95_ms: firstTokenP95Ms,
  price: target.price ?? null,
  usual_cost_usd: costOf(usualRequest, target.price),
  context_window: target.contextWindow ?? null,
  max_output_tokens: target.maxOutputTokens ?? null,
  capabilities: target.capabilities ?? {},
})
