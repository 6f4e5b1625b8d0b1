import type { CallSignal } from '../domain/interrupt.ts'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createAvailability, noTokens, type Tokens } from './availability.ts'
import { createIntake, shortWaitMs } from './intake.ts'
import {
  createProviderLimits,
  firstCalls,
  type KeyModelLimits,
  type ProviderLimits,
  type ProviderLimitsOptions,
} from './key-model-limits.ts'
import type { LimitStore } from './limit-store.ts'
import type { Demand, Limiter } from './limiter.ts'
import { type CallRequest, createPermits, type LimitsPermit } from './permits.ts'

export type Entry =
  | LimitsPermit
  /** Ms until there may be intake. */
  | { readonly kind: 'full'; readonly waitMs: number }
  | { readonly kind: 'keyless' }
  | { readonly kind: 'interrupted' }

/** Lets a process's calls to one provider through, as the limits of its keys allow. */
export interface Admission {
  /** Waits its turn for so long at most; less where it is known to take longer. */
  enter(request: CallRequest, patienceMs: number, signal: CallSignal): Promise<Entry>
  /** A doorbell was taken that may want a call; returns what ends that. */
  reserve(): () => void
  /** How many more jobs there is something to do for. */
  readonly intake: number
  /** Calls at once that this process may make, as far as that was found out; at most those that it has places for. */
  readonly places: number
  /** Whether another key may make a call of that model now, or soon. */
  hasOther(key: ApiKey | 'none', model: string): boolean
  /** Whether a call of that model could be made at once, or after the round trip of a lease; but for its tokens. */
  hasRoom(model: string): boolean
  /** Calls back whenever `intake` may have grown. */
  onIntake(listener: () => void): void
  changed(): void
  /** Ends all waits, because the process is about to end. */
  stopWaiting(): void
  close(): void
}

interface Waiter {
  readonly model: string
  readonly tokens: Tokens
  readonly only: ApiKey | 'none' | undefined
  readonly untilMs: number
  /** Whether the job has another target: then it waits for a turn that is near, and for nothing else. */
  readonly mayLeave: boolean
  readonly resolve: (entry: Entry) => void
}

const farMs = 60_000

export interface AdmissionOptions {
  readonly limits: ProviderLimits
  readonly keys: KeyRing
  /** Calls at once that this process has places for. */
  readonly concurrency: number
  /** Whether the calls at once find themselves; else only a 429 limits them. */
  readonly findsConcurrency: boolean
  /** Whether a healthy provider other than this one can take jobs for this model now. */
  readonly hasHealthyAlternative: (model: string) => boolean
  readonly clock: () => number
}

