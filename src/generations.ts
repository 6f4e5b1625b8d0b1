import { createFront } from './api/front.ts'
import { isLoopback } from './api/http/own-address.ts'
import { adopted, type ConfigChanges, changesBetween, isChanged, versionOf } from './config/changes.ts'
import { ConfigError } from './config/fault.ts'
import type { ReloadReport } from './config/reload.ts'
import type { Config } from './config/schema.ts'
import { type Generation, type GenerationOptions, type Opening, openGeneration } from './generation.ts'
import { createVitals, type OwnCounts, type Vitals } from './health/vitals.ts'
import { type Holdup, StopRequested } from './lifecycle/lifecycle.ts'
import type { Roles } from './named-roles.ts'
import { outsideSpans } from './telemetry/tracing.ts'

export interface GenerationsOptions extends Pick<GenerationOptions, 'redisAt' | 'graceMs' | 'log' | 'env'> {
  /** Reads the config of this process. Throws ConfigError. */
  readonly read: () => ReadConfig
  readonly rolesOf: (config: Config) => Roles
}

/** A config, and what its file said: `again` reads the mounted secrets anew, and nothing else. Throws ConfigError. */
export interface ReadConfig {
  readonly config: Config
  again(): Config
}

/** The roles of a process, over the configs that it runs on one after the other. */
export interface Generations {
  start(read: ReadConfig, vitals: Vitals): Promise<void>
  /** Reads the config anew and moves over to it; `announce` lets the other processes follow. Throws ConfigError. */
  reload(announce: boolean): Promise<ReloadReport>
  /** Moves over to what mounted secrets say now, by the config that serves. */
  reloadSecrets(): Promise<ReloadReport>
  stop(withinMs: number): Promise<void>
  readonly vitals: Vitals | null
  /** Of what serves, and of what still ends what it has begun; null before the first is open. */
  readonly counts: OwnCounts | null
  readonly config: Config | null
  readonly holdup: Holdup | null
}

export const createGenerations = (options: GenerationsOptions): Generations => {
  const { rolesOf, graceMs, log } = options
  const front = createFront()
  const living = new Set<Pick<Opening, 'stop' | 'holdup'>>()
  const retiring = new Set<Generation>()
  let current: Generation | null = null
  /** What the config of now was read from. */
  let source: ReadConfig | null = null
  /** By the monotonic clock, before the file was read last: what was announced before that is no news. */
  let readAt = 0
  let isStopping = false
  let last: Promise<unknown> = Promise.resolve()

  const open = async (config: Config, vitals: Vitals): Promise<Generation> => {
    if (isStopping) throw new StopRequested()
    let own: Generation | null = null
    // A request may have asked for it, and ends soon.
    const opening = outsideSpans(() =>
      openGeneration({
        ...options,
        ...{ config, front, roles: rolesOf(config), vitals },
        reload: async isTrial => (isTrial ? report(readNext()) : reload(true)),
        onAnnounced: agoMs => {
          // One that ends what it has begun hears it as well, and the first looks again once it serves.
          if (current === null || own !== current || performance.now() - agoMs <= readAt) return
          void reload(false).catch(() => undefined)
        },
      }),
    )
    living.add(opening)
    try {
      own = await opened(opening)
      living.add(own)
      return own
    } finally {
      living.delete(opening)
    }
  }

  const opened = async (opening: Opening): Promise<Generation> => {
    try {
      return await opening.opened
    } catch (error) {
      await opening.stop(graceMs)
      throw error
    }
  }

  /** What the file says now, as this process can have it. Throws ConfigError. */
  const readNext = (read = options.read): Next => {
    const before = current!.config
    const from = read()
    const { config: after } = from
    const config = adopted(before, after)
    refuseOpenDoor(config)
    return { config, from, changes: changesBetween(before, after) }
  }

  const move = async (announce: boolean, read?: () => ReadConfig): Promise<ReloadReport> => {
    const before = current!
    // The secrets alone are not the file.
    if (read === undefined) readAt = performance.now()
    const next = readNext(read)
    const { config } = next
    const { version, changes } = report(next)
    if (isChanged(changes)) {
      current = await open(config, createVitals(before.vitals.measures))
      await current.readmit(changes.providers.changed)
    }
    source = next.from
    if (announce) {
      await current!.announce()
      readAt = performance.now()
    }
    if (current !== before) {
      retiring.add(before)
      void before.retire().finally(() => {
        living.delete(before)
        retiring.delete(before)
      })
    }
    log.info({ event: 'config.reloaded', configVersion: version, changes }, 'config reloaded')
    return { version, changes }
  }

  /** One at a time: what is read last is what serves in the end. */
  const reload = (announce: boolean, read?: () => ReadConfig): Promise<ReloadReport> => {
    const next = last
      .catch(() => undefined)
      .then(() => move(announce, read))
      .catch(error => {
        if (error instanceof StopRequested) throw error
        const faults = error instanceof ConfigError ? { faults: error.faults } : { err: error }
        log.error({ event: 'config.reload_refused', ...faults }, 'config not reloaded: all goes on as it was')
        throw error
      })
    last = next
    return next
  }

  return {
    start: async (read, vitals) => {
      source = read
      current = await open(read.config, vitals)
      // Somebody may have changed the file, and said so, since this process read it.
      await current.hearMissed()
    },
    reload,
    // Each process has its own mounts, and sees for itself that they change.
    reloadSecrets: () =>
      reload(false, () => {
        const { again } = source!
        return { config: again(), again }
      }),
    stop: async withinMs => {
      isStopping = true
      await Promise.all([...living].map(each => each.stop(withinMs)))
    },
    get vitals() {
      return current?.vitals ?? null
    },
    get counts() {
      return current && countsOf([current, ...retiring])
    },
    get config() {
      return current?.config ?? null
    },
    get holdup() {
      return [...living].map(({ holdup }) => holdup).find(holdup => holdup !== null) ?? null
    },
  }
}

/** Each counts under an instance of its own, and all measure together. */
const countsOf = (all: readonly Generation[]): OwnCounts => {
  const counts = all.map(({ vitals }) => vitals.counts())
  return {
    workers: counts.flatMap(({ workers }) => workers),
    webhookWorkers: counts.flatMap(({ webhookWorkers }) => webhookWorkers),
    processes: counts.flatMap(({ processes }) => processes),
    measured: counts[0]!.measured,
  }
}

interface Next {
  readonly config: Config
  readonly from: ReadConfig
  readonly changes: ConfigChanges
}

const report = ({ config, changes }: Next): ReloadReport => ({ version: versionOf(config), changes })

/** The address goes on as it is until a restart: keys must not go away that it needs. */
const refuseOpenDoor = ({ api_keys, server }: Config): void => {
  if (api_keys.length > 0 || isLoopback(server.host)) return
  const message = `without keys only loopback is served, and this process listens on ${server.host}: restart it`
  throw new ConfigError(null, [{ code: 'relation', path: 'api_keys', message }])
}
