import { Cluster, type Redis } from 'ioredis'

export interface Preflight {
  /** Sentences for the log: Baton works, but less well or less safely than it could. */
  readonly warnings: string[]
  /** Sentences that each stand for a promise Baton could not keep: the caller must not start. */
  readonly refusals: string[]
}

export interface PreflightOptions {
  /** Accept a Redis that forgets everything when it restarts, and jobs with it. */
  readonly allowVolatile?: boolean
  /** Another server takes over when this one is lost: it hangs on Sentinels or is a node of a Cluster. */
  readonly failsOver?: boolean
  /** How many replicas submissions wait for. */
  readonly waitReplicas?: number
}

/**
 * Reads whether this Redis, every master of it where it is a Cluster, can keep jobs. Needs no right but INFO: hosted
 * Redis often forbids CONFIG, which is only asked for what INFO lacks. Rejects when INFO itself fails.
 */
export async function checkRedis(redis: Redis | Cluster, options: PreflightOptions = {}): Promise<Preflight> {
  if (!(redis instanceof Cluster)) return checkServer(redis, { ...options, inCluster: false })
  const masters = redis.nodes('master')
  const verdicts = await Promise.all(
    masters.map(async node => ({
      node: `${node.options.host}:${node.options.port}`,
      ...(await checkServer(node, { ...options, inCluster: true })),
    })),
  )
  const told = (sentencesOf: (verdict: Preflight) => string[]) => {
    const all = verdicts.flatMap(verdict => sentencesOf(verdict).map(text => ({ text, node: verdict.node })))
    return [...Map.groupBy(all, ({ text }) => text)].map(([text, by]) =>
      by.length === masters.length ? text : `${text} (${by.map(({ node }) => node).join(', ')})`,
    )
  }
  return { warnings: told(v => v.warnings), refusals: told(v => v.refusals) }
}

interface ServerOptions extends PreflightOptions {
  readonly inCluster?: boolean
}

async function checkServer(redis: Redis, options: ServerOptions): Promise<Preflight> {
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
  options: ServerOptions & { readonly appendfsync: string | null },
): Preflight {
  const { allowVolatile = false, inCluster = false, appendfsync } = options
  const findings = [
    versionFinding(info),
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
    !inCluster &&
      info.get('cluster_enabled') === '1' &&
      refusal('This Redis is a node of a cluster. Name nodes of it under `redis.cluster` in the config.'),
    ...replicationFindings(info, options),
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

function versionFinding(info: ReadonlyMap<string, string>): Finding | null {
  // Valkey began with all that is needed, and calls itself Redis 7.2.4 for clients that ask only for that.
  if (info.has('valkey_version')) return null
  const version = info.get('redis_version')
  if (version === undefined)
    return warning('The version of Redis could not be read. Make sure that it is 7.0 or later.')
  if (isOlder(version, [7, 0, 0])) {
    return refusal(
      `Redis ${version} cannot end jobs when it is full. Install 7.0.8 or later; 7.2 is a good choice.`,
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
  if (policy === 'noeviction') {
    return maxmemory === '0'
      ? warning(
          'Redis has no limit of memory, and is killed when it outgrows its machine. Set `maxmemory` to half of what there is; docs/redis.md tells what it does when it is full.',
        )
      : null
  }
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

/** What a fail-over could lose. */
function replicationFindings(
  info: ReadonlyMap<string, string>,
  { failsOver = false, waitReplicas = 0 }: PreflightOptions,
): Finding[] {
  const replicas = Number(info.get('connected_slaves') ?? 0)
  const findings: Finding[] = []
  // INFO has this line only where `min-replicas-to-write` is more than 0.
  const bounded = info.has('min_slaves_good_slaves')
  if (info.get('role') === 'master' && (failsOver || replicas > 0) && !bounded) {
    const lost = waitReplicas > 0 ? 'results and progress' : 'jobs that were accepted and results'
    const also = waitReplicas > 0 ? '' : ', and `redis.wait_replicas` in the config'
    findings.push(
      warning(
        `Replicas follow a moment later, and a fail-over loses ${lost} that they do not have. Set \`min-replicas-to-write\` on the servers${also}; docs/redis.md tells what each keeps.`,
      ),
    )
  }
  if (waitReplicas > replicas) {
    findings.push(
      warning(
        `\`redis.wait_replicas\` is ${waitReplicas}, and there are ${replicas} replicas: until there are more, what is submitted is answered 503.`,
      ),
    )
  }
  return findings
}