export const createAdmission = (options: AdmissionOptions): Admission => {
  const { limits, keys, hasHealthyAlternative, clock } = options
  const availability = createAvailability(limits, keys)
  const intake = createIntake({ ...options, availability })
  const waiters: Waiter[] = []
  let expected = 0
  let onRoom = (): void => {}
  let timer: NodeJS.Timeout | null = null
  let isPumpDue = false
  let isStopping = false

  /** Gives permits to the waiting calls, oldest first, and reports to the limiters what is still wanted. */
  const pump = (): void => {
    isPumpDue = false
    const nowMs = clock()
    const demand = createDemandSum()
    let soonestMs = farMs
    const ahead = new Map<KeyModelLimits, number>()
    for (const waiter of [...waiters]) {
      const waitMs = serve(waiter, nowMs, demand, ahead)
      if (waitMs !== null) soonestMs = Math.min(soonestMs, waitMs)
    }
    const { lastModel } = intake
    if (lastModel !== null && expected > 0) {
      const keyModel = availability.best(lastModel, noTokens, nowMs)?.keyModel
      if (keyModel) demand.request(keyModel, noTokens, expected)
    }
    demand.publish(limits.limiters)
    if (timer) clearTimeout(timer)
    timer = soonestMs < farMs ? setTimeout(pump, Math.ceil(soonestMs) + 1) : null
    onRoom()
  }

  /** Ms until this waiter is looked at again; null when it no longer waits. */
  const serve = (
    waiter: Waiter,
    nowMs: number,
    demand: DemandSum,
    ahead: Map<KeyModelLimits, number>,
  ): number | null => {
    const { model, tokens, only, untilMs, mayLeave } = waiter
    const end = (entry: Entry): null => {
      waiters.splice(waiters.indexOf(waiter), 1)
      waiter.resolve(entry)
      return null
    }
    const found = availability.best(model, tokens, nowMs, only)
    if (!found) return end({ kind: 'keyless' })
    const { keyModel, waitMs } = found
    if (waitMs === 0) {
      keys.used(keyModel.key)
      return end(permits.grant(keyModel, tokens))
    }
    if (isStopping) return end({ kind: 'interrupted' })
    const leftMs = untilMs - nowMs
    const place = ahead.get(keyModel) ?? 0
    const isNear =
      availability.blockedMs(keyModel, nowMs) === 0 && place < availability.queue(keyModel, nowMs)
    if (waitMs > leftMs || (mayLeave && !isNear && hasHealthyAlternative(model)))
      return end({ kind: 'full', waitMs })
    ahead.set(keyModel, place + 1)
    demand.request(keyModel, tokens)
    return Math.min(waitMs, leftMs)
  }

  const pumpSoon = (): void => {
    if (isPumpDue) return
    isPumpDue = true
    queueMicrotask(pump)
  }

  const permits = createPermits({ limits, clock, changed: pumpSoon })

  const unlimited = (key: ApiKey | 'none', model: string): LimitsPermit =>
    permits.grant(limits.of(key, model), noTokens)

  return {
    enter: (request, patienceMs, signal) => {
      const { model, only } = request
      if (!limits.isLimited) {
        const key = only ?? keys.next()
        return Promise.resolve(key === null ? { kind: 'keyless' } : unlimited(key, model))
      }
      intake.asked(model, patienceMs)
      if (signal.aborted) return Promise.resolve({ kind: 'interrupted' })
      const tokens = permits.estimate(request)
      // Nobody is before it, and there is room: it need not wait for the others of this turn.
      const found = waiters.length === 0 ? availability.best(model, tokens, clock(), only) : null
      if (found?.waitMs === 0) {
        keys.used(found.keyModel.key)
        return Promise.resolve(permits.grant(found.keyModel, tokens))
      }
      return new Promise(resolve => {
        const waiter: Waiter = {
          model,
          tokens,
          only,
          untilMs:
            clock() + (intake.otherModelHasRoom(model) ? Math.min(patienceMs, shortWaitMs) : patienceMs),
          mayLeave: patienceMs <= shortWaitMs,
          resolve: entry => {
            signal.onabort = null
            resolve(entry)
          },
        }
        signal.onabort = () => {
          waiters.splice(waiters.indexOf(waiter), 1)
          waiter.resolve({ kind: 'interrupted' })
          pumpSoon()
        }
        waiters.push(waiter)
        pumpSoon()
      })
    },
    reserve: () => {
      if (!limits.isLimited) return () => {}
      expected += 1
      pumpSoon()
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        expected -= 1
        pumpSoon()
      }
    },
    get intake() {
      return limits.isLimited ? intake.remaining(waiters.length, expected) : Number.POSITIVE_INFINITY
    },
    get places() {
      return intake.places
    },
    hasOther: (key, model) => {
      const nowMs = clock()
      return keys
        .inUse()
        .some(
          other =>
            other !== key && availability.waitMs(limits.of(other, model), noTokens, nowMs) < shortWaitMs,
        )
    },
    hasRoom: model => {
      if (!limits.isLimited) return true
      const nowMs = clock()
      const best = availability.best(model, noTokens, nowMs)
      if (best?.rank !== 0 || waiters.length > 0) return false
      // A lease is a round trip away, and may not bring more than the first calls to a provider.
      return expected < Math.max(firstCalls, availability.spare(best.keyModel, nowMs))
    },
    onIntake: listener => {
      onRoom = listener
    },
    changed: pumpSoon,
    stopWaiting: () => {
      isStopping = true
      pumpSoon()
    },
    close: () => {
      if (timer) clearTimeout(timer)
    },
  }
}

type AdmissionDeps = Omit<ProviderLimitsOptions, 'clock' | 'changed' | 'store'> & {
  readonly limitStore: LimitStore
  /** Calls at once that this process has places for. */
  readonly concurrency: number
  readonly hasHealthyAlternative: AdmissionOptions['hasHealthyAlternative']
}

/** Opens a process's admission to one provider, by the limits of its keys. */
export const openAdmission = async (life: Lifecycle, parts: AdmissionDeps): Promise<Admission> => {
  const clock = (): number => performance.now()
  let admission: Admission | null = null
  const limits = createProviderLimits({
    ...parts,
    store: parts.limitStore,
    clock,
    changed: () => admission?.changed(),
  })
  const opened = createAdmission({ ...parts, limits, clock })
  admission = opened
  await life.open(
    `limits ${parts.provider}`,
    () => limits.start(),
    async () => {
      opened.close()
      await limits.stop()
    },
  )
  return opened
}

/** The demand on each limiter, summed over the waiting calls in their order. */
interface DemandSum {
  /** `count` calls alike, each of so many tokens. */
  request(keyModel: KeyModelLimits, tokens: Tokens, count?: number): void
  /** Reports the demand to all limiters, also where it is zero. */
  publish(limiters: Iterable<Limiter>): void
}

const nothing: Demand = { waiting: 0, tokens: 0, leastTokens: 0 }

const createDemandSum = (): DemandSum => {
  const wanted = new Map<Limiter, { waiting: number; tokens: number; readonly leastTokens: number }>()
  return {
    request: ({ limiters }, tokens, count = 1) => {
      for (const limiter of limiters) {
        const some = limiter.budget.countsTokens ? tokens() : 0
        const sum = wanted.get(limiter)
        if (sum) {
          sum.waiting += count
          sum.tokens += count * some
        } else wanted.set(limiter, { waiting: count, tokens: count * some, leastTokens: some })
      }
    },
    publish: limiters => {
      for (const limiter of limiters) limiter.request(wanted.get(limiter) ?? nothing)
    },
  }
}
