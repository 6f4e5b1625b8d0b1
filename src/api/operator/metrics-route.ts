import { circuitOf } from '../../domain/circuit.ts'
import { providerQueue, webhookQueue } from '../../queue/doorbells.ts'
import type { Capacity } from '../http/capacity.ts'
import type { Connections } from '../http/connection-limit.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { metricsOf, readProcessFigures, type SharedFigures, sharedMetricsOf } from './metrics.ts'
import { metricsType, renderMetrics } from './metrics-text.ts'
import type { Scaling } from './scaling-routes.ts'

/** What this process counts by itself. */
interface OwnFigures {
  readonly capacity: Capacity
  readonly connections: Connections
  readonly scaling: Scaling
}

/** `GET /metrics` for Prometheus, over all processes: what workers counted comes by their heartbeats. */
export const addMetricsRoute = (
  scope: ApiScope,
  parts: Pick<
    ApiParts,
    | 'accepted'
    | 'circuits'
    | 'config'
    | 'cooldowns'
    | 'deadLetters'
    | 'doorbells'
    | 'memory'
    | 'presence'
    | 'processes'
    | 'routes'
    | 'schedule'
    | 'vitals'
    | 'webhookPresence'
    | 'withoutWorkerSince'
  >,
  own: OwnFigures,
): void => {
  const { config, cooldowns, circuits, doorbells, deadLetters, schedule, routes, vitals } = parts
  const providers = Object.keys(config.providers)
  const queues = [...providers.map(providerQueue), webhookQueue]

  const targets = new Set([...routes.values()].flatMap(route => route.targets.map(circuitOf)))
  const modelsOut = (): { scope: string; state: string }[] =>
    [...targets]
      .map(circuits.of)
      // Throttled targets are among the cooldowns already.
      .filter(({ state }) => state !== 'healthy' && state !== 'throttled')
      .map(({ provider, state }) => ({ scope: `target:${provider}`, state }))

  const readShared = async (): Promise<SharedFigures> => {
    const [waiting, letters, owed, scaling] = await Promise.all([
      Promise.all(queues.map(queue => doorbells.waiting(queue))),
      deadLetters.size(),
      schedule.size(),
      own.scaling.read(),
    ])
    return {
      accepted: parts.accepted(),
      held: {
        bytes: own.capacity.bytes.held,
        connections: own.connections.size,
        waiting: own.capacity.held,
        refusals: own.capacity.refusals,
      },
      waiting: new Map(queues.map((queue, i) => [queue, waiting[i]!])),
      circuits: providers.map(circuits.of),
      entries: [...cooldowns.current(), ...modelsOut()],
      withoutWorkerSinceMs: new Map(providers.map(name => [name, parts.withoutWorkerSince(name)])),
      workersWanted: new Map(scaling.map(view => [view.provider, view.workers_wanted])),
      deadLetters: letters,
      schedule: owed,
      memory: { ...parts.memory.figures(), isFull: parts.memory.isFull() },
    }
  }
  // On the admin port each process shows its own counts, and these beside them.
  vitals.metrics(async () => renderMetrics(sharedMetricsOf(await readShared())))

  scope.get('/metrics', async (_request, reply) => {
    const [shared, workers, webhookWorkers, processes] = await Promise.all([
      readShared(),
      parts.presence(),
      parts.webhookPresence(),
      parts.processes(),
    ])
    const metrics = metricsOf({
      ...shared,
      workers,
      webhookWorkers,
      processes,
      measured: vitals.counts().measured,
      process: readProcessFigures(),
    })
    return reply.type(metricsType).send(renderMetrics(metrics))
  })
}
