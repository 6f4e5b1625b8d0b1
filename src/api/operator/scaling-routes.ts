import { BatonError } from '../../domain/errors.ts'
import type { ApiScope } from '../parts.ts'
import type { OperatorReads } from './operator-reads.ts'

/** `GET /v1/scaling/:provider`: for autoscalers, the worker processes that a provider wants. */
export const addScalingRoute = (
  scope: ApiScope,
  { figures, providers }: Pick<OperatorReads, 'figures' | 'providers'>,
): void => {
  scope.get<{ Params: { provider: string } }>('/v1/scaling/:provider', async ({ params }) => {
    const { provider } = params
    if (!providers.modelsOf.has(provider)) {
      throw new BatonError('provider_not_found', `There is no provider '${provider}'.`, { param: 'provider' })
    }
    return providers.scaling(await figures(), provider)
  })
}
