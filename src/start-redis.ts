import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Config } from './config/schema.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import { createApiRedis, type RedisClient } from './redis/connect.ts'
import { acquireRedis } from './redis/dev/acquire.ts'
import type { Consent } from './redis/dev/binary.ts'
import { privateRedisDir } from './redis/dev/find.ts'
import { describePlace, type RedisPlace, redisPlaceOf } from './redis/place.ts'
import { checkRedis } from './redis/preflight.ts'
import { checkSchema } from './redis/schema.ts'
import { StartError } from './start-error.ts'

/** A Redis that answers nothing for this long is not reached. One that still loads its data is waited for as well. */
const patienceMs = 5_000
/** In which Sentinels or a Cluster put another server in the place of one that is gone. */
const failoverPatienceMs = 15_000

/**
 * Finds the Redis that the config names, or starts the private one, and checks that it can keep jobs. Throws
 * StartError with what a person should do when it cannot. `consent` is asked before anything is installed.
 */
export const openRedis = async (
  life: Lifecycle,
  config: Config,
  log: Logger,
  consent: Consent,
): Promise<RedisPlace> => {
  const place = redisPlaceOf(config.redis) ?? (await openPrivateRedis(life, log, consent))
  // Opened like a part, so that a stop waits for its end before it takes the server away.
  await life.open(
    'preflight',
    () => preflight(place, config, log),
    () => undefined,
  )
  return place
}

const openPrivateRedis = async (life: Lifecycle, log: Logger, consent: Consent): Promise<string> => {
  const acquire = () =>
    // Its messages are for a person, of several lines, and hold no URL.
    acquireRedis({ dir: privateRedisDir, consent, log }).catch((error: Error) => {
      throw new StartError(error.message, { cause: error })
    })
  const server = await life.open('redis server', acquire, server => server.stop())
  return server.url
}

const preflight = async (place: RedisPlace, { redis: settings }: Config, log: Logger): Promise<void> => {
  const redis = connect(place, log)
  try {
    await reach(redis, place)
    const { warnings, refusals } = await checkRedis(redis, {
      failsOver: typeof place !== 'string',
      waitReplicas: settings.wait_replicas,
    })
    for (const warning of warnings) log.warn({ event: 'redis.unsafe_setting' }, warning)
    if (refusals.length > 0)
      throw new StartError(`This Redis cannot keep jobs safe:\n- ${refusals.join('\n- ')}`)
    const refusal = await checkSchema(redis, settings.prefix)
    if (refusal !== null) throw new StartError(refusal)
  } finally {
    redis.disconnect()
  }
}

const connect = (place: RedisPlace, log: Logger): RedisClient => {
  try {
    return createApiRedis(place, log)
  } catch (error) {
    throw new StartError((error as Error).message, { cause: error })
  }
}

const reach = async (redis: RedisClient, place: RedisPlace): Promise<void> => {
  try {
    if (typeof place === 'string') await once(redis, 'ready', { signal: AbortSignal.timeout(patienceMs) })
    else await readyAtLast(redis)
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException
    const why =
      name === 'AbortError' ? 'no answer' : typeof code === 'string' ? code : inWords(error as Error)
    const advice =
      typeof place === 'string'
        ? 'Start it, or set REDIS_URL to one that runs.'
        : `Start it, or set \`redis.${place.kind}\` in the config to one that runs.`
    throw new StartError(`${describePlace(place)} cannot be reached (${why}). ${advice}`, { cause: error })
  }
}

/** What no fail-over mends. */
const final = /No such master|invalid reply: null|cluster support disabled|\b(WRONGPASS|NOAUTH|NOPERM)\b/

/** Tried again and again, as a fail-over may be under way. Rejects with what was last in the way. */
const readyAtLast = async (redis: RedisClient): Promise<void> => {
  if (redis.status === 'ready') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // What all Sentinels or nodes together are said to be, `error` tells; why, each of them on its own.
  let why: Error | undefined
  const keep = (error: Error): void => {
    why = error
  }
  const judge = (error: Error): void => {
    why ??= error
    if (final.test(why.message)) reject(why)
  }
  const timer = setTimeout(() => reject(why ?? new Error('no answer')), failoverPatienceMs)
  redis.on('sentinelError', keep).on('node error', keep).on('error', judge).once('ready', resolve)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    redis.off('sentinelError', keep).off('node error', keep).off('error', judge)
  }
}

/** ioredis tells of Sentinels in sentences of its own. */
const inWords = ({ message }: Error): string =>
  /No such master|invalid reply: null/.test(message) ? 'they know no master of that name' : message
