import type { Logger } from 'pino'
import type { Front } from './api/front.ts'
import type { ReloadConfig } from './config/reload.ts'
import type { Config } from './config/schema.ts'
import { type AppContext, openContext } from './context/context.ts'
import { openReloads } from './context/reloads.ts'
import type { Vitals } from './health/vitals.ts'
import { createLifecycle, type Holdup } from './lifecycle/lifecycle.ts'
import type { Roles } from './named-roles.ts'
import { type RedisPlace, redisPlaceOf } from './redis/place.ts'
import { withSimulated } from './sim/with-simulated.ts'

/** All roles of a process on one config. A reload opens the next one, and then this one ends what it has begun. */
export interface Generation {
  readonly config: Config
  readonly vitals: Vitals
  /** Lets other processes read their config anew, also those that do not listen now. */
  announce(): Promise<void>
  /** Hears of what was announced before it listened. */
  hearMissed(): Promise<void>
  /** Ends what was held against these providers by their old settings. */
  readmit(providers: readonly string[]): Promise<void>
  /** Takes nothing new, and closes once what runs has ended, under the old terms. */
  retire(): Promise<void>
  /** Closes all, the API first; once it retires, what is left of it within this time. */
  stop(withinMs: number): Promise<void>
  readonly holdup: Holdup | null
}

export interface GenerationOptions {
  readonly roles: Roles
  readonly config: Config
  readonly redisAt: RedisPlace
  readonly front: Front
  readonly vitals: Vitals
  readonly graceMs: number
  readonly reload: ReloadConfig
  /** Another process was told to reload, so many ms ago. */
  readonly onAnnounced: (agoMs: number) => void
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
}

/** No call and no connection takes longer. */
const retiringMs = 3_600_000

/** A generation that is about to open: it can be stopped meanwhile, and is closed when it cannot be opened. */
export interface Opening {
  readonly opened: Promise<Generation>
  stop(withinMs: number): Promise<void>
  readonly holdup: Holdup | null
}

export const openGeneration = (options: GenerationOptions): Opening => {
  const { roles, config, redisAt, front, graceMs, reload, log, env, vitals } = options
  const base = createLifecycle(graceMs, log)
  const work = createLifecycle(graceMs, log)
  const api = createLifecycle(graceMs, log)
  const workers = roles.providers.map(() => createLifecycle(graceMs, log))
  const inOrder = [api, work, ...workers, base]
  let isRetiring = false

  const stop = async (withinMs: number): Promise<void> => {
    const deadline = performance.now() + withinMs
    const leftMs = (): number => Math.max(0, deadline - performance.now())
    if (isRetiring) {
      await Promise.all(inOrder.slice(0, -1).map(life => life.stop(leftMs())))
      return base.stop(leftMs())
    }
    for (const life of inOrder) await life.stop(leftMs())
  }

  const retire = async (): Promise<void> => {
    isRetiring = true
    vitals.retire()
    await Promise.all(inOrder.slice(0, -1).map(life => life.stop(retiringMs)))
    await base.stop()
  }

  /** Each is loaded where it runs: half of the code is that of roles which this process may not have. */
  const openRoles = async (context: AppContext): Promise<void> => {
    if (roles.providers.length > 0) {
      const { openProviderWorker } = await import('../workers/provider.ts')
      for (const [i, name] of roles.providers.entries()) await openProviderWorker(workers[i]!, context, name)
    }
    if (roles.webhooks) {
      const { openWebhookWorker } = await import('../workers/webhook.ts')
      await openWebhookWorker(work, context)
    }
    if (roles.batches) {
      const { openBatchWorker } = await import('../workers/batch.ts')
      await openBatchWorker(work, context)
    }
    if (roles.api) {
      const { serveApi } = await import('./api/serve.ts')
      await serveApi(api, context, undefined, front)
    }
  }

  const open = async (): Promise<Generation> => {
    const served = await withSimulated(base, config)
    const context = await openContext(base, {
      config: served,
      redisAt: redisPlaceOf(config.redis) ?? redisAt,
      log,
      vitals,
      reload,
      env,
    })
    const { announce, hearMissed } = await openReloads(base, context, options.onAnnounced)
    await openRoles(context)
    vitals.started()
    const readmit = async (names: readonly string[]): Promise<void> => {
      const { cooldowns } = context
      // A key that went away does not stand in the way of another: its stop is left for processes that still have it.
      const isStopped = (name: string): boolean =>
        cooldowns
          .current()
          .some(
            ({ scope, state }) =>
              state === 'stopped' && (scope === `provider:${name}` || scope.startsWith(`target:${name}/`)),
          )
      for (const name of names.filter(isStopped)) await cooldowns.lift(name)
    }
    return {
      ...{ config, vitals, announce, hearMissed, readmit, retire, stop },
      get holdup() {
        return holdup()
      },
    }
  }
  /** Asked anew each time: a spread getter would tell what was in the way at the start. */
  const holdup = (): Holdup | null => {
    const at = inOrder.findIndex(life => life.holdup !== null)
    const found = inOrder[at]?.holdup
    return found
      ? { ...found, left: [...found.left, ...inOrder.slice(at + 1).flatMap(life => life.parts)] }
      : null
  }

  return {
    opened: open(),
    stop,
    get holdup() {
      return holdup()
    },
  }
}
