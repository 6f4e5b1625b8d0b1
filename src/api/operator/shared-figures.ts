import { circuitOf, partsOfCircuit } from '../../domain/circuit.ts'
import { anyModel } from '../../domain/routing/wildcards.ts'
import { runningConfigs } from '../../health/running-configs.ts'
import { providerQueue, webhookQueue } from '../../queue/doorbells.ts'
import type { Capacity } from '../http/capacity.ts'
import type { Connections } from '../http/connection-limit.ts'
import type { ApiParts } from '../parts.ts'
import { createBatchStalls } from './batch-stalls.ts'
import type { SharedFigures } from './metrics.ts'
import type { OperatorReads } from './operator-reads.ts'
import type { PageFeed } from './page-feed.ts'

export type SharedParts = Pick<
  ApiParts,
  | 'accepted'
  | 'batches'
  | 'circuits'
  | 'config'
  | 'cooldowns'
  | 'deadLetters'
  | 'doorbells'
  | 'memory'
  | 'now'
  | 'routes'
  | 'schedule'
  | 'scriptTime'
  | 'withoutWorkerSince'
>

/** What this process counts by itself, and how it reads the rest. */
export interface SharedSources {
  readonly capacity: Capacity
  readonly connections: Connections
  readonly feed: Pick<PageFeed, 'size'>
  readonly reads: Pick<OperatorReads, 'figures' | 'providers'>
}

/** Two scrapes of one moment, as by two servers of Prometheus, share what Redis is asked. */
const freshMs = 1_000

/** What the metrics of an API process say of all processes together. Rejects while Redis is away. */
export const createSharedFigures = (
  parts: SharedParts,
  { capacity, connections, feed, reads }: SharedSources,
): (() => Promise<SharedFigures>) => {
  const { config, cooldowns, circuits, routes, now } = parts
  const providers = Object.keys(config.providers)
  const stallOf = createBatchStalls()
  const targets = new Set([...routes.values()].flatMap(route => route.targets.map(circuitOf)))
  /** Whether a route leads to the model of a circuit, or a wildcard may. */
  const isServed = (circuit: string): boolean =>
    targets.has(circuit) ||
    targets.has(circuitOf({ provider: partsOfCircuit(circuit).provider, model: anyModel }))

  const modelsOut = (): { scope: string; state: string }[] =>
    providers
      .flatMap(circuits.outOf)
      // Throttled targets are among the cooldowns already.
      .filter(({ provider, state }) => isServed(provider) && state !== 'throttled')
      .map(({ provider, state }) => ({ scope: `target:${provider}`, state }))

  const readRedis = async () => {
    const figures = await reads.figures()
    const [views, batches, deliveries, deadLetters, schedule, scriptTime] = await Promise.all([
      reads.providers.read(figures),
      parts.batches.listOpen(),
      parts.doorbells.waiting(webhookQueue),
      parts.deadLetters.size(),
      parts.schedule.size(),
      parts.scriptTime(),
    ])
    const depths = [...figures.depths].map(([name, { total }]): [string, number] => [
      providerQueue(name),
      total,
    ])
    const readAtMs = now()
    return {
      waiting: new Map([...depths, [webhookQueue, deliveries]]),
      workersWanted: new Map(views.map(({ name, workers_wanted }) => [name, workers_wanted])),
      work: {
        ...{ readAtMs, providers: views, batches },
        batchStallMs: stallOf(batches, readAtMs),
        webhooksLater: figures.webhooksLater,
      },
      limits: views.map(({ name, models, limits }) => ({
        name,
        models,
        limits,
        keyCount: keyCountOf(config, name),
      })),
      ...{ deadLetters, schedule, scriptTime, configs: runningConfigs(figures.processes).length },
    }
  }

  let reading: { readonly atMs: number; readonly read: ReturnType<typeof readRedis> } | null = null
  const readFresh = (): ReturnType<typeof readRedis> => {
    if (reading === null || now() - reading.atMs >= freshMs) {
      const begun = { atMs: now(), read: readRedis() }
      reading = begun
      begun.read.catch(() => {
        if (reading === begun) reading = null
      })
    }
    return reading.read
  }

  return async () => ({
    ...(await readFresh()),
    accepted: parts.accepted(),
    held: {
      bytes: capacity.bytes.held,
      connections: connections.size,
      pages: feed.size,
      waiting: capacity.held,
      refusals: capacity.refusals(),
    },
    circuits: providers.map(circuits.of),
    entries: [...cooldowns.current(), ...modelsOut()],
    withoutWorkerSinceMs: new Map(providers.map(name => [name, parts.withoutWorkerSince(name)])),
    memory: { ...parts.memory.figures(), isFull: parts.memory.isFull() },
  })
}

const keyCountOf = ({ providers }: SharedParts['config'], name: string): number =>
  providers[name]!.api_keys?.length ?? 1
