import { identityOf } from '../../config/identity.ts'
import { circuitSettingsOf, healthCheckOf } from '../../config/provider-settings.ts'
import type { ProviderConfig } from '../../config/schema.ts'
import { modelsAt } from '../../dispatch/routes.ts'
import { type Circuit, circuitOf } from '../../domain/circuit.ts'
import { termsOf } from '../../domain/circuit-terms.ts'
import { anyModel } from '../../domain/routing/wildcards.ts'
import { fingerprintOf } from '../../health/key-ring.ts'
import type { ApiParts } from '../parts.ts'
import type { PageFigures } from './page-figures.ts'
import { type ProviderView, providerView } from './provider-view.ts'
import { type ScalingView, scalingView } from './scaling.ts'

type ViewParts = Pick<
  ApiParts,
  'circuitStore' | 'circuits' | 'config' | 'cooldowns' | 'limitStore' | 'routes' | 'withoutWorkerSince'
>

export interface ProviderViews {
  readonly modelsOf: ReadonlyMap<string, readonly string[]>
  /** Those of all providers, or of one. */
  read(figures: PageFigures, only?: string): Promise<readonly ProviderView[]>
  /** What an autoscaler asks of one provider. */
  scaling(figures: PageFigures, name: string): Promise<ScalingView>
}

/** All providers as operators see them. */
export const createProviderViews = (parts: ViewParts): ProviderViews => {
  const { config, cooldowns, circuits, circuitStore, limitStore, routes } = parts
  const providers = Object.entries(config.providers).map(([name, provider]) => ({
    name,
    type: provider.type,
    models: modelsAt(routes, name),
    keyCount: keysOf(provider).length,
    fingerprints: fingerprintsOf(provider),
    check: healthCheckOf(provider),
    limits: provider.limits,
    configuredPlaces: provider.concurrency === 'auto' ? null : provider.concurrency,
    steps: termsOf(circuitSettingsOf(provider)).shares,
  }))

  /** Those of the config, and of what stands behind its wildcards whatever is out of order. */
  const circuitsOf = ({ name, models }: (typeof providers)[number]): readonly Circuit[] => {
    const own = models.map(model => circuits.of(circuitOf({ provider: name, model })))
    return models.includes(anyModel) ? [...own, ...circuits.outOf(name).filter(it => !own.includes(it))] : own
  }

  const readAll = async (figures: PageFigures, only?: string) => {
    const shown = providers.filter(({ name }) => only === undefined || only === name)
    const [events, meters] = await Promise.all([
      Promise.all(shown.map(({ name }) => circuitStore.events(name))),
      Promise.all(shown.map(({ name }) => limitStore.read(name))),
    ])
    const entries = cooldowns.current()
    return shown.map((facts, i) => {
      const view = providerView({
        ...facts,
        entries,
        figures,
        withoutWorkerSinceMs: parts.withoutWorkerSince(facts.name),
        circuit: circuits.of(facts.name),
        modelCircuits: circuitsOf(facts),
        events: events[i]!,
        meters: meters[i]!,
      })
      return { view, scaling: scalingView({ ...facts, view, figures }) }
    })
  }

  return {
    modelsOf: new Map(providers.map(({ name, models }) => [name, models])),
    read: async (figures, only) =>
      (await readAll(figures, only)).map(({ view, scaling: { workers_wanted } }) => ({
        ...view,
        workers_wanted,
      })),
    scaling: async (figures, name) => (await readAll(figures, name))[0]!.scaling,
  }
}

/** Of what may be stopped: its keys, or its identity. */
const fingerprintsOf = (provider: ProviderConfig): ReadonlySet<string> =>
  new Set([...keysOf(provider).map(fingerprintOf), ...[identityOf(provider) ?? []].flat()])

const keysOf = ({ api_key, api_keys }: ProviderConfig): readonly string[] =>
  api_keys ?? (api_key === undefined ? [] : [api_key])
