import type { Endpoint } from '../endpoint.ts'
import type { RequestHeaders } from '../request-headers.ts'
import { type Capabilities, type Capability, capabilities } from './capabilities.ts'
import type { Home, NamedState } from './kept-state.ts'
import { capabilitiesNeeded, charactersPerToken, leastInputTokens, outputAsked } from './request-needs.ts'

/** What is known of a target; absent means unknown, and then it is worth a call. */
export interface Ability {
  readonly contextWindow?: number
  readonly maxOutputTokens?: number
  readonly capabilities?: Capabilities
}

export interface Request {
  readonly endpoint: Endpoint
  /** What the request names that only one account has, and where that is as far as it is known. */
  readonly state?: NamedState & { readonly at: Pick<Home, 'provider' | 'key'> | null }
  /** The body as JSON text. */
  readonly text: string
  /** The client's headers that are forwarded to the provider. */
  readonly headers?: RequestHeaders
  /** The same parsed. Asked for only where it could decide something: a body may have many MB. */
  readonly body: () => unknown
}

export interface Able<Target> {
  readonly targets: readonly Target[]
  /** What kept targets out, for the error when no target is left. */
  readonly lacking: readonly Capability[]
}

/**
 * A request that needs the capability contains such a text, unless it is written with escapes: then a target
 * that lacks the capability is tried in vain, no more.
 */
const traces: Readonly<Record<Capability, RegExp>> = {
  vision: /image/,
  audio: /audio/,
  documents: /file|document/,
  tools: /"(?:tools|functions)"/,
  json_mode: /json_object/,
  json_schema: /json_schema/,
  n: /"(?:n|best_of)"/,
  logprobs: /logprobs/,
}

/** The targets that can do what the request needs, as far as is known. */
const withCapabilities = <Target extends Ability>(
  targets: readonly Target[],
  request: Request,
): Able<Target> => {
  const doubtful = capabilities.filter(
    name => targets.some(target => target.capabilities?.[name] === false) && traces[name].test(request.text),
  )
  if (doubtful.length === 0) return { targets, lacking: [] }
  const needed = capabilitiesNeeded(request.endpoint, request.body())
  const lacking = doubtful.filter(name => needed.has(name))
  const can = (target: Target): boolean => lacking.every(name => target.capabilities?.[name] !== false)
  return { targets: targets.filter(can), lacking }
}

/**
 * The targets whose limit is large enough; where none is, those with the largest limit. An estimate must
 * never refuse what a provider would take, so it only chooses.
 */
const largeEnough = <Target>(
  targets: readonly Target[],
  sizeOf: (target: Target) => number,
  atLeast: number,
): readonly Target[] => {
  const most = Math.max(...targets.map(sizeOf))
  return targets.filter(target => sizeOf(target) >= Math.min(atLeast, most))
}

const least = <Target>(targets: readonly Target[], sizeOf: (target: Target) => number): number =>
  Math.min(Number.POSITIVE_INFINITY, ...targets.map(sizeOf))

const windowOf = (target: Ability): number => target.contextWindow ?? Number.POSITIVE_INFINITY
const outputOf = (target: Ability): number => target.maxOutputTokens ?? Number.POSITIVE_INFINITY

const withWindow = <Target extends Ability>(targets: readonly Target[], request: Request) => {
  if (request.text.length / charactersPerToken <= least(targets, windowOf)) return targets
  return largeEnough(targets, windowOf, leastInputTokens(request.endpoint, request.body()))
}

const limits = /"max_(?:completion_|output_)?tokens"\s*:\s*(\d+)/g

const withOutput = <Target extends Ability>(targets: readonly Target[], request: Request) => {
  const known = least(targets, outputOf)
  if (known === Number.POSITIVE_INFINITY) return targets
  const isAskedFor = request.text.matchAll(limits).some(([, tokens]) => Number(tokens) > known)
  return isAskedFor ? largeEnough(targets, outputOf, outputAsked(request.body())) : targets
}

/**
 * Which targets can serve the request, by what is known of both. A capability that a target lacks leaves it
 * out; a prompt or an answer that is too long for it does so as long as another target has room.
 */
export const eligibleTargets = <Target extends Ability>(
  targets: readonly Target[],
  request: Request,
): Able<Target> => {
  const able = withCapabilities(targets, request)
  if (able.targets.length < 2) return able
  return { ...able, targets: withOutput(withWindow(able.targets, request), request) }
}
