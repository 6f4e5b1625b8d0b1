import type { VerdictKind } from '../domain/classify/verdict.ts'
import type { Usage } from '../domain/job.ts'
import type { QueueClass } from '../domain/place.ts'

/** What happened to a job, to one of its calls, or to a webhook, emitted once, at the place where it happened. */
export type TelemetryEvent =
  | { readonly kind: 'job.accepted' }
  /** A worker has it for the first time. */
  | {
      readonly kind: 'job.claimed'
      readonly provider: string
      readonly class: QueueClass
      readonly waitedMs: number
    }
  | {
      readonly kind: 'attempt.ended'
      readonly tenant: string
      readonly provider: string
      readonly model: string
      /** `interrupted` where nothing could be judged. */
      readonly verdict: VerdictKind | 'interrupted'
      readonly durationMs: number
      /** Null where its answer was not streamed, or had no content. */
      readonly firstTokenMs: number | null
      /** Null where the provider did not say. */
      readonly usage: Usage | null
      /** US dollars; null where the price, or the usage, is not known. */
      readonly costUsd: number | null
      /** US dollars that it would have cost more without the provider's own cache; 0 where that is not known. */
      readonly savedUsd: number
    }
  /**
   * A worker looked for a kept answer of a route that has a cache. `shared`: it waits for the call of an identical request.
   * `saved`: what the answer cost that was kept, where that is known.
   */
  | {
      readonly kind: 'cache.looked_up'
      readonly route: string
      readonly result: 'hit' | 'shared' | 'miss'
      readonly saved: { readonly provider: string; readonly model: string; readonly usd: number } | null
    }
  /** `provider`: the one whose worker moved it. */
  | { readonly kind: 'job.handed_over' | 'job.parked'; readonly provider: string }
  /** `tookMs`: from its submission. */
  | {
      readonly kind: 'job.finished'
      readonly tenant: string
      readonly provider: string
      readonly route: string
      readonly status: 'succeeded' | 'failed'
      readonly tookMs: number
    }
  /** A job went on without a call since nobody serves the queue of this provider, or until a call shows that it is back. */
  | { readonly kind: 'job.passed_over'; readonly provider: string }
  /** A job that ended without an answer, by the API, a sweeper, a worker at a deadline, or the runner of a batch. */
  | { readonly kind: 'job.ended_without_answer'; readonly status: 'cancelled' | 'expired' }
  /** Lines are durable in the output files of a batch, by how they ended. */
  | { readonly kind: 'batch.lines_collected'; readonly counts: Readonly<Record<string, number>> }
  /** `tookMs`: from its creation. */
  | { readonly kind: 'batch.ended'; readonly status: string; readonly tookMs: number }
  /** A `failed` attempt is made again. */
  | {
      readonly kind: 'webhook.attempt_ended'
      /** The origin of its URL. */
      readonly receiver: string
      readonly status: 'delivered' | 'failed' | 'dead'
      readonly durationMs: number
    }

export type TelemetryConsumer = (event: TelemetryEvent) => void

/** Takes events where things happen, and gives them to all that count or export them. */
export interface Telemetry {
  emit(event: TelemetryEvent): void
  subscribe(consumer: TelemetryConsumer): void
}

/** Consumers are called at once, on the path of the job: they add up and return, and must not throw. */
export const createTelemetry = (): Telemetry => {
  const consumers: TelemetryConsumer[] = []
  return {
    emit: event => {
      for (const consume of consumers) consume(event)
    },
    subscribe: consumer => void consumers.push(consumer),
  }
}
