import type { Redis } from 'ioredis'

export interface Preflight {
  /** Sentences for the log: Baton works, but less well or less safely than it could. */
  readonly warnings: string[]
  /** Sentences that each stand for a promise Baton could not keep: the caller must not start. */
  readonly refusals: string[]
}

export interface PreflightOptions {
  /** Accept a Redis that forgets everything when it restarts, and jobs with it. */
  readonly allowVolatile?: boolean
}

/**
 * Reads whether this Redis can keep jobs. Needs no right but INFO: hosted Redis often forbids CONFIG, which is only
 * asked for what INFO does not tell. Rejects when INFO itself fails.
 */
export async function checkRedis(redis: Redis, options: PreflightOptions = {}): Promise<Preflight> {
  const [info, appendfsync] = await Promise.all([redis.info(), configOf(redis, 'appendfsync')])
  return judgeRedis(parseInfo(info), { ...options, appendfsync })
}

async function configOf(redis: Redis, name: string): Promise<string | null> {
  try {
    const reply = await redis.config('GET', name)
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null
  } catch {
    return null
  }
}

/** The `name:value` lines of INFO. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([^#:\s]+):(.*?)\r?$/gm)].map(([, name, value]) => [name!, value!]))
}

/** The pure part of `checkRedis`; `appendfsync` is null where it could not be read. */
export function judgeRedis(
  info: ReadonlyMap<string, string>,
  { allowVolatile = false, appendfsync }: PreflightOptions & { appendfsync: string | null },
): Preflight {
  const findings = [
    versionFinding(info.get('redis_version')),
    evictionFinding(info.get('maxmemory_policy'), info.get('maxmemory')),
    persistenceFinding(info.get('aof_enabled'), allowVolatile),
    appendfsync === 'no' &&
      warning(
        '`appendfsync` is `no`, so a power cut loses what the system had not written yet. Set it to `everysec` or `always`.',
      ),
    info.get('loading') === '1' &&
      refusal('Redis is still loading its data from disk. Start again when it has finished.'),
    info.get('role') === 'slave' &&
      refusal('This Redis is a replica, where nothing can be written. Set the Redis URL to its master.'),
    info.get('cluster_enabled') === '1' &&
      refusal('This Redis is a node of a cluster, which is not supported. Use a Redis without cluster mode.'),
  ].filter(finding => finding !== false && finding !== null)
  const sentences = (refuses: boolean) => findings.filter(f => f.refuses === refuses).map(f => f.sentence)
  return { warnings: sentences(false), refusals: sentences(true) }
}

interface Finding {
  readonly refuses: boolean
  readonly sentence: string
}

const warning = (sentence: string): Finding => ({ refuses: false, sentence })
const refusal = (sentence: string): Finding => ({ refuses: true, sentence })

function versionFinding(version: string | undefined): Finding | null {
  if (version === undefined)
    return warning('The version of Redis could not be read. Make sure that it is 6.2 or later.')
  if (isOlder(version, [6, 2, 0])) {
    return refusal(
      `Redis ${version} lacks commands that Baton uses. Install 6.2 or later; 7.2 is a good choice.`,
    )
  }
  if (isOlder(version, [7, 0, 8])) {
    return warning(`Redis ${version} wakes waiting workers late. Install 7.0.8 or later for prompt starts.`)
  }
  return null
}

function isOlder(version: string, than: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const differing = than.findIndex((part, at) => (parts[at] ?? 0) !== part)
  return differing >= 0 && (parts[differing] ?? 0) < than[differing]!
}

function evictionFinding(policy: string | undefined, maxmemory: string | undefined): Finding | null {
  if (policy === 'noeviction') return null
  if (policy === undefined) {
    return warning(
      'The eviction policy of Redis could not be read. Make sure that `maxmemory-policy` is `noeviction`.',
    )
  }
  const advice = 'Set `maxmemory-policy` to `noeviction`.'
  return maxmemory === '0'
    ? warning(
        `\`maxmemory-policy\` is \`${policy}\`; with a \`maxmemory\` it would delete accepted jobs. ${advice}`,
      )
    : refusal(`Redis deletes accepted jobs when it is full: \`maxmemory-policy\` is \`${policy}\`. ${advice}`)
}

function persistenceFinding(aofEnabled: string | undefined, allowVolatile: boolean): Finding | null {
  if (aofEnabled === '1') return null
  const sentence =
    'Redis keeps no append-only file, so accepted jobs are lost when it restarts. Set `appendonly` to `yes`.'
  return allowVolatile ? warning(sentence) : refusal(sentence)
}
