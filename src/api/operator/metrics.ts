import { type Circuit, shareNow } from '../../domain/circuit.ts'
import type { WebhookHeartbeat, WorkerHeartbeat } from '../../health/heartbeats.ts'
import type { OwnCounts } from '../../health/vitals.ts'
import type { MemoryFigures } from '../../redis/memory-watch.ts'
import type { ScriptTime } from '../../redis/script-time.ts'
import type { WorkCounts } from '../../telemetry/counts.ts'
import { type LimitFigures, limitMetrics } from './limit-metrics.ts'
import { measuredMetrics } from './measured-metrics.ts'
import { counter, gauge, type Metric, type Sample } from './metrics-text.ts'
import { type WorkFigures, workMetrics } from './work-metrics.ts'

/** What is known of one moment of all processes together. */
export interface SharedFigures {
  readonly accepted: number
  /** Doorbells that wait, by queue. */
  readonly waiting: ReadonlyMap<string, number>
  readonly circuits: readonly Circuit[]
  /** What is out of use: a provider, a key or a model. */
  readonly entries: readonly { readonly scope: string; readonly state: string }[]
  /** Unix ms since when providers have no worker, by name; 0 for those that have, or had one a moment ago. */
  readonly withoutWorkerSinceMs: ReadonlyMap<string, number>
  /** Worker processes, by provider. */
  readonly workersWanted: ReadonlyMap<string, number>
  readonly work: WorkFigures
  readonly limits: readonly LimitFigures[]
  /** Configs that processes run on. */
  readonly configs: number
  readonly deadLetters: number
  readonly schedule: number
  /** What this process holds for its clients. */
  readonly held: {
    readonly bytes: number
    readonly connections: number
    /** Of operators. */
    readonly pages: number
    readonly waiting: Readonly<Record<string, number>>
    readonly refusals: Readonly<Record<string, number>>
  }
  readonly memory: MemoryFigures & { readonly isFull: boolean }
  /** Null where it was not read. */
  readonly scriptTime: ScriptTime | null
}

/** What processes count themselves: all of them by their heartbeats, or one on its own port. */
export interface OwnFigures extends OwnCounts {
  /** The process that answers. */
  readonly process: {
    readonly residentBytes: number
    readonly cpuSeconds: number
    readonly startedAtSeconds: number
  }
}

export type Figures = SharedFigures & OwnFigures

const startedAtSeconds = performance.timeOrigin / 1_000

export const readProcessFigures = (): OwnFigures['process'] => {
  const { user, system } = process.cpuUsage()
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6, startedAtSeconds }
}

const circuitStates = ['healthy', 'throttled', 'slow', 'down', 'probing', 'recovering', 'paused'] as const

export const metricsOf = (figures: Figures): readonly Metric[] => [
  ...sharedMetricsOf(figures),
  ...ownMetricsOf(figures),
]

export const sharedMetricsOf = (figures: SharedFigures): readonly Metric[] => [
  ...jobMetrics(figures),
  ...workMetrics(figures.work),
  ...providerMetrics(figures),
  ...limitMetrics(figures.limits),
  ...heldMetrics(figures.held),
  ...redisMetrics(figures),
]

export const ownMetricsOf = (figures: OwnFigures): readonly Metric[] => [
  ...workerMetrics(figures.workers),
  endsMetric(figures),
  clockMetric(figures),
  webhookMetric(figures.webhookWorkers),
  ...measuredMetrics(figures.measured),
  ...processMetrics(figures.process),
]

const jobMetrics = ({ accepted, waiting, deadLetters, schedule, configs }: SharedFigures): Metric[] => [
  counter('baton_jobs_accepted_total', 'Single jobs that this process accepted.', [{ value: accepted }]),
  gauge(
    'baton_queue_depth',
    'Jobs, or webhook deliveries, that wait in a queue.',
    [...waiting].map(([queue, value]) => ({ labels: { queue }, value })),
  ),
  gauge(
    'baton_scheduled_entries',
    'Doorbells and timers that are due later: parked jobs, webhook deliveries, leases.',
    [{ value: schedule }],
  ),
  gauge('baton_dead_letters', 'Webhooks that were given up.', [{ value: deadLetters }]),
  gauge('baton_running_configs', 'Different configs that processes run on: 1 but for a moment.', [
    { value: configs },
  ]),
]

