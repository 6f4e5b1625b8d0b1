import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { parseInfo } from '../../src/redis/preflight.ts'
import { until } from '../until.ts'
import { ask, findFreePorts, host, type RedisNode, startNode } from './node.ts'

export type { RedisNode } from './node.ts'

/** A master with its replicas, and three Sentinels that watch over them. */
export interface SentinelTopology {
  /** The `redis` section of a config. */
  readonly config: Record<string, unknown>
  readonly nodes: readonly RedisNode[]
  readonly sentinels: readonly RedisNode[]
  /** The one that the Sentinels agree on. */
  master(): Promise<RedisNode>
  /** kill -9 of the master; resolves with the new master when the Sentinels have agreed. The old one stays dead. */
  failover(): Promise<RedisNode>
  stop(): Promise<void>
}

/** A Redis Cluster of three masters. */
export interface ClusterTopology {
  readonly config: Record<string, unknown>
  readonly masters: readonly RedisNode[]
  /** As many for each master, in their order: which one is whose changes with a fail-over. */
  readonly replicas: readonly RedisNode[]
  stop(): Promise<void>
}

export interface SentinelTopologyOptions {
  /** Two by default: one is left after a fail-over. */
  readonly replicas?: number
  /** None by default. */
  readonly minReplicasToWrite?: number
}

const masterName = 'mymaster'
/** Silent for this long is dead: what a fail-over of the tests waits for first. */
const downAfterMs = 1_000

/** As the private server has them. */
const durable = [
  'save ""',
  'appendonly yes',
  'appendfsync everysec',
  'maxmemory 1gb',
  'maxmemory-policy noeviction',
]

