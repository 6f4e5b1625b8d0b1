import { type BreakerTerms, createReceiverBreaker, type ReceiverBreaker } from './receiver-breaker.ts'
import type { DeliveryOutcome } from './send.ts'

/** Whom a delivery goes to, and whose it is. */
export interface Visit {
  readonly origin: string
  readonly tenant: string
  /** The event's id: an event that failed twice counts as one failure. */
  readonly id: string
}

export interface Entered {
  readonly kind: 'entered'
  leave(outcome: DeliveryOutcome | null): void
}

/** `held`: it is to come back then. `down`: as the receiver has failed for others. */
export type ReceiverAdmission =
  | Entered
  | { readonly kind: 'held'; readonly dueAtMs: number; readonly down: boolean }

/**
 * Shares the slots of a worker among receivers and tenants, so that one that hangs delays no other's
 * webhooks. A delivery without a slot waits here for some milliseconds while others of its receiver get on,
 * else in the schedule.
 */
export interface Receivers {
  enter(visit: Visit): Promise<ReceiverAdmission>
  /** Deliveries under way for so long that they only wait. */
  hanging(): number
  /** Takes over what another process has learned. */
  shut(origin: string, untilMs: number): void
  /** Forgets receivers that get no deliveries any more. To be called now and then. */
  tidy(): void
}

export interface ReceiversOptions {
  readonly places: number
  readonly breaker: BreakerTerms
  readonly now: () => number
  readonly random: () => number
  /** A receiver was found to take nothing until then. */
  readonly onShut?: (origin: string, untilMs: number) => void
}

/** Deliveries to a receiver without progress for this long do not wait in a slot. */
const stalledMs = 250
/** Nor where it would take longer than this. */
const longestWaitMs = 100
const hangingMs = 1_000
/** An answer within this lets a receiver have one more delivery at a time. */
const quickMs = 1_000
/** Longer than a sweeper has an entry of the schedule, which it takes off when it has rung it: not one that was put back meanwhile. */
const shortestHoldMs = 2_000
const longestHoldMs = 60_000
/** A receiver that was full for a moment has its deliveries back soon, one that stays full is asked ever less often. */
const holdPerFullMs = 4
const forgetAfterMs = 600_000

/** How many deliveries may be under way, and are. */
interface Capacity {
  taken: number
  /** When something last got on, by a time without steps. */
  movedAtMs: number
}

interface Receiver extends Capacity {
  readonly breaker: ReceiverBreaker
  /** Deliveries that it is given at once: more with each quick answer, few again when one fails. */
  window: number
  /** How its last delivery went. */
  standing: 'new' | 'well' | 'failing'
  /** What a delivery takes of late. */
  usualMs: number
  waiting: number
  /** When the last that was held comes back. */
  heldUntilMs: number
  /** Since when deliveries have always been waiting for a slot; null for a receiver that keeps up. */
  fullSinceMs: number | null
  usedAtMs: number
}

