import { setTimeout as delay } from 'node:timers/promises'
import { healthCheckOf } from '../../config/provider-settings.ts'
import type { ProviderConfig } from '../../config/schema.ts'
import { modelsAt } from '../../dispatch/routes.ts'
import { circuitOf } from '../../domain/circuit.ts'
import { BatonError } from '../../domain/errors.ts'
import { providerQueue } from '../../queue/doorbells.ts'
import { wakeParked } from '../../queue/wake-parked.ts'
import { ignoreBodies } from '../http/json-body.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { providerView } from './provider-view.ts'

/** Workers learn of the change within this time; a job woken earlier would be parked again. */
const hearingMs = 300

/** `GET /v1/providers`: each provider's health, queue and workers. `POST …/:name/pause` and `…/resume`. */
export const addProviderRoutes = (
  scope: ApiScope,
  parts: Pick<
    ApiParts,
    | 'circuitStore'
    | 'circuits'
    | 'config'
    | 'cooldowns'
    | 'doorbells'
    | 'limitStore'
    | 'presence'
    | 'routes'
    | 'schedule'
    | 'store'
    | 'withoutWorkerSince'
  >,
): void => {
  const { config, cooldowns, circuits, circuitStore, limitStore, doorbells, presence, routes } = parts
  const providers = Object.entries(config.providers).map(([name, provider]) => ({
    name,
    type: provider.type,
    models: modelsAt(routes, name),
    keyCount: keysOf(provider).length,
    check: healthCheckOf(provider),
    limits: provider.limits,
  }))

  const view = async (shown: typeof providers): Promise<object[]> => {
    const [workers, waiting, events, meters] = await Promise.all([
      presence(),
      Promise.all(shown.map(({ name }) => doorbells.waiting(providerQueue(name)))),
      Promise.all(shown.map(({ name }) => circuitStore.events(name))),
      Promise.all(shown.map(({ name }) => limitStore.read(name))),
    ])
    const entries = cooldowns.current()
    return shown.map((facts, i) =>
      providerView({
        ...facts,
        entries,
        workers,
        withoutWorkerSinceMs: parts.withoutWorkerSince(facts.name),
        circuit: circuits.of(facts.name),
        modelCircuits: facts.models.map(model => circuits.of(circuitOf({ provider: facts.name, model }))),
        waiting: waiting[i]!,
        events: events[i]!,
        meters: meters[i]!,
      }),
    )
  }

  scope.get('/v1/providers', async () => ({ object: 'list', data: await view(providers) }))

  /** Ends the waits that the provider asked for, with the jobs parked for them: those may be a day long. */
  const giveBack = async (name: string, models: readonly string[]): Promise<void> => {
    await Promise.all([cooldowns.lift(name), limitStore.unblock(name)])
    for (const model of models) {
      circuits.learn(await circuitStore.pause(circuitOf({ provider: name, model }), false))
    }
    await delay(hearingMs)
    await wakeParked(parts, name)
  }

  const setPaused = async (name: string, paused: boolean): Promise<object> => {
    const facts = providers.find(provider => provider.name === name)
    if (!facts) {
      throw new BatonError('provider_not_found', `There is no provider '${name}'.`, { param: 'name' })
    }
    circuits.learn(await circuitStore.pause(name, paused))
    if (!paused) await giveBack(name, facts.models)
    return (await view([facts]))[0]!
  }
  scope.register(async inner => {
    ignoreBodies(inner)
    for (const [path, paused] of [
      ['pause', true],
      ['resume', false],
    ] as const) {
      inner.post<{ Params: { name: string } }>(`/v1/providers/:name/${path}`, request =>
        setPaused(request.params.name, paused),
      )
    }
  })
}

const keysOf = ({ api_key, api_keys }: ProviderConfig): readonly string[] =>
  api_keys ?? (api_key === undefined ? [] : [api_key])
