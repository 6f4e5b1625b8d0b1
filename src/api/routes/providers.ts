import type { ProviderConfig } from '../../config/schema.ts'
import { providerQueue } from '../../queue/doorbells.ts'
import type { Routes } from '../../relay/routes.ts'
import type { ApiScope } from '../api-scope.ts'
import type { ApiParts } from '../parts.ts'
import { providerView } from '../provider-view.ts'

/** `GET /v1/providers`: each provider's health, queue and workers. */
export const addProviderRoutes = (scope: ApiScope, parts: ApiParts): void => {
  const { config, board, doorbells, presence, routes } = parts
  const providers = Object.entries(config.providers).map(([name, provider]) => ({
    name,
    type: provider.type,
    models: modelsOf(routes, name),
    keyCount: keysOf(provider).length,
  }))

  scope.get('/v1/providers', async () => {
    const [workers, counts] = await Promise.all([
      presence(),
      Promise.all(providers.map(({ name }) => doorbells.counts(providerQueue(name)))),
    ])
    const entries = board.current()
    return {
      object: 'list',
      data: providers.map((facts, i) => providerView({ ...facts, entries, workers, counts: counts[i]! })),
    }
  })
}

const keysOf = ({ api_key, api_keys }: ProviderConfig): readonly string[] =>
  api_keys ?? (api_key === undefined ? [] : [api_key])

const modelsOf = (routes: Routes, provider: string): readonly string[] => {
  const targets = [...routes.values()].flatMap(route => route.targets)
  return [...new Set(targets.filter(target => target.provider === provider).map(target => target.model))]
}
