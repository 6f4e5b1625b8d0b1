import type { Endpoint } from '../domain/endpoint.ts'
import { BatonError } from '../domain/errors.ts'
import { type JobError, type JobMove, jobErrorCodes, type Target } from '../domain/job.ts'
import { capabilityNames } from '../domain/routing/capabilities.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { Request } from '../domain/routing/eligible-targets.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import type { Claim } from '../jobs/types.ts'
import { soonMs } from './execution.ts'
import type { MoveReasons } from './move-reasons.ts'
import { isLastResort, lastResortsLast, type RequestTargets, targetsFor } from './request-targets.ts'
import { atAccount, type Providers, type Route, type Routes, requestOf } from './routes.ts'
import type { OrderTargets } from './target-order.ts'

export interface FirstTargetDeps {
  readonly routes: Routes
  readonly providers: Providers
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  readonly order: OrderTargets
  readonly moveReasons: Pick<MoveReasons, 'skipped' | 'leftOut'>
  readonly now: () => number
}

/**
 * Where a new job is sent first. Throws BatonError `unknown_model`, `unknown_endpoint`,
 * `unsupported_parameter` or `no_capable_target` when no target can serve it.
 */
export type FirstTarget = (model: string, request: Request, jobId: string) => FirstStop

export interface FirstStop {
  /** The name that the job goes by, where its request has another one of the route's names. */
  readonly model?: string
  readonly target: Target
  readonly home?: Home
  /** Those that cannot be given what the request asks for, and those before it, which are out of use. */
  readonly moves: readonly JobMove[]
}

export const createFirstTarget =
  ({ routes, providers, availableAt, order, moveReasons, now }: FirstTargetDeps): FirstTarget =>
  (model, request, jobId) => {
    const route = routes.get(model)
    if (!route) {
      throw new BatonError(
        'unknown_model',
        `The model '${model}' is not served here; GET /v1/models lists those that are.`,
        { param: 'model' },
      )
    }
    const home = homeOf(model, route, providers, request)
    const eligible = targetsFor(atAccount(route, home), providers, request)
    if (eligible.targets.length === 0) throw cannotServe(model, request.endpoint, eligible)
    const isLast = isLastResort(route, eligible)
    const targets = lastResortsLast(order(route, eligible.targets, request, jobId), isLast)
    const first = firstOf(targets, targets.map(availableAt), isLast, now())
    const { provider, model: upstreamModel } = targets[first]!
    return {
      ...(route.name !== undefined && { model: route.name }),
      target: { provider, model: upstreamModel },
      ...(home && { home }),
      moves: [
        ...eligible.obstacles.map(({ target, fields }) => moveReasons.leftOut(target, fields)),
        ...targets.slice(0, first).map(target => moveReasons.skipped(0, target, [])),
      ],
    }
  }

/**
 * A target that is out of use would only hand the job over; a last resort is not used while another is back
 * soon.
 */
const firstOf = (
  targets: readonly RouteTarget[],
  availableAt: readonly number[],
  isLast: (target: RouteTarget) => boolean,
  nowMs: number,
): number => {
  const ready = availableAt.findIndex(atMs => atMs <= nowMs)
  if (ready < 0) return 0
  if (!isLast(targets[ready]!)) return ready
  const soon = targets.findIndex((target, i) => !isLast(target) && availableAt[i]! <= nowMs + soonMs)
  return soon < 0 ? ready : soon
}

/**
 * The account that keeps what the request names. An unknown one falls back to the first provider that speaks
 * the request's format: always the same, so that requests that belong together stay together.
 */
const homeOf = (
  model: string,
  route: Route,
  providers: Providers,
  { endpoint, state }: Request,
): Home | null => {
  if (state === undefined) return null
  const natives = route.targets.filter(
    ({ provider }) => providers.get(provider)?.serves(endpoint) === 'native',
  )
  const { field, id, at } = state
  const home = natives.find(({ provider }) => at === null || provider === at.provider)
  if (home !== undefined) return { provider: home.provider, key: at?.key ?? null, id }
  const why =
    at === null
      ? 'no provider has it that speaks this format'
      : `it is kept by '${at.provider}', which is not`
  throw new BatonError(
    'unsupported_parameter',
    `No provider behind '${model}' can carry: ${field}; ${why}${at === null ? '' : ' behind it'}.`,
    { param: field },
  )
}

/**
 * The end of a job that no target can serve any more: its route or the providers have changed since it was
 * accepted.
 */
export const noTargetError = (
  { model, endpoint, body, headers }: Claim,
  { routes, providers }: Pick<FirstTargetDeps, 'routes' | 'providers'>,
): JobError => {
  const route = routes.get(model)
  const eligible = route && targetsFor(route, providers, requestOf(endpoint, body, headers))
  const why = eligible?.targets.length === 0 ? ` ${cannotServe(model, endpoint, eligible).message}` : ''
  return { code: 'no_usable_target', message: `${jobErrorCodes.no_usable_target}${why}` }
}

const cannotServe = (
  model: string,
  endpoint: Endpoint,
  { cannotCarry, lacking }: RequestTargets,
): BatonError => {
  const lost = [...lacking.map(name => capabilityNames[name]), ...cannotCarry].join(', ')
  const refusal = `No provider behind '${model}' can carry: ${lost}. Leave it out or use another model.`
  if (lacking.length > 0) return new BatonError('no_capable_target', refusal, { param: 'model' })
  return cannotCarry.length > 0
    ? new BatonError('unsupported_parameter', refusal, { param: cannotCarry[0]! })
    : new BatonError('unknown_endpoint', `No provider behind '${model}' serves ${endpoint}.`, {
        param: 'endpoint',
      })
}
