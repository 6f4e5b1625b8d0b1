import { circuitSettingsOf, healthCheckOf } from '../../config/provider-settings.ts'
import type { ProviderConfig } from '../../config/schema.ts'
import { modelsAt } from '../../dispatch/routes.ts'
import { circuitOf } from '../../domain/circuit.ts'
import { termsOf } from '../../domain/circuit-terms.ts'
import type { ApiParts } from '../parts.ts'
import type { PageFigures } from './page-figures.ts'
import { type ProviderView, providerView } from './provider-view.ts'

type ViewParts = Pick<
  ApiParts,
  'circuitStore' | 'circuits' | 'config' | 'cooldowns' | 'limitStore' | 'routes' | 'withoutWorkerSince'
>

export interface ProviderViews {
  readonly modelsOf: ReadonlyMap<string, readonly string[]>
  /** Those of all providers, or of one. */
  read(figures: PageFigures, only?: string): Promise<readonly ProviderView[]>
}

/** All providers as operators see them. */
export const createProviderViews = (parts: ViewParts): ProviderViews => {
  const { config, cooldowns, circuits, circuitStore, limitStore, routes } = parts
  const providers = Object.entries(config.providers).map(([name, provider]) => ({
    name,
    type: provider.type,
    models: modelsAt(routes, name),
    keyCount: keysOf(provider).length,
    check: healthCheckOf(provider),
    limits: provider.limits,
    steps: termsOf(circuitSettingsOf(provider)).shares,
  }))

  return {
    modelsOf: new Map(providers.map(({ name, models }) => [name, models])),
    read: async (figures, only) => {
      const shown = providers.filter(({ name }) => only === undefined || only === name)
      const [events, meters] = await Promise.all([
        Promise.all(shown.map(({ name }) => circuitStore.events(name))),
        Promise.all(shown.map(({ name }) => limitStore.read(name))),
      ])
      const entries = cooldowns.current()
      return shown.map((facts, i) =>
        providerView({
          ...facts,
          entries,
          figures,
          withoutWorkerSinceMs: parts.withoutWorkerSince(facts.name),
          circuit: circuits.of(facts.name),
          modelCircuits: facts.models.map(model => circuits.of(circuitOf({ provider: facts.name, model }))),
          events: events[i]!,
          meters: meters[i]!,
        }),
      )
    },
  }
}

const keysOf = ({ api_key, api_keys }: ProviderConfig): readonly string[] =>
  api_keys ?? (api_key === undefined ? [] : [api_key])
