import { type Figures, metricsOf } from '../../src/api/operator/metrics.ts'
import type { OpenBatch } from '../../src/api/operator/work-metrics.ts'
import { healthyCircuit } from '../../src/domain/circuit.ts'
import { createHistogram, type Series } from '../../src/telemetry/histogram.ts'

const series = (...labels: readonly string[]): Series => {
  const histogram = createHistogram(...labels)
  histogram.observe(1, ...labels.map(() => 'x'))
  return histogram.read()[0]!
}
const tokensUsed = { input: 0, cache_read: 0, cache_write: 0, output: 0 }
const counts = { attempts: { ok: 1 }, handovers: 0, parks: 0, ends: { succeeded: 0, failed: 0 } }
const meter = {
  ...{ model: 'm', rpm: 1, tpm: 1, used_rpm: 0, used_tpm: 0, calls_in_flight: 0 },
  ...{ adaptive_concurrency: 1, adaptive_rpm: 1 },
}
const queue = {
  waiting: 1,
  active: 0,
  parked: 0,
  oldest_at: 0,
  by_class: { interactive: 0, default: 1, bulk: 0 },
}
const batch: OpenBatch = {
  ...{ id: 'b', status: 'in_progress', blocked: null, warning: null, total: 2, collected: 1 },
  ...{ createdAtMs: 0, expiresAtMs: 10_000, estimateMs: 5_000 },
}

/** Something of everything, so that each metric has a sample. */
export const everyFigure: Figures = {
  accepted: 0,
  waiting: new Map([['webhooks', 0]]),
  work: {
    ...{ readAtMs: 1_000, batches: [batch], batchStallMs: 0, webhooksLater: 0 },
    providers: [{ name: 'a', queue, estimated_drain_at: 2 }],
  },
  limits: [{ name: 'a', models: [], keyCount: 1, limits: { rpm: 1, tpm: 1, concurrency: 1, seen: [meter] } }],
  circuits: [healthyCircuit('a')],
  entries: [{ scope: 'key:a#1', state: 'stopped' }],
  workers: [
    {
      ...{ provider: 'a', instance: 'i', pid: 1, breaker: 'closed', callsInFlight: 0, concurrency: 1 },
      ...{ seenAtMs: 0, counts },
    },
  ],
  withoutWorkerSinceMs: new Map([['a', 0]]),
  workersWanted: new Map([['openai', 1]]),
  webhookWorkers: [{ instance: 'i', counts: { delivered: 0, failed: 0, dead: 0 }, seenAtMs: 0 }],
  processes: [{ instance: 'i', ends: { cancelled: 0, expired: 0 }, hostOffMs: 0, seenAtMs: 0 }],
  configs: 1,
  deadLetters: 0,
  schedule: 0,
  held: { bytes: 0, connections: 0, pages: 0, waiting: { answer: 0 }, refusals: { bytes: 0 } },
  measured: {
    queueWait: [series('provider', 'class')],
    attempts: [series('provider', 'model', 'verdict')],
    firstTokens: [series('provider', 'model')],
    jobs: [series('route', 'status')],
    batches: [series('status')],
    webhooks: [series('outcome')],
    batchLines: [{ labels: { status: 'succeeded' }, value: 0 }],
    cacheLookups: [{ labels: { route: 'm', result: 'hit' }, value: 0 }],
    saved: [{ labels: { provider: 'a', model: 'm', by: 'answer_cache' }, value: 0 }],
    used: [{ provider: 'a', model: 'm', tokens: tokensUsed, costUsd: 0 }],
    tenants: {
      jobs: [{ labels: { tenant: 't', status: 'succeeded' }, value: 0 }],
      tokens: [{ labels: { tenant: 't', kind: 'input' }, value: 0 }],
      cost: [{ labels: { tenant: 't' }, value: 0 }],
    },
  },
  memory: { usedBytes: 0, limitBytes: 0, isFull: false },
  scriptTime: { calls: 0, seconds: 0 },
  process: { residentBytes: 0, cpuSeconds: 0, startedAtSeconds: 0 },
}

export const everyMetric = metricsOf(everyFigure)
