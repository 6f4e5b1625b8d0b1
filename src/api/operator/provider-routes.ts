import { setTimeout as delay } from 'node:timers/promises'
import { circuitOf } from '../../domain/circuit.ts'
import { BatonError } from '../../domain/errors.ts'
import type { PausedBy } from '../../health/circuit-store.ts'
import { wakeAllParked } from '../../queue/wake-parked.ts'
import { acceptOptionalJson, ignoreBodies } from '../http/json-body.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { noteIn } from './note-actions.ts'
import type { OperatorReads } from './operator-reads.ts'

/** Workers learn of the change within this time; a job woken earlier would be parked again. */
const hearingMs = 300

/** `GET /v1/providers`: each provider's health, queue and workers. `POST …/:name/pause`, with a `note`, and `…/resume`. */
export const addProviderRoutes = (
  scope: ApiScope,
  parts: Pick<
    ApiParts,
    'circuitStore' | 'circuits' | 'cooldowns' | 'doorbells' | 'limitStore' | 'now' | 'schedule' | 'store'
  >,
  { figures, providers }: OperatorReads,
): void => {
  const { cooldowns, circuits, circuitStore, limitStore } = parts

  scope.get('/v1/providers', async () => ({
    object: 'list',
    data: await providers.read(await figures()),
  }))

  /** Ends the waits that the provider asked for, with the jobs parked for them: those may be a day long. */
  const giveBack = async (name: string, models: readonly string[]): Promise<void> => {
    await Promise.all([cooldowns.lift(name), limitStore.unblock(name)])
    for (const model of models) {
      circuits.learn(await circuitStore.pause(circuitOf({ provider: name, model }), false))
    }
    await delay(hearingMs)
    await wakeAllParked(parts, name)
  }

  const setPaused = async (name: string, paused: boolean, who: PausedBy = {}): Promise<object> => {
    const models = providers.modelsOf.get(name)
    if (!models) {
      throw new BatonError('provider_not_found', `There is no provider '${name}'.`, { param: 'name' })
    }
    circuits.learn(await circuitStore.pause(name, paused, who))
    if (!paused) await giveBack(name, models)
    return (await providers.read(await figures(), name))[0]!
  }
  scope.register(async inner => {
    acceptOptionalJson(inner)
    inner.post<NamedProvider>('/v1/providers/:name/pause', request => {
      const note = noteIn(request.body)
      return setPaused(request.params.name, true, { by: request.actor, ...(note !== null && { note }) })
    })
  })
  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post<NamedProvider>('/v1/providers/:name/resume', request => setPaused(request.params.name, false))
  })
}

interface NamedProvider {
  Params: { name: string }
}
