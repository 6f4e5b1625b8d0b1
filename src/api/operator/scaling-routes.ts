import { BatonError } from '../../domain/errors.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import type { OperatorReads } from './operator-reads.ts'
import type { PageFigures } from './page-figures.ts'
import type { ProviderView } from './provider-view.ts'
import { type ScalingView, scalingView } from './scaling.ts'

export interface Scaling {
  /** Of one provider, or of all. */
  read(only?: string): Promise<readonly ScalingView[]>
  /** Of providers that were read. */
  of(figures: PageFigures, views: readonly ProviderView[]): readonly ScalingView[]
}

export const createScaling = (
  { config }: Pick<ApiParts, 'config'>,
  { figures, providers }: Pick<OperatorReads, 'figures' | 'providers'>,
): Scaling => {
  const of: Scaling['of'] = (figures, views) =>
    views.map(view => {
      const { concurrency, api_keys } = config.providers[view.name]!
      return scalingView({
        ...{ view, figures, keyCount: api_keys?.length ?? 1 },
        configuredPlaces: concurrency === 'auto' ? null : concurrency,
      })
    })
  return {
    of,
    read: async only => {
      const read = await figures()
      return of(read, await providers.read(read, only))
    },
  }
}

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
