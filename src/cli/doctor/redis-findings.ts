import { once } from 'node:events'
import { Cluster } from 'ioredis'
import { pino } from 'pino'
import { readTime } from '../../clock/clock.ts'
import type { Config } from '../../config/schema.ts'
import { createApiRedis, type RedisClient } from '../../redis/connect.ts'
import { readMemoryFigures } from '../../redis/memory-watch.ts'
import { describePlace, type RedisPlace } from '../../redis/place.ts'
import { checkRedis, parseInfo } from '../../redis/preflight.ts'
import { checkSchema } from '../../redis/schema.ts'
import { renderBytes } from '../../terminal/format.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, bad } = findingsOf('redis')
const clock = findingsOf('clock')

/** A Cluster or Sentinels may be in the middle of a fail-over. */
const patienceMs = 5_000
const pings = 21
/** A lone job waits for two round trips; each costs its caller as much as this on the same network. */
const slowMs = 5
/** Above this, signatures that carry a time (AWS allows 5 min) and log lines of this host begin to mislead. */
const hostOffMs = 5_000

/** Runs what needs Redis once it is reached; without it, that is the only finding. */
export const withRedis = async (
  place: RedisPlace,
  look: (redis: RedisClient) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> => {
  const redis = createApiRedis(place, pino({ level: 'silent' }))
  let why = 'no answer'
  const keep = (error: Error & { code?: string }): void => {
    why = error.code ?? error.message
  }
  redis.on('error', keep).on('node error', keep).on('sentinelError', keep)
  try {
    if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(patienceMs) })
    return await look(redis)
  } catch (error) {
    if (redis.status === 'ready') keep(error as Error)
    return [unreached(describePlace(place), why)]
  } finally {
    redis.disconnect()
  }
}

const unreached = (subject: string, why: string): Finding => {
  const refusal = /^(?:WRONGPASS|NOAUTH|NOPERM)\b/.exec(why)?.[0]
  return refusal === undefined
    ? bad(
        subject,
        `cannot be reached (${why})`,
        'Start it, or set REDIS_URL (or `redis` in the config) to one that runs: `rediss://` where it speaks TLS, and `redis://` where not.',
      )
    : bad(
        subject,
        `refuses the user or the password (${refusal})`,
        'Set the user and the password in REDIS_URL (or under `redis` in the config) to those that Redis knows.',
      )
}

/** Version, persistence, memory, latency and layout of a Redis, and how this host's clock stands to its own. */
export const examineRedis = async (
  redis: RedisClient,
  place: RedisPlace,
  { redis: settings }: Pick<Config, 'redis'>,
): Promise<readonly Finding[]> => [
  ...(await settingsFindings(redis, place, settings.wait_replicas)),
  await memoryFinding(redis, settings.full_at),
  await latencyFinding(redis),
  await schemaFinding(redis, settings.prefix),
  await clockFinding(redis, settings.prefix),
]

const settingsFindings = async (
  redis: RedisClient,
  place: RedisPlace,
  waitReplicas: number,
): Promise<readonly Finding[]> => {
  const { warnings, refusals } = await checkRedis(redis, {
    failsOver: typeof place !== 'string',
    waitReplicas,
  })
  const node = redis instanceof Cluster ? redis.nodes('master')[0]! : redis
  const info = parseInfo(await node.info('server'))
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? 'unknown'
  const name = info.has('valkey_version') ? 'Valkey' : 'Redis'
  const faults = [
    ...refusals.map(text => bad('settings', firstSentence(text), restOf(text))),
    ...warnings.map(text => warn('settings', firstSentence(text), restOf(text))),
  ]
  const version_ = ok('version', `${name} ${version}, ${describePlace(place)}`)
  return [
    version_,
    ...(faults.length > 0 ? faults : [ok('settings', 'keeps jobs: append-only file, no eviction')]),
  ]
}

/** The check before a start tells what is wrong and what to do in one text. */
const firstSentence = (text: string): string => text.split(/(?<=\.) /, 1)[0]!
const restOf = (text: string): string => text.slice(firstSentence(text).length + 1)

const memoryFinding = async (redis: RedisClient, fullAt: number): Promise<Finding> => {
  const figures = await readMemoryFigures(redis)
  if (figures === null)
    return bad('memory', 'the Cluster has no master now', 'Wait for its fail-over, and ask again.')
  const { usedBytes, limitBytes } = figures
  if (limitBytes === 0) {
    const remedy = 'Set `maxmemory`, so that Baton refuses new jobs before the machine has no memory left.'
    return warn('memory', `uses ${renderBytes(usedBytes)}, and has no limit`, remedy)
  }
  const share = usedBytes / limitBytes
  const text = `uses ${renderBytes(usedBytes)} of ${renderBytes(limitBytes)} (${Math.round(share * 100)} %)`
  const remedy = 'Give it more memory, or shorten `jobs.retention` and `batches.retention`.'
  if (share >= fullAt) return bad('memory', `${text}: nothing new is accepted`, remedy)
  return share >= fullAt * 0.8 ? warn('memory', text, remedy) : ok('memory', text)
}

const latencyFinding = async (redis: RedisClient): Promise<Finding> => {
  const took: number[] = []
  while (took.length < pings) {
    const startedAt = performance.now()
    await redis.ping()
    took.push(performance.now() - startedAt)
  }
  const sorted = took.toSorted((a, b) => a - b)
  const median = sorted[(pings - 1) / 2]!
  const text = `answers in ${median.toFixed(1)} ms (median of ${pings}), ${sorted.at(-1)!.toFixed(1)} ms at most`
  return median < slowMs
    ? ok('latency', text)
    : warn('latency', text, 'Run Baton in the same zone as Redis: each job waits for several answers.')
}

const schemaFinding = async (redis: RedisClient, prefix: string): Promise<Finding> => {
  const refusal = await checkSchema(redis, prefix)
  return refusal === null
    ? ok('layout', `the data under the prefix \`${prefix}\` are of this version`)
    : bad('layout', firstSentence(refusal), restOf(refusal))
}

const clockFinding = async (redis: RedisClient, prefix: string): Promise<Finding> => {
  const askedAtMs = Date.now()
  const toldMs = await readTime(redis, prefix)
  // Half of the way is over when Redis looks.
  return clockOf('this host', (askedAtMs + Date.now()) / 2 - toldMs)
}

/** `offMs`: by how much a host's clock is ahead of that of Redis. */
export const clockOf = (host: string, offMs: number): Finding => {
  const seconds = Math.abs(offMs / 1_000).toFixed(1)
  if (Math.abs(offMs) < hostOffMs) return clock.ok(host, `within ${seconds} s of Redis`)
  const text = `is ${seconds} s ${offMs > 0 ? 'ahead of' : 'behind'} Redis`
  return clock.warn(
    host,
    text,
    'Let a time service (chrony, systemd-timesyncd) set it. Jobs go by the clock of Redis.',
  )
}
