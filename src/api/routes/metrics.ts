import { circuitOf } from '../../domain/health.ts'
import { providerQueue, webhookQueue } from '../../queue/doorbells.ts'
import type { ApiScope } from '../api-scope.ts'
import { metricsOf } from '../metrics.ts'
import { metricsType, renderMetrics } from '../metrics-text.ts'
import type { ApiParts } from '../parts.ts'
import type { Connections } from '../plugins/connection-cap.ts'
import type { Room } from '../room.ts'

/** What this process counts by itself. */
interface OwnFigures {
  readonly accepted: () => number
  readonly room: Room
  readonly connections: Connections
}

/** `GET /metrics`: what Prometheus reads. Workers have no port of their own; theirs come by their heartbeats. */
export const addMetricsRoute = (scope: ApiScope, parts: ApiParts, own: OwnFigures): void => {
  const { config, board, circuits, doorbells, deadLetters, agenda, routes, now } = parts
  const providers = Object.keys(config.providers)
  const queues = [...providers.map(providerQueue), webhookQueue]
  const startedAtSeconds = now() / 1_000 - process.uptime()

  const targets = new Set([...routes.values()].flatMap(route => route.targets.map(circuitOf)))
  const modelsOut = (): { scope: string; state: string }[] =>
    [...targets]
      .map(circuits.of)
      // What cools is on the board.
      .filter(({ state }) => state !== 'closed' && state !== 'cooling')
      .map(({ provider, state }) => ({ scope: `target:${provider}`, state }))

  scope.get('/metrics', async (_request, reply) => {
    const [workers, webhookWorkers, processes, waiting, letters, owed] = await Promise.all([
      parts.presence(),
      parts.webhookPresence(),
      parts.processes(),
      Promise.all(queues.map(queue => doorbells.waiting(queue))),
      deadLetters.size(),
      agenda.size(),
    ])
    const { user, system } = process.cpuUsage()
    const metrics = metricsOf({
      accepted: own.accepted(),
      held: {
        bytes: own.room.bytes.held,
        connections: own.connections.size,
        waiting: own.room.held,
        refusals: own.room.refusals,
      },
      waiting: new Map(queues.map((queue, i) => [queue, waiting[i]!])),
      circuits: providers.map(circuits.of),
      entries: [...board.current(), ...modelsOut()],
      workers,
      unmannedSinceMs: new Map(providers.map(name => [name, parts.unmannedSince(name)])),
      webhookWorkers,
      processes,
      deadLetters: letters,
      agenda: owed,
      memory: { ...parts.memory.figures(), isFull: parts.memory.isFull() },
      process: {
        residentBytes: process.memoryUsage.rss(),
        cpuSeconds: (user + system) / 1e6,
        startedAtSeconds,
      },
    })
    return reply.type(metricsType).send(renderMetrics(metrics))
  })
}
