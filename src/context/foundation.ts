import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import manifest from '../../package.json' with { type: 'json' }
import type { Clock } from '../clock/clock.ts'
import { openClock } from '../clock/clock.ts'
import { changesBetween, versionOf } from '../config/changes.ts'
import type { ReloadConfig } from '../config/reload.ts'
import type { Config } from '../config/schema.ts'
import { secretsOf } from '../config/secrets.ts'
import { toldTenants } from '../config/told-tenants.ts'
import { createRedact, type Redact } from '../domain/redact.ts'
import { routeFor } from '../domain/routing/chain.ts'
import { openHeartbeat } from '../health/open-health.ts'
import { createVitals, type Vitals } from '../health/vitals.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Names, openNames } from '../net/names/open-names.ts'
import { createTurn } from '../queue/turn.ts'
import { createPatientRedis, createSubscriber, pingRedis, type RedisClient } from '../redis/connect.ts'
import { createGuardedRunner } from '../redis/full-store.ts'
import { createKeys, type Keys } from '../redis/keys.ts'
import { type MemoryWatch, openMemoryWatch } from '../redis/memory-watch.ts'
import type { RedisPlace } from '../redis/place.ts'
import { createScriptRunner, type RunScript } from '../redis/scripts.ts'
import { type Counts, createCounts } from '../telemetry/counts.ts'
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts'

export interface FoundationOptions {
  readonly config: Config
  readonly redisAt: RedisPlace
  readonly log: Logger
  /** Where the process reports how it is, if it has a port for that. */
  readonly vitals?: Vitals
  /** What an operator's call to reload does; without it the config stands. */
  readonly reload?: ReloadConfig
  /** The environment of the process, where clouds tell who it is; nothing when absent. */
  readonly env?: Environment
}

type Environment = Readonly<Record<string, string | undefined>>

/** What everything else in a process is opened with. */
export interface Foundation {
  readonly config: Config
  readonly log: Logger
  /** Names this process in Redis. */
  readonly instance: string
  readonly redisAt: RedisPlace
  readonly keys: Keys
  /** Waits out an outage of Redis. */
  readonly redis: RedisClient
  readonly subscriber: Redis
  readonly run: RunScript
  readonly memory: MemoryWatch
  /** Whether this process is the one to do a task, for some seconds from now. */
  readonly hasTurn: (task: string) => Promise<boolean>
  readonly clock: Clock
  /** Unix ms by that clock. */
  readonly now: () => number
  readonly names: Names
  readonly vitals: Vitals
  readonly reload: ReloadConfig
  readonly env: Environment
  readonly telemetry: Telemetry
  readonly counts: Counts
  /** Cuts the config's secrets out of what comes from outside. */
  readonly redact: Redact
}

/** Opens the connections to Redis, the clock and the names, and begins to send the process's heartbeat. */
export const openFoundation = async (life: Lifecycle, options: FoundationOptions): Promise<Foundation> => {
  const { config, redisAt, log, vitals = createVitals(), reload = unchanged(config), env = {} } = options
  const { prefix } = config.redis
  const instance = randomBytes(4).toString('hex')
  const keys = createKeys(prefix)

  const disconnect = (redis: RedisClient): void => redis.disconnect()
  const redis = await life.open('redis', () => createPatientRedis(redisAt, log), disconnect)
  const subscriber = await life.open('subscriber', () => createSubscriber(redisAt, log), disconnect)
  const clock = await openClock(life, redis, prefix, log)
  const { now } = clock
  const memory = await openMemoryWatch(life, { redis, fullAt: config.redis.full_at, log })
  const telemetry = createTelemetry()
  const counts = createCounts(telemetry)
  const routeOf = (model: string): string => routeFor(config, model)?.name ?? model
  vitals.measures.follow(telemetry, routeOf, toldTenants(config))
  vitals.check('redis', () => redis.status === 'ready' && pingRedis(redis, keys).then(() => true))
  const { hostOffMs } = clock
  const { version } = manifest
  await openHeartbeat(life, {
    redis,
    prefix,
    instance,
    version,
    config: versionOf(config),
    hostOffMs,
    counts,
    vitals,
    log,
    now,
  })
  const names = await life.open(
    'names',
    () => openNames({ servers: config.dns.servers, timeoutMs: config.dns.timeout }),
    names => names.close(),
  )

  return {
    config,
    log,
    instance,
    redisAt,
    keys,
    redis,
    subscriber,
    run: createGuardedRunner(createScriptRunner(redis), memory.isFull),
    memory,
    hasTurn: createTurn(redis, prefix, instance),
    clock,
    now,
    names,
    vitals,
    reload,
    env,
    telemetry,
    counts,
    redact: createRedact(secretsOf(config)),
  }
}

/** For a process that has its config from no file. */
const unchanged =
  (config: Config): ReloadConfig =>
  async () => ({ version: versionOf(config), changes: changesBetween(config, config) })
