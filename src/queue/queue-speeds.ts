import type { Logger } from 'pino'
import { longestSpanMs, type Mark, type QueueSpeed, speedOf } from '../domain/planning/queue-speed.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { type Doorbells, providerQueue } from './doorbells.ts'

/** How fast the queues of providers are, as this process sees it. */
export interface QueueSpeeds extends Repeating {
  /** Nothing is known before it has run for some seconds. */
  of(provider: string): QueueSpeed
}

export interface QueueSpeedsOptions {
  readonly providers: readonly string[]
  readonly doorbells: Pick<Doorbells, 'depth'>
  readonly workers: () => Promise<
    readonly { readonly provider: string; readonly callsInFlight: number; readonly concurrency: number }[]
  >
  /** Calls that the keys of a provider may make in a minute; null where no limit is known. */
  readonly rpmOf: (provider: string) => number | null
  readonly log: Logger
  readonly now: () => number
}

/** As often as workers tell how many calls they have under way. */
const lookEveryMs = 2_000
/** Calls under way are the mean of so many looks: a worker tells them of one moment. */
const meanOf = 5

interface Seen {
  readonly marks: readonly Mark[]
  readonly calling: readonly number[]
  readonly slots: number | null
}

const unseen: Seen = { marks: [], calling: [], slots: null }

/** Looks at the counters of all queues every two seconds: one read each, whatever is asked meanwhile. */
export const createQueueSpeeds = (options: QueueSpeedsOptions): QueueSpeeds => {
  const { providers, doorbells, rpmOf, now } = options
  const seen = new Map<string, Seen>()

  const look = async (): Promise<void> => {
    const workers = await options.workers()
    await Promise.all(
      providers.map(async provider => {
        const { served, total } = await doorbells.depth(providerQueue(provider))
        const own = workers.filter(worker => worker.provider === provider)
        const { marks, calling } = seen.get(provider) ?? unseen
        const mark = { atMs: now(), count: served, isBusy: total > 0 }
        const sinceMs = mark.atMs - longestSpanMs
        const under = own.reduce((sum, { callsInFlight }) => sum + callsInFlight, 0)
        seen.set(provider, {
          // A count that fell is that of a new Redis.
          marks: [...marks.filter(({ atMs, count }) => atMs >= sinceMs && count <= served), mark],
          calling: [...calling, under].slice(-meanOf),
          slots: own.length === 0 ? null : own.reduce((sum, { concurrency }) => sum + concurrency, 0),
        })
      }),
    )
  }

  return {
    ...createRepeating('queue speeds', lookEveryMs, look, options.log),
    of: provider => {
      const { marks, calling, slots } = seen.get(provider) ?? unseen
      const mean = calling.reduce((sum, count) => sum + count, 0) / Math.max(1, calling.length)
      return speedOf(marks, { calling: mean, slots, rpm: rpmOf(provider) })
    },
  }
}
