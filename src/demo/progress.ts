import { setTimeout as delay } from 'node:timers/promises'
import { isTerminal, type JobStatus } from '../domain/job.ts'
import type { Client } from './client.ts'
import type { Phase } from './primary.ts'

export interface Tally {
  readonly total: number
  readonly submitted: number
  readonly done: number
  readonly queued: number
  readonly running: number
  readonly parked: number
  /** Jobs that ended in the last second. */
  readonly perSecond: number
  readonly webhooks: number
  readonly phase: Phase
}

/** What the watcher cannot see through the API. */
export interface Surroundings {
  readonly total: number
  readonly submitted: number
  readonly webhooks: number
  readonly phase: Phase
}

export interface Watched {
  /** Jobs that were seen parked at some time. Between two looks a short park goes unseen. */
  readonly parked: ReadonlySet<string>
  /** False when the patience ended first. */
  readonly complete: boolean
}

const lookEveryMs = 250

/** Looks through the API again and again until all jobs have ended and as many webhooks have come. */
export const watchJobs = async (
  client: Client,
  around: () => Surroundings,
  show: (tally: Tally) => void,
  patience: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Watched> => {
  const endsAt = performance.now() + patience.ms
  const parked = new Set<string>()
  const rate = createRate()
  for (;;) {
    const counts: Record<JobStatus | 'done', number> = { ...noJobs }
    for (const { id, status } of await client.list()) {
      counts[isTerminal(status) ? 'done' : status] += 1
      if (status === 'parked') parked.add(id)
    }
    const tally = { ...counts, ...around(), perSecond: rate(counts.done, performance.now()) }
    show(tally)
    const complete = tally.done >= tally.total && tally.webhooks >= tally.total
    if (complete || performance.now() > endsAt) return { parked, complete }
    await delay(lookEveryMs, undefined, { signal: patience.signal })
  }
}

const noJobs = {
  queued: 0,
  running: 0,
  parked: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
  done: 0,
}

const rateWindowMs = 1_000

const createRate = () => {
  const looks: { done: number; atMs: number }[] = []
  return (done: number, atMs: number): number => {
    looks.push({ done, atMs })
    while (looks.length > 2 && looks[1]!.atMs <= atMs - rateWindowMs) looks.shift()
    const first = looks[0]!
    return atMs === first.atMs ? 0 : Math.round(((done - first.done) * 1_000) / (atMs - first.atMs))
  }
}
