import { askedBetas, noHeaders, vendorOf } from '../domain/request-headers.ts'
import { type Adjustment, type Carriage, carriedWhole } from '../domain/routing/adjustments.ts'
import { type Capability, capabilityNames } from '../domain/routing/capabilities.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { eligibleTargets, type Request } from '../domain/routing/eligible-targets.ts'
import type { Provider } from '../providers/provider.ts'
import type { Providers, Route } from './routes.ts'

/** What is changed in the request for each target. A target that is not in it takes the request unchanged. */
export type Adjusted = ReadonlyMap<RouteTarget, readonly Adjustment[]>

/** A target that a request cannot be sent to, and what of the request keeps it out. */
export interface LeftOut {
  readonly target: RouteTarget
  readonly fields: readonly string[]
}

export interface RequestTargets {
  /** The route's targets that can serve this request, in the order of the chain. */
  readonly targets: readonly RouteTarget[]
  readonly adjusted: Adjusted
  readonly obstacles: readonly LeftOut[]
  /** Parameters that kept targets out, for the error when no target is left. */
  readonly cannotCarry: readonly string[]
  /** The same of what models cannot do. */
  readonly lacking: readonly Capability[]
}

/**
 * A vendor's betas mean nothing to another vendor, nor to that vendor's own format that a request is
 * translated into.
 */
const withoutBetas = (
  { excluded, adjustments }: Carriage,
  { headers = noHeaders }: Request,
  provider: Provider,
  how: 'native' | 'translated',
): Carriage => {
  const betas = askedBetas(headers)
  if (betas === null || (how === 'native' && provider.dialect === vendorOf(betas)))
    return { excluded, adjustments }
  return { excluded, adjustments: [...adjustments, { field: betas, action: 'left_out' }] }
}

/**
 * Which of a route's targets can serve this request, and which only with something changed. The body is
 * parsed only when a target has to translate it, or may lack what it needs: parsing a long prompt is the most
 * expensive work to do in vain.
 */
export const targetsFor = (route: Route, providers: Providers, request: Request): RequestTargets => {
  const { endpoint } = request
  const body = once(request.body)
  const adjusted = new Map<RouteTarget, readonly Adjustment[]>()
  const obstacles: LeftOut[] = []

  const carriageOf = (target: RouteTarget): Carriage | null => {
    const provider = providers.get(target.provider)
    const how = provider?.serves(endpoint) ?? 'none'
    if (provider === undefined || how === 'none') return null
    const carriage = how === 'native' ? carriedWhole : provider.carriage(endpoint, target.model, body())
    return withoutBetas(carriage, request, provider, how)
  }

  const canCarry = (target: RouteTarget): boolean => {
    const carriage = carriageOf(target)
    if (carriage === null) return false
    const { adjustments } = carriage
    const steering = route.adjust === 'never' ? adjustments.map(({ field }) => field) : []
    const fields = [...new Set([...carriage.excluded, ...steering])]
    if (fields.length > 0) obstacles.push({ target, fields })
    else if (adjustments.length > 0) adjusted.set(target, adjustments)
    return fields.length === 0
  }

  const carriers = route.targets.filter(canCarry)
  const cannotCarry = [...new Set(obstacles.flatMap(({ fields }) => fields))]
  const { targets, lacking } = eligibleTargets(carriers, { ...request, body })
  for (const target of lacking.length > 0 ? carriers : []) {
    const fields = lacking.filter(name => target.capabilities?.[name] === false)
    if (fields.length > 0) obstacles.push({ target, fields: fields.map(name => capabilityNames[name]) })
  }
  return { targets, adjusted, obstacles, cannotCarry, lacking }
}

/** Whether a target is asked only where no other that takes the request as it is can serve soon. */
export const isLastResort = (
  { adjust }: Pick<Route, 'adjust'>,
  { targets, adjusted }: Pick<RequestTargets, 'targets' | 'adjusted'>,
): ((target: RouteTarget) => boolean) => {
  const hasExact = adjusted.size > 0 && targets.some(target => !adjusted.has(target))
  return adjust === 'last_resort' && hasExact ? target => adjusted.has(target) : () => false
}

/** In the order of the route otherwise. */
export const lastResortsLast = (
  targets: readonly RouteTarget[],
  isLast: (target: RouteTarget) => boolean,
): readonly RouteTarget[] => [
  ...targets.filter(target => !isLast(target)),
  ...targets.filter(target => isLast(target)),
]

const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
