import type { Providers, Routes } from '../dispatch/routes.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'

/** Targets whose calls cannot count against a limit on the cost, as they have no price. */
export interface PriceGaps {
  /** The first of those that could serve this model. */
  of(model: string): RouteTarget | null
  /** The same where every route has one, so that no line could ever be counted whole; null else. */
  everywhere(): RouteTarget | null
}

export const createPriceGaps = (routes: Routes, providers: Providers, endpoint: Endpoint): PriceGaps => {
  const serving = (model: string): readonly RouteTarget[] =>
    routes
      .get(model)
      ?.targets.filter(({ provider }) => (providers.get(provider)?.serves(endpoint) ?? 'none') !== 'none') ??
    []
  const gapOf = (model: string): RouteTarget | null =>
    serving(model).find(({ price }) => price === undefined) ?? null

  return {
    of: gapOf,
    everywhere: () => {
      const gaps = [...routes.keys()].filter(model => serving(model).length > 0).map(gapOf)
      return gaps.length > 0 && !gaps.includes(null) ? gaps[0]! : null
    },
  }
}

export const sayPriceGap = ({ provider, model, route }: RouteTarget): string =>
  `max_cost_usd needs a price for whatever may be called, and ${provider}/${model} has none: set \`price\` at models.${route} in the config, with zeros where it is free.`
