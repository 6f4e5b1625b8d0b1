import type { Logger } from 'pino'
import { createRepeating } from '../lifecycle/repeating.ts'
import { type BatchRunDeps, runBatch } from './run-batch.ts'
import type { BatchLease } from './steps.ts'

export interface BatchRunnerDeps extends BatchRunDeps {
  /** Batches driven at once; more wait for a turn. */
  readonly maxAtOnce: number
  /** A token that no other lease ever has. */
  readonly newToken: () => string
  readonly log: Logger
}

export interface BatchRunner {
  start(): void
  /** Looks for batches at once: there is a new one. */
  look(): void
  /** Lets go of all batches, so that others can go on with them at once. May be called twice. */
  stop(): Promise<void>
}

/** How soon a batch is taken up that is not published: one that another feeder let go of, or lost. */
const pollMs = 200
/** When all slots are taken and another batch waits, the one that was driven longest yields after this. */
const turnMs = 10_000

interface Drive {
  readonly startedAtMs: number
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** Drives batches that no other process drives. Any number of processes share them. */
export const createBatchRunner = (parts: BatchRunnerDeps): BatchRunner => {
  const { work, maxAtOnce, leaseMs, now } = parts
  const drives = new Map<string, Drive>()

  const drive = (lease: BatchLease): void => {
    const stop = new AbortController()
    const done = runBatch(parts, lease, stop.signal).finally(() => drives.delete(lease.id))
    drives.set(lease.id, { startedAtMs: now(), stop, done })
  }

  const makeRoom = (): void => {
    // Oldest first: a map keeps the order of insertion.
    const [oldest] = drives.values()
    if (oldest && oldest.startedAtMs + turnMs <= now()) oldest.stop.abort()
  }

  const round = async (): Promise<void> => {
    const due = await work.due(maxAtOnce + 1)
    for (const id of due) {
      if (drives.has(id)) continue
      if (drives.size >= maxAtOnce) return makeRoom()
      const lease = { id, token: parts.newToken() }
      if (await work.take(lease, now() + leaseMs)) drive(lease)
    }
  }
  const rounds = createRepeating('batch runner', pollMs, round, parts.log)

  return {
    start: rounds.start,
    look: rounds.soon,
    stop: async () => {
      await rounds.stop()
      for (const { stop } of drives.values()) stop.abort()
      await Promise.all([...drives.values()].map(({ done }) => done))
    },
  }
}
