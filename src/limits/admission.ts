import type { CallSignal } from '../domain/interrupt.ts'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { Meter } from './meter.ts'
import { type CallRequest, createPermits, type Permit } from './permits.ts'

export type Entry =
  | Permit
  /** Ms until there may be room. */
  | { readonly kind: 'full'; readonly waitMs: number }
  | { readonly kind: 'keyless' }
  | { readonly kind: 'interrupted' }

/** Lets a process's calls to one provider through, as the limits of its keys allow. */
export interface Admission {
  /** Waits its turn for so long at most; less where it is known to take longer. */
  enter(request: CallRequest, patienceMs: number, signal: CallSignal): Promise<Entry>
  /** A doorbell was taken that may want a call; returns what ends that. */
  expect(): () => void
  /** How many more jobs there is something to do for. */
  readonly room: number
  /** Whether another key may make a call of that model now, or soon. */
  hasOther(key: ApiKey | 'none', model: string): boolean
  /** Calls back whenever `room` may have grown. */
  onRoom(listener: () => void): void
  changed(): void
  /** The process is about to end: nobody waits here any longer. */
  stopWaiting(): void
  close(): void
}

interface Waiter {
  readonly model: string
  readonly tokens: () => number
  readonly untilMs: number
  /** Whether the job has another target: then it waits for a turn that is near, and for nothing else. */
  readonly mayLeave: boolean
  readonly resolve: (entry: Entry) => void
}

/** What is longer than this is worth a handover. */
export const shortWaitMs = 2_000
/** So many jobs may wait for each call that is under way or has its slot, if they have another target. */
const waitersPerCall = 2
const leastWaiters = 4
/** Of jobs that wait longer, so many are taken from the queue: those of them that have another target go on. */
const spentRoom = 4
const farMs = 60_000

export interface AdmissionOptions {
  readonly lanes: Lanes
  readonly keys: KeyRing
  /** Calls at once in this process. */
  readonly concurrency: number
  /** Whether jobs for this model may go on to another provider now. */
  readonly goesElsewhere: (model: string) => boolean
  readonly clock: () => number
}

/** A model that was asked for since then may be asked for again. */
const recentMs = 60_000

