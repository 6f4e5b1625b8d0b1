import { setTimeout as delay } from 'node:timers/promises'
import { createMeasures, type Measured, type Measures } from '../telemetry/measures.ts'
import type { ProcessHeartbeat, WebhookHeartbeat, WorkerHeartbeat } from './heartbeats.ts'

/** Whether one part of a process does its work. A promise that rejects or is late counts as no. */
type Check = () => boolean | Promise<boolean>

/** What this process did since it started, as its heartbeats report it. */
export interface OwnCounts {
  readonly workers: readonly WorkerHeartbeat[]
  readonly webhookWorkers: readonly WebhookHeartbeat[]
  readonly processes: readonly ProcessHeartbeat[]
  /** No heartbeat has these. */
  readonly measured: Measured
}

/** The health and metrics of a process, on a port of its own: each role adds its part while it opens. */
export interface Vitals {
  check(part: string, isWell: Check): void
  worker(read: () => WorkerHeartbeat): void
  webhookWorker(read: () => WebhookHeartbeat): void
  process(read: () => ProcessHeartbeat): void
  /** Of the process, whatever it ran on before. */
  readonly measures: Measures
  /** Adds metrics beside the counts, in the text format. */
  metrics(read: () => Promise<string>): void
  /** All roles are open. */
  started(): void
  readonly isStarted: boolean
  /** A reload has opened what comes after it. */
  retire(): void
  readonly isRetiring: boolean
  /** The parts that do not do their work now. */
  failing(): Promise<readonly string[]>
  counts(): OwnCounts
  /** Rejects where one of the sources fails. */
  moreMetrics(): Promise<string>
}

const patienceMs = 1_000

export const createVitals = (measures: Measures = createMeasures()): Vitals => {
  const checks = new Map<string, Check>()
  const workers: (() => WorkerHeartbeat)[] = []
  const webhookWorkers: (() => WebhookHeartbeat)[] = []
  const processes: (() => ProcessHeartbeat)[] = []
  const metrics: (() => Promise<string>)[] = []
  let isStarted = false
  let isRetiring = false

  return {
    check: (part, isWell) => void checks.set(part, isWell),
    worker: read => void workers.push(read),
    webhookWorker: read => void webhookWorkers.push(read),
    process: read => void processes.push(read),
    measures,
    metrics: read => void metrics.push(read),
    started: () => {
      isStarted = true
    },
    get isStarted() {
      return isStarted
    },
    retire: () => {
      isRetiring = true
    },
    get isRetiring() {
      return isRetiring
    },
    failing: async () => {
      const found = await Promise.all(
        [...checks].map(async ([part, isWell]) => ((await inTime(isWell)) ? [] : [part])),
      )
      return found.flat()
    },
    counts: () => ({
      workers: workers.map(read => read()),
      webhookWorkers: webhookWorkers.map(read => read()),
      processes: processes.map(read => read()),
      measured: measures.read(),
    }),
    moreMetrics: async () => (await Promise.all(metrics.map(read => read()))).join(''),
  }
}

const inTime = async (isWell: Check): Promise<boolean> => {
  const timer = new AbortController()
  const late = delay(patienceMs, false, { signal: timer.signal }).catch(() => false)
  try {
    return await Promise.race([isWell(), late])
  } catch {
    return false
  } finally {
    timer.abort()
  }
}
