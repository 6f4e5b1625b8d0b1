import { createPriceGaps, sayPriceGap } from '../../batches/price-gaps.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import type { ApiParts } from '../parts.ts'

/**
 * A limit on the cost holds nothing where no price is known. `models`: those that the lines name, where they are known by now; else the
 * batch is refused where no line could have a price, and what its lines say is seen when they are validated. Throws `price_unknown`.
 */
export const refuseUnpriced = (
  { routes, providers }: Pick<ApiParts, 'routes' | 'providers'>,
  endpoint: Endpoint,
  maxCostUsd: number | null,
  models?: ReadonlySet<string>,
): void => {
  if (maxCostUsd === null) return
  const gaps = createPriceGaps(routes, providers, endpoint)
  const gap = models ? [...models].map(gaps.of).find(target => target !== null) : gaps.everywhere()
  if (gap) throw new BatonError('price_unknown', sayPriceGap(gap), { param: 'max_cost_usd' })
}
