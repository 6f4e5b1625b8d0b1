import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shippedNodeOptions, startNode } from '../../harness/child.ts'
import { type Link, openLink } from '../../harness/link.ts'
import { type SimulatedProvider, startSimulatedProvider } from '../../harness/simulated-provider.ts'
import type { Lifecycle } from '../../src/lifecycle/lifecycle.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { members, type Role, workersInAll } from '../plan/processes.ts'
import { firstProvider, type ProviderName, secondProvider } from '../plan/routes.ts'
import { type Clocks, openClocks } from './clocks.ts'
import { clusterConfig } from './config.ts'
import { openReceivers, type Receivers } from './receivers.ts'
import type { ChaosRedis } from './redis.ts'
import { type Supervised, supervise } from './supervised.ts'

/** All processes of a run, and the parts of the world that they talk to. */
export interface Cluster {
  readonly apiUrl: string
  readonly processes: ReadonlyMap<string, Supervised>
  readonly sims: Readonly<Record<ProviderName, SimulatedProvider>>
  /** Between the workers and each simulated provider. */
  readonly providerLinks: Readonly<Record<ProviderName, Link>>
  readonly receivers: Receivers
  readonly redis: ChaosRedis
  readonly clocks: Clocks
  logFileOf(member: string): string
}

export interface ClusterOptions {
  readonly dir: string
  readonly redis: ChaosRedis
  /** By how many ms the clock of each process is off. */
  readonly clocksOff: ReadonlyMap<string, number>
  /** Requests that are to be answered each second, while half of the cluster is away. */
  readonly perSecond: number
}

/** Calls at once, per worker. Few, so that jobs always wait. */
const concurrency = 10
/** So that calls last as long as the load allows: the longer, the more of them a fault meets. */
const latencyMs = (perSecond: number): number =>
  Math.min(700, Math.max(60, Math.round((workersInAll * concurrency * 1_000) / (perSecond * 4))))

/** Starts everything; resolves when every process works. Each part is closed with `life`. */
export const openCluster = async (life: Lifecycle, options: ClusterOptions): Promise<Cluster> => {
  const { dir, redis, clocksOff, perSecond } = options
  const usual = {
    latency: { kind: 'lognormal', medianMs: latencyMs(perSecond), sigma: 0.5 },
    // An answer of some seven pieces takes a second to stream.
    stream: { tokenGapMs: 150 },
  } as const
  const sim = (name: ProviderName, format: 'openai' | 'anthropic'): Promise<SimulatedProvider> =>
    life.open(
      `provider ${name}`,
      () => startSimulatedProvider({ dir, name, args: ['--format', format, '--journal'], usual }),
      sim => sim.end(),
    )
  const link = (sim: SimulatedProvider): Promise<Link> =>
    life.open(
      'link',
      () => openLink(sim),
      link => link.close(),
    )
  const first = await sim(firstProvider, 'openai')
  const second = await sim(secondProvider, 'anthropic')
  const links = { [firstProvider]: await link(first), [secondProvider]: await link(second) }
  const receivers = await life.open('receivers', openReceivers, receivers => receivers.close())

  const apiPort = await findFreePort()
  const config = clusterConfig({
    providerUrls: {
      [firstProvider]: `http://${links[firstProvider].address}`,
      [secondProvider]: `http://${links[secondProvider].address}`,
    },
    apiPort,
    secret: receivers.secret,
    concurrency,
    redis: redis.config,
  })
  // JSON is YAML.
  await writeFile(join(dir, 'baton.yaml'), JSON.stringify(config, null, 2))

  const logFileOf = (member: string): string => join(dir, `${member}.log`)
  const nodeOptions = { api: await shippedNodeOptions('api'), worker: await shippedNodeOptions('worker') }
  const clocks = await openClocks(dir, clocksOff)
  const nameServerOf = (role: Role) => (role === 'api' ? receivers.doorNames : receivers.names)
  const processes = new Map<string, Supervised>()
  for (const member of members) {
    const { name, role, args } = member
    const start = () =>
      startNode('src/main.ts', args, {
        nodeOptions: [...nodeOptions[role === 'api' ? 'api' : 'worker'], ...clocks.nodeOptions],
        cwd: dir,
        env: {
          LOG_LEVEL: 'debug',
          CHAOS_NAME: name,
          CHAOS_DNS: nameServerOf(role).address,
          ...redis.envOf(name),
          ...clocks.envOf(name),
        },
        logFile: logFileOf(name),
      })
    const opened = life.open(
      name,
      () => supervise(member, start),
      // A run that came to its end has asked it to end before.
      supervised => supervised.drop(),
    )
    processes.set(name, await opened)
  }
  await Promise.all([...processes.values()].map(supervised => supervised.up()))

  return {
    apiUrl: `http://127.0.0.1:${apiPort}`,
    processes,
    sims: { [firstProvider]: first, [secondProvider]: second },
    providerLinks: links,
    receivers,
    redis,
    clocks,
    logFileOf,
  }
}