export const createReceivers = (options: ReceiversOptions): Receivers => {
  const { places, now, random } = options
  const firstWindow = Math.max(1, Math.ceil(places * 0.1))
  const doubtfulPlaces = Math.max(2, Math.floor(places * 0.2))
  const receivers = new Map<string, Receiver>()
  /** By tenant: the deliveries to new and failing receivers, which must not crowd out the others. */
  const doubtful = new Map<string, Capacity>()
  const waiting = new Set<() => void>()
  const underWay = new Set<{ readonly atMs: number }>()

  const receiverOf = (origin: string): Receiver => {
    const receiver = receivers.get(origin) ?? {
      ...{ taken: 0, movedAtMs: 0, window: firstWindow },
      ...{ usualMs: 0, waiting: 0, heldUntilMs: 0, fullSinceMs: null, usedAtMs: 0 },
      breaker: createReceiverBreaker(options.breaker),
      standing: 'new' as const,
    }
    receivers.set(origin, receiver)
    receiver.usedAtMs = now()
    return receiver
  }
  /** Null for a receiver that is well. */
  const doubtfulOf = (tenant: string, { standing }: Receiver): Capacity | null => {
    if (standing === 'well') return null
    const key = `${standing} ${tenant}`
    const lane = doubtful.get(key) ?? { taken: 0, movedAtMs: 0 }
    doubtful.set(key, lane)
    return lane
  }

  /** The lane that is full, or null. */
  const fullLane = (receiver: Receiver, tenant: string): Capacity | null => {
    const most = receiver.breaker.isProbing(now()) ? 1 : receiver.window
    if (receiver.taken >= most) return receiver
    const lane = doubtfulOf(tenant, receiver)
    return lane !== null && lane.taken >= doubtfulPlaces ? lane : null
  }

  const begin = ({ origin, id, tenant }: Visit, receiver: Receiver): Entered => {
    const started = { atMs: performance.now() }
    const lanes: Capacity[] = [receiver]
    const doubts = doubtfulOf(tenant, receiver)
    if (doubts !== null) lanes.push(doubts)
    for (const lane of lanes) {
      if (lane.taken === 0) lane.movedAtMs = started.atMs
      lane.taken += 1
    }
    underWay.add(started)
    return {
      kind: 'entered',
      leave: outcome => {
        underWay.delete(started)
        const tookMs = performance.now() - started.atMs
        for (const lane of lanes) {
          lane.taken -= 1
          if (tookMs < quickMs) lane.movedAtMs = performance.now()
        }
        // A stop of ours says nothing of it.
        if (outcome !== null && (outcome.delivered || outcome.reason !== 'aborted'))
          learn(origin, id, receiver, outcome, tookMs)
        for (const look of [...waiting]) look()
      },
    }
  }

  const learn = (
    origin: string,
    id: string,
    receiver: Receiver,
    outcome: DeliveryOutcome,
    tookMs: number,
  ): void => {
    const opened = receiver.breaker.learn(id, outcome, now())
    if (opened) options.onShut?.(origin, receiver.breaker.shutUntil(now()))
    receiver.usualMs = receiver.usualMs === 0 ? tookMs : receiver.usualMs * 0.8 + tookMs * 0.2
    receiver.standing = outcome.delivered ? 'well' : 'failing'
    const isWell = outcome.delivered && tookMs < quickMs
    receiver.window = isWell ? Math.min(receiver.window + 1, places) : firstWindow
  }

  /** Those that are held come back one after the other, as fast as the receiver takes them, but none much later than it can be. */
  const hold = (receiver: Receiver, fromMs: number, down: boolean): ReceiverAdmission => {
    const earliestMs = Math.max(now() + shortestHoldMs, fromMs)
    receiver.fullSinceMs ??= now()
    const fullForMs = now() - receiver.fullSinceMs
    const mostMs = down ? longestHoldMs : Math.min(longestHoldMs, shortestHoldMs + holdPerFullMs * fullForMs)
    const slotMs = Math.max(earliestMs, receiver.heldUntilMs + receiver.usualMs / receiver.window)
    receiver.heldUntilMs = Math.min(slotMs, earliestMs + mostMs)
    const dueAtMs = Math.round(Math.min(slotMs, earliestMs + mostMs * random()))
    return { kind: 'held', dueAtMs, down }
  }

  const tryEnter = (visit: Visit): ReceiverAdmission | 'wait' => {
    const receiver = receiverOf(visit.origin)
    const shutMs = receiver.breaker.shutUntil(now())
    if (shutMs > 0) return hold(receiver, shutMs, true)
    const full = fullLane(receiver, visit.tenant)
    if (full === null) {
      if (receiver.heldUntilMs <= now()) receiver.fullSinceMs = null
      return begin(visit, receiver)
    }
    const isStalled = performance.now() - full.movedAtMs >= stalledMs
    const isLong = (receiver.usualMs * (receiver.waiting + 1)) / receiver.window > longestWaitMs
    return isStalled || isLong ? hold(receiver, 0, receiver.breaker.isProbing(now())) : 'wait'
  }

  const wait = (visit: Visit): Promise<ReceiverAdmission> =>
    new Promise(resolve => {
      const receiver = receiverOf(visit.origin)
      receiver.waiting += 1
      const look = (): void => {
        receiver.waiting -= 1
        const admission = tryEnter(visit)
        if (admission === 'wait') {
          receiver.waiting += 1
          return
        }
        clearInterval(timer)
        waiting.delete(look)
        resolve(admission)
      }
      waiting.add(look)
      const timer = setInterval(look, stalledMs)
    })

  return {
    enter: async visit => {
      const admission = tryEnter(visit)
      return admission === 'wait' ? wait(visit) : admission
    },
    hanging: () => {
      const before = performance.now() - hangingMs
      let count = 0
      for (const { atMs } of underWay) if (atMs <= before) count += 1
      return count
    },
    shut: (origin, untilMs) => receiverOf(origin).breaker.open(untilMs),
    tidy: () => {
      for (const [origin, { taken, usedAtMs }] of receivers)
        if (taken === 0 && usedAtMs + forgetAfterMs < now()) receivers.delete(origin)
      for (const [key, { taken }] of doubtful) if (taken === 0) doubtful.delete(key)
    },
  }
}
