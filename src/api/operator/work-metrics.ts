import { type BatchRecord, batchStatuses, hasEnded } from '../../batches/record.ts'
import { blockReasons } from '../../domain/obstacle.ts'
import { gauge, type Metric } from './metrics-text.ts'
import type { ProviderView } from './provider-view.ts'

/** What is to be done, and whether it will be in time, over all processes. */
export interface WorkFigures {
  readonly readAtMs: number
  readonly providers: readonly Pick<ProviderView, 'name' | 'queue' | 'estimated_drain_at'>[]
  /** Those that have not ended. */
  readonly batches: readonly OpenBatch[]
  /** The longest that a batch which could go on has stood still, in ms. */
  readonly batchStallMs: number
  /** Deliveries of webhooks that are due later: each failed before, or was held back. */
  readonly webhooksLater: number
}

export type OpenBatch = Pick<
  BatchRecord,
  | 'id'
  | 'status'
  | 'blocked'
  | 'warning'
  | 'createdAtMs'
  | 'expiresAtMs'
  | 'estimateMs'
  | 'total'
  | 'collected'
>

export const workMetrics = (figures: WorkFigures): readonly Metric[] => [
  ...queueMetrics(figures),
  ...batchMetrics(figures),
  gauge('baton_webhooks_retrying', 'Deliveries of webhooks that are tried again later.', [
    { value: figures.webhooksLater },
  ]),
]

const queueMetrics = ({ providers, readAtMs }: WorkFigures): Metric[] => {
  const secondsSince = (at: number | null): number =>
    at === null ? 0 : Math.max(0, Math.round(readAtMs / 1_000 - at))
  return [
    gauge(
      'baton_waiting_jobs',
      "Jobs that wait in a provider's queue, by class.",
      providers.flatMap(({ name: provider, queue }) =>
        Object.entries(queue.by_class).map(([name, value]) => ({
          labels: { provider, class: name },
          value,
        })),
      ),
    ),
    gauge(
      'baton_parked_jobs',
      'Jobs that are parked until a target can be called, about.',
      providers.map(({ name: provider, queue }) => ({ labels: { provider }, value: queue.parked })),
    ),
    gauge(
      'baton_oldest_waiting_seconds',
      'Since the submission of the oldest job that is served next; 0 where none waits.',
      providers.map(({ name: provider, queue }) => ({
        labels: { provider },
        value: secondsSince(queue.oldest_at),
      })),
    ),
    gauge(
      'baton_queue_drain_seconds',
      'Until all that waits now is likely to be done.',
      providers.flatMap(({ name: provider, queue, estimated_drain_at: at }) => {
        if (queue.waiting === 0) return [{ labels: { provider }, value: 0 }]
        return at === null ? [] : [{ labels: { provider }, value: Math.round(at - readAtMs / 1_000) }]
      }),
    ),
  ]
}

const openStatuses = batchStatuses.filter(status => !hasEnded(status))

const batchMetrics = ({ batches, readAtMs, batchStallMs }: WorkFigures): Metric[] => {
  const count = (matches: (batch: OpenBatch) => boolean): number => batches.filter(matches).length
  const slacks = batches.flatMap(({ estimateMs, expiresAtMs }) =>
    estimateMs === null ? [] : [(expiresAtMs - Math.max(estimateMs, readAtMs)) / 1_000],
  )
  const oldestMs = Math.min(readAtMs, ...batches.map(({ createdAtMs }) => createdAtMs))
  return [
    gauge(
      'baton_open_batches',
      'Batches that have not ended, by status.',
      openStatuses.map(status => ({
        labels: { status },
        value: count(batch => batch.status === status),
      })),
    ),
    gauge(
      'baton_blocked_batches',
      'Batches that cannot go on before a person acts, by reason.',
      blockReasons.map(reason => ({
        labels: { reason },
        value: count(({ blocked }) => blocked?.reason === reason),
      })),
    ),
    gauge('baton_batches_at_risk', 'Batches that are likely not to be done in their window.', [
      { value: count(({ warning }) => warning !== null) },
    ]),
    gauge('baton_open_batch_lines', 'Lines of batches that are not in an output file.', [
      {
        value: batches.reduce((sum, { total, collected }) => sum + Math.max(0, (total ?? 0) - collected), 0),
      },
    ]),
    gauge('baton_oldest_batch_seconds', 'Since the oldest batch that has not ended was made; 0 for none.', [
      { value: Math.round((readAtMs - oldestMs) / 1_000) },
    ]),
    gauge(
      'baton_batch_slack_seconds',
      'The least time between the expected end of a batch and its deadline; below 0 it is late.',
      slacks.length === 0 ? [] : [{ value: Math.round(Math.min(...slacks)) }],
    ),
    gauge('baton_batch_stall_seconds', 'The longest that a batch which could go on has stood still.', [
      { value: Math.round(batchStallMs / 1_000) },
    ]),
  ]
}