export const createAdmission = ({
  lanes,
  keys,
  concurrency,
  goesElsewhere,
  clock,
}: AdmissionOptions): Admission => {
  const waiters: Waiter[] = []
  let expected = 0
  let lastModel: string | null = null
  const askedForAtMs = new Map<string, number>()
  let onRoom = (): void => {}
  let timer: NodeJS.Timeout | null = null
  let isPumpDue = false
  let isStopping = false

  const waitIn = (lane: Lane, tokens: () => number, nowMs: number): number => {
    let waitMs = 0
    for (const { purse } of lane.meters) {
      waitMs = Math.max(waitMs, purse.waitMs(purse.countsTokens ? tokens() : 0, nowMs))
    }
    return waitMs
  }
  const noTokens = (): number => 0
  const blockedIn = (lane: Lane, nowMs: number): number =>
    Math.max(0, ...lane.meters.map(({ purse }) => purse.blockedMs(nowMs)))
  /** How many jobs that could go elsewhere may wait here: more would not have their turn soon. */
  const queueOf = (lane: Lane, nowMs: number): number =>
    Math.max(
      leastWaiters,
      waitersPerCall * Math.min(...lane.meters.map(({ purse }) => purse.calling + purse.spare(nowMs))),
    )

  /** The lane with the shortest wait, and that wait. */
  const best = (
    model: string,
    tokens: () => number,
    nowMs: number,
  ): { lane: Lane; waitMs: number } | null => {
    let found: { lane: Lane; waitMs: number } | null = null
    for (const key of keys.inUse()) {
      const lane = lanes.of(key, model)
      const waitMs = waitIn(lane, tokens, nowMs)
      if (!found || waitMs < found.waitMs) found = { lane, waitMs }
      if (waitMs === 0) break
    }
    return found
  }

  /** Gives what there is to those who wait, oldest first; tells the meters what is still wanted. */
  const pump = (): void => {
    isPumpDue = false
    const nowMs = clock()
    const wanted = new Map<Meter, { waiting: number; tokens: number; leastTokens: number }>()
    const want = (lane: Lane, tokens: () => number): void => {
      for (const meter of lane.meters) {
        const some = meter.purse.countsTokens ? tokens() : 0
        const sum = wanted.get(meter)
        if (sum) {
          sum.waiting += 1
          sum.tokens += some
        } else wanted.set(meter, { waiting: 1, tokens: some, leastTokens: some })
      }
    }
    let soonestMs = farMs
    const ahead = new Map<Lane, number>()
    for (const waiter of [...waiters]) {
      const waitMs = serve(waiter, nowMs, want, ahead)
      if (waitMs !== null) soonestMs = Math.min(soonestMs, waitMs)
    }
    if (lastModel !== null && expected > 0) {
      const lane = best(lastModel, noTokens, nowMs)?.lane
      for (let i = 0; lane && i < expected; i++) want(lane, noTokens)
    }
    const nothing = { waiting: 0, tokens: 0, leastTokens: 0 }
    for (const meter of lanes.meters) meter.want(wanted.get(meter) ?? nothing)
    if (timer) clearTimeout(timer)
    timer = soonestMs < farMs ? setTimeout(pump, Math.ceil(soonestMs) + 1) : null
    onRoom()
  }

  /** Ms until this one is to be looked at again; null when it waits no more. */
  const serve = (
    waiter: Waiter,
    nowMs: number,
    want: (lane: Lane, tokens: () => number) => void,
    ahead: Map<Lane, number>,
  ): number | null => {
    const { model, tokens, untilMs, mayLeave } = waiter
    const end = (entry: Entry): null => {
      waiters.splice(waiters.indexOf(waiter), 1)
      waiter.resolve(entry)
      return null
    }
    const found = best(model, tokens, nowMs)
    if (!found) return end({ kind: 'keyless' })
    const { lane, waitMs } = found
    if (waitMs === 0) {
      keys.used(lane.key)
      return end(permits.grant(lane, tokens))
    }
    if (isStopping) return end({ kind: 'interrupted' })
    const leftMs = untilMs - nowMs
    const place = ahead.get(lane) ?? 0
    const isNear = blockedIn(lane, nowMs) === 0 && place < queueOf(lane, nowMs)
    if (waitMs > leftMs || (mayLeave && !isNear && goesElsewhere(model))) return end({ kind: 'full', waitMs })
    ahead.set(lane, place + 1)
    want(lane, tokens)
    return Math.min(waitMs, leftMs)
  }

  const pumpSoon = (): void => {
    if (isPumpDue) return
    isPumpDue = true
    queueMicrotask(pump)
  }

  const permits = createPermits({ lanes, clock, changed: pumpSoon })

  const unlimited = (key: ApiKey | 'none', model: string): Permit =>
    permits.grant(lanes.of(key, model), noTokens)

  const waitOf = (model: string): number => best(model, noTokens, clock())?.waitMs ?? 0

  /** Whether another model has room where this one has none: jobs that wait must leave places to the other's. */
  const isBeside = (model: string): boolean => {
    if (askedForAtMs.size < 2) return false
    const sinceMs = clock() - recentMs
    return [...askedForAtMs].some(([other, atMs]) => other !== model && atMs > sinceMs && waitOf(other) === 0)
  }

  const roomOfLast = (): number => {
    if (!lanes.isLimited || lastModel === null) return Number.POSITIVE_INFINITY
    const model = lastModel
    const nowMs = clock()
    const open = keys.inUse().map(key => lanes.of(key, model))
    // Kept away for long: let those that have come go on, or be parked.
    const blockedMs = open.map(lane => blockedIn(lane, nowMs))
    if (open.length === 0 || Math.min(...blockedMs) > shortWaitMs) return Number.POSITIVE_INFINITY
    // Those that have no turn here soon go on, as fast as the next provider takes them.
    if (goesElsewhere(model)) return Number.POSITIVE_INFINITY
    const spare = open.reduce(
      (sum, lane) => sum + Math.min(...lane.meters.map(({ purse }) => purse.spare(nowMs))),
      0,
    )
    if (isBeside(model)) return Math.max(0, Math.ceil(concurrency / 2) - waiters.length)
    const more = waitOf(model) > shortWaitMs ? spentRoom : 1
    return Math.max(0, spare + more - waiters.length - expected)
  }

  return {
    enter: (request, patienceMs, signal) => {
      const { model } = request
      if (!lanes.isLimited) {
        const key = keys.next()
        return Promise.resolve(key === null ? { kind: 'keyless' } : unlimited(key, model))
      }
      lastModel = model
      askedForAtMs.set(model, clock())
      if (signal.aborted) return Promise.resolve({ kind: 'interrupted' })
      return new Promise(resolve => {
        const waiter: Waiter = {
          model,
          tokens: permits.estimate(request),
          untilMs: clock() + (isBeside(model) ? Math.min(patienceMs, shortWaitMs) : patienceMs),
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
    expect: () => {
      if (!lanes.isLimited) return () => {}
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
    get room() {
      return roomOfLast()
    },
    hasOther: (key, model) => {
      const nowMs = clock()
      return keys
        .inUse()
        .some(other => other !== key && waitIn(lanes.of(other, model), noTokens, nowMs) < shortWaitMs)
    },
    onRoom: listener => {
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
