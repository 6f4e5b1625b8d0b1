import { type VerdictKind, verdictKinds } from '../domain/classify/verdict.ts'
import { bucketOf } from '../domain/routing/target-stats.ts'
import type { Telemetry, TelemetryEvent } from './telemetry.ts'

/** What the worker of one provider did since it started; it only grows. */
export interface WorkCounts {
  /** Calls by what they meant; `interrupted` where nothing could be judged. */
  readonly attempts: Readonly<Partial<Record<VerdictKind | 'interrupted', number>>>
  readonly handovers: number
  readonly parks: number
  /** Jobs that this worker finished. */
  readonly ends: Readonly<Record<'succeeded' | 'failed', number>>
  /** Answered calls by how long they took: number of the bucket, count. Absent of a worker of an earlier version. */
  readonly took?: Readonly<Record<number, number>>
}

/** What a process that delivers webhooks did since it started, by how attempts went; `failed` ones are made again. */
export type DeliveryCounts = Readonly<Record<'delivered' | 'failed' | 'dead', number>>

/** Jobs that a process ended without an answer since it started. */
export type EndCounts = Readonly<Record<'cancelled' | 'expired', number>>

/** What this process did since it started. */
export interface Counts {
  accepted(): number
  /** Jobs that went on without a call since nobody served the queue, or a call had to show first that it is back; by provider. */
  passedOver(): Readonly<Record<string, number>>
  work(provider: string): WorkCounts
  ends(): EndCounts
  deliveries(): DeliveryCounts
}

type Verdict = VerdictKind | 'interrupted'

interface Work {
  readonly attempts: Map<Verdict, number>
  readonly ends: { succeeded: number; failed: number }
  readonly took: Record<number, number>
  handovers: number
  parks: number
}

const noWork = (): Work => ({
  attempts: new Map(),
  ends: { succeeded: 0, failed: 0 },
  took: {},
  handovers: 0,
  parks: 0,
})

/** The consumer of telemetry that counts. */
export const createCounts = (telemetry: Pick<Telemetry, 'subscribe'>): Counts => {
  const byProvider = new Map<string, Work>()
  const ends = { cancelled: 0, expired: 0 }
  const deliveries = { delivered: 0, failed: 0, dead: 0 }
  const passedOver = new Map<string, number>()
  let accepted = 0

  const workOf = (provider: string): Work => {
    const work = byProvider.get(provider) ?? noWork()
    byProvider.set(provider, work)
    return work
  }

  const count = (event: TelemetryEvent): void => {
    switch (event.kind) {
      case 'job.accepted':
        accepted += 1
        break
      case 'attempt.ended': {
        const { attempts, took } = workOf(event.provider)
        attempts.set(event.verdict, (attempts.get(event.verdict) ?? 0) + 1)
        if (event.verdict === 'ok') {
          const bucket = bucketOf(event.durationMs)
          took[bucket] = (took[bucket] ?? 0) + 1
        }
        break
      }
      case 'job.handed_over':
        workOf(event.provider).handovers += 1
        break
      case 'job.parked':
        workOf(event.provider).parks += 1
        break
      case 'job.finished':
        workOf(event.provider).ends[event.status] += 1
        break
      case 'job.passed_over':
        passedOver.set(event.provider, (passedOver.get(event.provider) ?? 0) + 1)
        break
      case 'job.ended_without_answer':
        ends[event.status] += 1
        break
      case 'webhook.attempt_ended':
        deliveries[event.status] += 1
        break
    }
  }
  telemetry.subscribe(count)

  return {
    accepted: () => accepted,
    passedOver: () => Object.fromEntries(passedOver),
    work: provider => {
      const { attempts, handovers, parks, ends, took } = workOf(provider)
      return {
        handovers,
        parks,
        ends: { ...ends },
        took: { ...took },
        attempts: Object.fromEntries([...attempts].sort(byVerdict)),
      }
    },
    ends: () => ({ ...ends }),
    deliveries: () => ({ ...deliveries }),
  }
}

const ranks = new Map<string, number>(verdictKinds.map((kind, rank) => [kind, rank]))
const rankOf = (verdict: string): number => ranks.get(verdict) ?? ranks.size

const byVerdict = ([a]: readonly [string, number], [b]: readonly [string, number]): number =>
  rankOf(a) - rankOf(b)
