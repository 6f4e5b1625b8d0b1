import type { RouteTarget } from '../domain/chain.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { BatonError } from '../domain/errors.ts'
import type { Target } from '../domain/job.ts'
import { carriersOf, type Providers, type Routes } from './routes.ts'

export interface FirstTargetParts {
  readonly routes: Routes
  readonly providers: Providers
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  readonly now: () => number
}

/**
 * Where a new job is sent first. Throws BatonError `unknown_model`, `unknown_endpoint` or `unsupported_parameter` when
 * nobody can serve it.
 */
export type FirstTarget = (model: string, endpoint: Endpoint, parsedBody: unknown) => Target

export const createFirstTarget =
  ({ routes, providers, availableAt, now }: FirstTargetParts): FirstTarget =>
  (model, endpoint, parsedBody) => {
    const route = routes.get(model)
    if (!route) {
      throw new BatonError(
        'unknown_model',
        `The model '${model}' is not served here; GET /v1/models lists those that are.`,
        { param: 'model' },
      )
    }
    const { targets, cannotCarry } = carriersOf(route, providers, endpoint, () => parsedBody)
    if (targets.length === 0) throw cannotServe(model, endpoint, cannotCarry)
    // A target known to be out of use would only hand the job on.
    const target = targets.find(t => availableAt(t) <= now()) ?? targets[0]!
    return { provider: target.provider, model: target.model }
  }

const cannotServe = (model: string, endpoint: Endpoint, cannotCarry: readonly string[]): BatonError => {
  if (cannotCarry.length === 0) {
    return new BatonError('unknown_endpoint', `No provider behind '${model}' serves ${endpoint}.`, {
      param: 'endpoint',
    })
  }
  const names = cannotCarry.join(', ')
  return new BatonError(
    'unsupported_parameter',
    `No provider behind '${model}' can carry: ${names}. Leave it out or use another model.`,
    {
      param: cannotCarry[0]!,
    },
  )
}
