import type { ApiParts, ApiScope } from '../parts.ts'
import { metricsOf, readProcessFigures, sharedMetricsOf } from './metrics.ts'
import { metricsType, renderMetrics } from './metrics-text.ts'
import { createSharedFigures, type SharedParts, type SharedSources } from './shared-figures.ts'

/** `GET /metrics` for Prometheus, over all processes: what workers counted comes by their heartbeats. */
export const addMetricsRoute = (
  scope: ApiScope,
  parts: SharedParts & Pick<ApiParts, 'presence' | 'processes' | 'vitals' | 'webhookPresence'>,
  sources: SharedSources,
): void => {
  const { vitals } = parts
  const readShared = createSharedFigures(parts, sources)
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
