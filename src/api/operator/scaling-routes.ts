import { BatonError } from '../../domain/errors.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import type { OperatorReads } from './operator-reads.ts'
import { type ScalingView, scalingView } from './scaling.ts'

export interface Scaling {
  /** Of one provider, or of all. */
  read(only?: string): Promise<readonly ScalingView[]>
}

export const createScaling = (
  { config }: Pick<ApiParts, 'config'>,
  { figures, providers }: Pick<OperatorReads, 'figures' | 'providers'>,
): Scaling => ({
  read: async only => {
    const read = await figures()
    const views = await providers.read(read, only)
    return views.map(view => {
      const { concurrency, api_keys } = config.providers[view.name]!
      return scalingView({
        ...{ view, figures: read, keyCount: api_keys?.length ?? 1 },
        configuredPlaces: concurrency === 'auto' ? null : concurrency,
      })
    })
  },
})

/** `GET /v1/scaling/:provider`: for autoscalers, the worker processes that a provider wants. */
export const addScalingRoute = (
  scope: ApiScope,
  scaling: Scaling,
  { providers }: Pick<OperatorReads, 'providers'>,
): void => {
  scope.get<{ Params: { provider: string } }>('/v1/scaling/:provider', async ({ params }) => {
    const { provider } = params
    if (!providers.modelsOf.has(provider)) {
      throw new BatonError('provider_not_found', `There is no provider '${provider}'.`, { param: 'provider' })
    }
    return (await scaling.read(provider))[0]!
  })
}
