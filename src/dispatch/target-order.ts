import { type KeptTarget, measuredOf } from '../domain/kept-target.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { Request } from '../domain/routing/eligible-targets.ts'
import { chanceOf, orderTargets, sizeOf } from '../domain/routing/strategy.ts'
import type { TargetFigures } from '../domain/routing/target-stats.ts'
import { wantsStream } from '../domain/streaming/stream-wishes.ts'
import type { Route } from './routes.ts'

/**
 * Puts the targets that can serve a job into the order in which they are asked. The order of a job is the
 * same in every process and at every hop while the figures are the same, because chance is drawn from the
 * job's id.
 */
export type OrderTargets = (
  route: Route,
  targets: readonly RouteTarget[],
  request: Pick<Request, 'endpoint' | 'text'>,
  jobId: string,
) => readonly RouteTarget[]

export const keyOf = (target: KeptTarget): string => {
  const { provider, model } = measuredOf(target)
  return `${provider}/${model}`
}

/**
 * The weight of the route that contributed the target, else of its provider. Without weights all are equal.
 */
export const weightOf = ({ weights }: Pick<Route, 'weights'>, target: RouteTarget): number =>
  weights === null ? 1 : (weights.get(target.route) ?? weights.get(target.provider) ?? 0)

export const createTargetOrder =
  (figuresOf: (target: RouteTarget) => TargetFigures): OrderTargets =>
  (route, targets, { endpoint, text }, jobId) =>
    route.strategy === 'ordered'
      ? targets
      : orderTargets<RouteTarget>(targets, {
          strategy: route.strategy,
          weightOf: target => weightOf(route, target),
          figuresOf,
          tokens: route.strategy === 'cheapest' ? sizeOf(endpoint, text) : { input: 0, output: 0 },
          isStreamed: route.strategy === 'fastest' && wantsStream(text),
          chance: chanceOf(jobId),
          keyOf,
        })
