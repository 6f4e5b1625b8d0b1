import type { Logger } from 'pino'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import type { WorkerHeartbeat } from './heartbeats.ts'

/** Which providers have a worker, as far as this process can see: it looks every two seconds. */
export interface WorkerLiveness extends Repeating {
  /** Unix ms since when no worker of a provider is there, once that is so long that it counts; 0 else. */
  withoutWorkerSince(provider: string): number
}

/** It is not known when a worker will come, so a job prefers to wait for a target whose time is known. */
export const withoutWorkerForMs = 60_000

const lookEveryMs = 2_000
/**
 * A process that did not look for longer than this (Redis was away, or it was frozen) starts to observe
 * afresh.
 */
const gapMs = 10_000

type Beat = Pick<WorkerHeartbeat, 'provider' | 'instance' | 'seenAtMs'>

/**
 * Goes by whether heartbeats change, not by the times in them, which come from other machines' clocks. A
 * process that has just begun to look, or could not for a while, takes every provider for attended: so a
 * restart of everything moves no job.
 */
export const createSightings = (providers: readonly string[], afterMs: number) => {
  let known: ReadonlyMap<string, number> = new Map()
  const attendedAtMs = new Map<string, number>()
  let lookedAtMs = Number.NEGATIVE_INFINITY
  const nameOf = ({ provider, instance }: Beat): string => `${provider}@${instance}`

  return {
    saw: (beats: readonly Beat[], nowMs: number): void => {
      const isNew = nowMs - lookedAtMs > gapMs
      const news = beats.filter(beat => known.get(nameOf(beat)) !== beat.seenAtMs)
      const attended = new Set(news.map(({ provider }) => provider))
      for (const provider of providers) if (isNew || attended.has(provider)) attendedAtMs.set(provider, nowMs)
      known = new Map(beats.map(beat => [nameOf(beat), beat.seenAtMs]))
      lookedAtMs = nowMs
    },
    /** See `Attendance`. As of the last look: while nobody can look, nothing changes. */
    withoutWorkerSince: (provider: string): number => {
      const atMs = attendedAtMs.get(provider)
      return atMs !== undefined && lookedAtMs - atMs >= afterMs ? atMs : 0
    },
  }
}

export interface WorkerLivenessOptions {
  readonly providers: readonly string[]
  /** The workers with a heartbeat, however old it is by their clocks. */
  readonly workers: () => Promise<readonly WorkerHeartbeat[]>
  /** How long a provider may have no worker: workers are restarted, and start after the API. */
  readonly afterMs: number
  readonly log: Logger
  readonly now: () => number
}

export const createWorkerLiveness = (options: WorkerLivenessOptions): WorkerLiveness => {
  const { providers, workers, afterMs, log, now } = options
  const { saw, withoutWorkerSince } = createSightings(providers, afterMs)
  const missed = new Set<string>()

  const tell = (provider: string): void => {
    const isMissed = withoutWorkerSince(provider) > 0
    if (isMissed === missed.has(provider)) return
    if (isMissed) {
      missed.add(provider)
      log.warn({ event: 'provider.worker_missing', provider }, 'provider has no worker')
    } else {
      missed.delete(provider)
      log.info({ event: 'provider.worker_returned', provider }, 'provider has a worker again')
    }
  }

  const look = async (): Promise<void> => {
    saw(await workers(), now())
    providers.forEach(tell)
  }

  return { ...createRepeating('workerLiveness', lookEveryMs, look, log), withoutWorkerSince }
}
