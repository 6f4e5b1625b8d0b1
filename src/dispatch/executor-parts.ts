import type { ObstacleOf } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { RoutingLimits } from '../domain/routing/next-step.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { AccountAffinity } from './account-affinity.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import type { HoldBody } from './claimed-bodies.ts'
import type { Isolation } from './isolation.ts'
import type { Leases } from './leases.ts'
import type { Providers, Routes } from './routes.ts'
import type { ShareCall } from './share-call.ts'
import type { OrderTargets } from './target-order.ts'
import type { TransitionDeps } from './transitions.ts'
import type { UpstreamCaller } from './upstream-caller.ts'

export interface ExecutorDeps extends TransitionDeps {
  readonly provider: string
  readonly store: JobStore
  readonly caller: UpstreamCaller
  readonly calls: CallsInFlight
  readonly holdBody: HoldBody
  readonly leases: Leases
  readonly shareCall: ShareCall
  readonly mirrors: Mirrors
  readonly routes: Routes
  readonly providers: Providers
  readonly accountAffinity: AccountAffinity
  readonly retries: number
  readonly maxAttempts: number
  readonly backoffOf: RoutingLimits['backoffOf']
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  /** Unix ms until which the tier that this body asks for is full there; 0 for now. */
  readonly flexFullUntil: (target: RouteTarget, body: string) => number
  /** See `Walk.isReturning`. */
  readonly isReturning: (target: RouteTarget) => boolean
  readonly obstacleOf: ObstacleOf
  readonly order: OrderTargets
  /**
   * Whether a job may go on to a provider now. Where many are on their way there, as nobody calls the target they come from,
   * only while there is room; takes it. `hasCalled`: this one was called there.
   */
  readonly mayHandOver: (provider: string, from: RouteTarget, hasCalled: boolean) => boolean
  /** Takes charge of a result on its way: a stop waits for it, and a failure is told. */
  readonly unfinished: (write: Promise<void>) => void
  readonly newToken: () => string
  readonly isolation: Isolation
}