export const startSentinelTopology = async ({
  replicas = 2,
  minReplicasToWrite = 0,
}: SentinelTopologyOptions = {}): Promise<SentinelTopology> => {
  const site = await openSite('baton-sentinel-')
  const dataConfig = [
    ...durable,
    `min-replicas-to-write ${minReplicasToWrite}`,
    'min-replicas-max-lag 2',
    // As fast as it goes: replicas of a test need not be gathered, nor their master spared.
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1',
  ]
  const dataNode = async (name: string, master: RedisNode | null) =>
    site.start(name, await findFreePort(), [
      ...dataConfig,
      ...(master ? [`replicaof ${host} ${master.port}`] : []),
    ])
  try {
    const first = await dataNode('data-0', null)
    const others = await Promise.all(
      Array.from({ length: replicas }, (_, i) => dataNode(`data-${i + 1}`, first)),
    )
    await until(async () => (await onlineReplicas(first)) === replicas)
    const watching = [
      `sentinel monitor ${masterName} ${host} ${first.port} 2`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} 5000`,
      `sentinel parallel-syncs ${masterName} ${Math.max(1, replicas)}`,
    ]
    const sentinels = await Promise.all(
      [0, 1, 2].map(async i => site.start(`sentinel-${i}`, await findFreePort(), watching, ['--sentinel'])),
    )
    await until(async () => (await Promise.all(sentinels.map(s => isWatching(s, replicas)))).every(Boolean))
    return sentinelTopology([first, ...others], sentinels, site.stop)
  } catch (error) {
    await site.stop()
    throw error
  }
}

const sentinelTopology = (
  nodes: readonly RedisNode[],
  sentinels: readonly RedisNode[],
  stop: () => Promise<void>,
): SentinelTopology => {
  const agreedOn = async (): Promise<RedisNode | null> => {
    const answers = (await Promise.all(sentinels.map(masterPortOf))).filter(port => port !== null)
    // A Sentinel may be down; two are enough for a fail-over.
    if (answers.length < 2 || new Set(answers).size > 1) return null
    const node = nodes.find(({ port }) => port === answers[0])
    return node && (await infoOf(node))?.get('role') === 'master' ? node : null
  }
  const master = () => until(agreedOn)
  return {
    config: {
      sentinel: { name: masterName, nodes: sentinels.map(({ port }) => `${host}:${port}`) },
    },
    nodes,
    sentinels,
    master,
    failover: async () => {
      const old = await master()
      await old.kill()
      return until(async () => {
        const heir = await agreedOn()
        return heir === old ? null : heir
      }, 30_000)
    },
    stop,
  }
}

export interface ClusterTopologyOptions {
  /** How many each master has; none by default. */
  readonly replicas?: number
}

const slotCount = 16_384

export const startClusterTopology = async ({
  replicas = 0,
}: ClusterTopologyOptions = {}): Promise<ClusterTopology> => {
  const site = await openSite('baton-cluster-')
  const config = [
    ...durable,
    'cluster-enabled yes',
    `cluster-node-timeout ${downAfterMs}`,
    'repl-diskless-sync-delay 0',
  ]
  const start = async (name: string) => site.start(name, await findFreePorts(), config)
  try {
    const masters = await Promise.all([0, 1, 2].map(i => start(`master-${i}`)))
    for (const [i, master] of masters.entries()) await own(master, slotsOf(i, masters.length), i + 1)
    const owners = masters.flatMap(master => Array<RedisNode>(replicas).fill(master))
    const others = await Promise.all(owners.map((_, i) => start(`replica-${i}`)))
    const all = [...masters, ...others]
    const are = async (test: (node: RedisNode) => Promise<boolean>) =>
      (await Promise.all(all.map(test))).every(Boolean)
    await acquaint(all, () => are(node => hasCluster(node, all.length)))
    for (const [i, { port }] of others.entries()) {
      const id = await ask(owners[i]!.port, redis => redis.cluster('MYID'))
      await ask(port, redis => redis.cluster('REPLICATE', id!))
    }
    await until(async () => (await Promise.all(masters.map(onlineReplicas))).every(n => n === replicas))
    return {
      config: { cluster: { nodes: all.map(({ port }) => `${host}:${port}`) } },
      masters,
      replicas: others,
      stop: site.stop,
    }
  } catch (error) {
    await site.stop()
    throw error
  }
}

/** An equal share of all. */
const slotsOf = (index: number, count: number): number[] => {
  const from = Math.ceil((index * slotCount) / count)
  const to = Math.ceil(((index + 1) * slotCount) / count)
  return Array.from({ length: to - from }, (_, n) => from + n)
}

const own = async ({ port }: RedisNode, slots: readonly number[], epoch: number): Promise<void> => {
  await ask(port, async redis => {
    await redis.cluster('SET-CONFIG-EPOCH', epoch)
    await redis.cluster('ADDSLOTS', ...slots)
  })
}

/** A node that is slow to answer a meeting is forgotten, so they meet until all know each other. */
const acquaint = async ([first, ...others]: readonly RedisNode[], areAcquainted: () => Promise<boolean>) => {
  for (let times = 0; times < 5; times++) {
    for (const { port } of others) await ask(port, redis => redis.cluster('MEET', host, first!.port))
    if (await until(areAcquainted, 5_000).catch(() => false)) return
  }
  throw new Error('the nodes did not become a cluster')
}

interface Site {
  start(name: string, port: number, config: readonly string[], args?: readonly string[]): Promise<RedisNode>
  /** Kills all and removes their folders. */
  stop(): Promise<void>
}

const openSite = async (prefix: string): Promise<Site> => {
  const dir = await mkdtemp(join(tmpdir(), prefix))
  const started: RedisNode[] = []
  return {
    start: async (name, port, config, args = []) => {
      const node = await startNode({ dir: join(dir, name), port, config, args })
      started.push(node)
      return node
    },
    stop: async () => {
      await Promise.all(started.map(node => node.kill()))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const infoOf = async ({ port }: RedisNode): Promise<ReadonlyMap<string, string> | null> => {
  const text = await ask(port, redis => redis.info())
  return text === null ? null : parseInfo(text)
}

const onlineReplicas = async (master: RedisNode): Promise<number> => {
  const info = await infoOf(master)
  return [...(info ?? [])].filter(([name, value]) => /^slave\d+$/.test(name) && /state=online/.test(value))
    .length
}

const masterPortOf = async ({ port }: RedisNode): Promise<number | null> => {
  const address = await ask(port, redis => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName))
  return Array.isArray(address) ? Number(address[1]) : null
}

/** Knows the replicas and the other two: only then can it take part in a fail-over. */
const isWatching = async ({ port }: RedisNode, replicas: number): Promise<boolean> => {
  const facts = (await ask(port, redis => redis.call('SENTINEL', 'MASTER', masterName))) as string[] | null
  const fact = (name: string) => Number(facts?.[facts.indexOf(name) + 1])
  return facts !== null && fact('num-other-sentinels') === 2 && fact('num-slaves') === replicas
}

const hasCluster = async ({ port }: RedisNode, nodes: number): Promise<boolean> => {
  const info = parseInfo(String(await ask(port, redis => redis.cluster('INFO'))))
  return info.get('cluster_state') === 'ok' && info.get('cluster_known_nodes') === String(nodes)
}