const providerMetrics = ({
  circuits,
  entries,
  withoutWorkerSinceMs,
  workersWanted,
}: SharedFigures): Metric[] => {
  const out = Map.groupBy(entries, ({ scope, state }) => {
    // Names of providers hold none of the separators that follow them in a scope.
    const provider = scope.slice(scope.indexOf(':') + 1).split(/[/#]/, 1)[0]!
    return JSON.stringify({ provider, kind: scope.slice(0, scope.indexOf(':')), state })
  })
  return [
    gauge(
      'baton_provider_state',
      '1 for the state that the provider as a whole is in.',
      circuits.flatMap(circuit => {
        const now = circuit.pausedAtMs > 0 ? 'paused' : circuit.state
        const { provider } = circuit
        return circuitStates.map(state => ({ labels: { provider, state }, value: state === now ? 1 : 0 }))
      }),
    ),
    gauge(
      'baton_provider_traffic_ratio',
      'Share of its traffic that the provider gets, 0 to 1: below 1 while it recovers.',
      circuits.map(circuit => ({ labels: { provider: circuit.provider }, value: shareNow(circuit) })),
    ),
    gauge(
      'baton_provider_without_worker',
      '1 for a provider that has had no live worker for jobs.worker_missing_after.',
      [...withoutWorkerSinceMs].map(([provider, sinceMs]) => ({
        labels: { provider },
        value: sinceMs > 0 ? 1 : 0,
      })),
    ),
    gauge(
      'baton_workers_wanted',
      'Worker processes of a provider that its work and its limits can use.',
      [...workersWanted].map(([provider, value]) => ({ labels: { provider }, value })),
    ),
    gauge(
      'baton_provider_unavailable',
      'Keys, models (target) or the whole (provider) of a provider that are not fully available, by state.',
      [...out].map(([labels, { length }]) => ({ labels: JSON.parse(labels), value: length })),
    ),
  ]
}

/** What workers counted, by one more label where there is one. */
const countedBy =
  (workers: readonly WorkerHeartbeat[]) =>
  (read: (counts: WorkCounts) => Readonly<Record<string, number>>, label?: string): Sample[] =>
    workers.flatMap(worker =>
      Object.entries(worker.counts ? read(worker.counts) : {}).map(([name, value]) => ({
        labels: { ...labelsOf(worker), ...(label && { [label]: name }) },
        value,
      })),
    )

const workerMetrics = (workers: readonly WorkerHeartbeat[]): Metric[] => {
  const each = (read: (worker: WorkerHeartbeat) => number): Sample[] =>
    workers.map(worker => ({ labels: labelsOf(worker), value: read(worker) }))
  const counted = countedBy(workers)
  return [
    gauge(
      'baton_calls_in_flight',
      'Calls under way in a worker.',
      each(worker => worker.callsInFlight),
    ),
    gauge(
      'baton_worker_concurrency',
      'Calls that a worker makes at once at most.',
      each(worker => worker.concurrency),
    ),
    counter(
      'baton_attempts_total',
      'Calls of a worker, by verdict.',
      counted(({ attempts }) => attempts, 'verdict'),
    ),
    counter(
      'baton_jobs_handed_over_total',
      "Jobs that a worker handed over to another target's queue.",
      counted(({ handovers }) => ({ handovers })),
    ),
    counter(
      'baton_jobs_parked_total',
      'Jobs that a worker parked.',
      counted(({ parks }) => ({ parks })),
    ),
  ]
}

/** Jobs that end with a call are ended by a worker; the others by any process. */
const endsMetric = ({ workers, processes }: OwnFigures): Metric =>
  counter('baton_jobs_finished_total', 'Jobs that a process finished, by status.', [
    ...countedBy(workers)(({ ends }) => ends, 'status'),
    ...processes.flatMap(({ instance, ends }) =>
      Object.entries(ends).map(([status, value]) => ({ labels: { instance, status }, value })),
    ),
  ])

/** Of a process of an earlier version it is not known. */
const clockMetric = ({ processes }: OwnFigures): Metric =>
  gauge(
    'baton_clock_offset_seconds',
    'By how much the clock of a process is ahead of that of Redis, by which all go.',
    processes.flatMap(({ instance, hostOffMs }) =>
      hostOffMs === undefined ? [] : [{ labels: { instance }, value: Math.round(hostOffMs) / 1_000 }],
    ),
  )

const webhookMetric = (workers: readonly WebhookHeartbeat[]): Metric =>
  counter(
    'baton_webhook_attempts_total',
    'Attempts to deliver a webhook, by outcome; failed ones are made again.',
    workers.flatMap(({ instance, counts }) =>
      Object.entries(counts).map(([outcome, value]) => ({ labels: { instance, outcome }, value })),
    ),
  )

const heldMetrics = ({ bytes, connections, pages, waiting, refusals }: Figures['held']): Metric[] => [
  gauge('baton_in_flight_bytes', 'Bytes of requests and answers that this process holds.', [
    { value: bytes },
  ]),
  gauge('baton_connections', 'Connections that are open to this process.', [{ value: connections }]),
  gauge(
    'baton_waiting_connections',
    'Open connections that wait for an answer, a long poll or events.',
    Object.entries(waiting).map(([kind, value]) => ({ labels: { kind }, value })),
  ),
  gauge('baton_open_pages', 'Pages of operators that this process tells what changes.', [{ value: pages }]),
  counter(
    'baton_requests_refused_total',
    'Requests that this process refused for lack of room, by what was used up.',
    Object.entries(refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  ),
]

const redisMetrics = ({ memory: { usedBytes, limitBytes, isFull }, scriptTime }: SharedFigures): Metric[] => [
  gauge(
    'baton_redis_memory_used_bytes',
    'Memory that Redis uses; in a Cluster, that of the fullest master.',
    [{ value: usedBytes }],
  ),
  gauge('baton_redis_memory_max_bytes', 'The maxmemory of Redis; 0 for no limit.', [{ value: limitBytes }]),
  gauge('baton_redis_full', '1 while nothing new is accepted because Redis is nearly full.', [
    { value: isFull ? 1 : 0 },
  ]),
  counter(
    'baton_redis_scripts_total',
    'Scripts that Redis ran since it started, of all that use it.',
    scriptTime === null ? [] : [{ value: scriptTime.calls }],
  ),
  counter(
    'baton_redis_script_seconds_total',
    'Time that Redis spent on them; it does nothing else meanwhile.',
    scriptTime === null ? [] : [{ value: scriptTime.seconds }],
  ),
]

const labelsOf = ({ provider, instance }: WorkerHeartbeat): Record<string, string> => ({ provider, instance })

/** By the names that all clients of Prometheus have for them. */
const processMetrics = ({ residentBytes, cpuSeconds, startedAtSeconds }: OwnFigures['process']): Metric[] => [
  gauge('process_resident_memory_bytes', 'Resident memory of this process.', [{ value: residentBytes }]),
  counter('process_cpu_seconds_total', 'Processor time of this process.', [{ value: cpuSeconds }]),
  gauge('process_start_time_seconds', 'When this process started, in Unix seconds.', [
    { value: startedAtSeconds },
  ]),
]
