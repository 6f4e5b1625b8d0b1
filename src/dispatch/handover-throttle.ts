import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Circuit, circuitOf } from '../domain/circuit.ts'
import { measuredOf } from '../domain/kept-target.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { anyModel } from '../domain/routing/wildcards.ts'
import type { Circuits } from '../health/circuits.ts'
import type { WorkerHeartbeat } from '../health/heartbeats.ts'
import { modelsAt, type Route } from './routes.ts'

/**
 * Lets jobs leave a provider that is out of use only as fast as the next one takes them. Otherwise a queue of
 * a hundred thousand jobs would move in seconds, and be in the wrong queue when the provider is back.
 */
export interface HandoverThrottle {
  /** Whether a provider's queue can take one more job; if so, counts it. Never waits. */
  tryAcquire(provider: string): boolean
  /**
   * Resolves when that queue is short again, or a few looks later. All who wait for it go on in one turn of the event loop, and so
   * travel together; each by a timer of its own they would cost twice as much.
   */
  whenRoom(provider: string): Promise<void>
}

export interface HandoverThrottleOptions {
  /** The provider that jobs leave. */
  readonly from: string
  /** Jobs that wait in a provider's queue. */
  readonly waiting: (provider: string) => Promise<number>
  readonly workers: () => Promise<readonly WorkerHeartbeat[]>
  readonly log: Logger
  readonly now: () => number
}

/**
 * Jobs that may wait for each slot of the next provider's workers: enough to keep them busy until the next
 * look.
 */
const waitingPerPlace = 4
/** The least for a provider with few slots, or whose workers are not known. */
const leastWaiting = 50
/** Before the first look. */
const atOnce = 10
const lookEveryMs = 50
/** Whoever waits for room looks up after these: its own target may be back. */
const mostLooks = 3
const countEveryMs = 2_000

export interface CooldownDeps {
  readonly routes: ReadonlyMap<string, Pick<Route, 'targets'>>
  /** Unix ms until which a cooldown keeps a target from being called, apart from any circuit; 0 for now. */
  readonly suspendedUntil: (target: RouteTarget) => number
  readonly now: () => number
}

/** Providers that throttle by the second, or for less, ask for waits of this length. */
const shortCoolingMs = 2_000

/**
 * True when a job should wait out a cooldown in its slot instead of handing over: the cooldown is short, or
 * the provider serves only this model, so that no job queues behind it. Handed over all at once, the jobs
 * would storm the next target and be in the wrong queue a moment later.
 */
export const shouldWaitOut = (
  provider: string,
  { routes, suspendedUntil, now }: CooldownDeps,
): ((target: RouteTarget) => boolean) => {
  const models = modelsAt(routes, provider)
  return target => {
    const leftMs = suspendedUntil(target) - now()
    return leftMs > 0 && (leftMs <= shortCoolingMs || (models.length === 1 && models[0] !== anyModel))
  }
}

export interface AlternativeDeps extends CooldownDeps {
  readonly circuits: Pick<Circuits, 'of'>
}

/**
 * Whether some route of a provider's model leads to another provider as well, one that takes all of its
 * traffic now. Only looks: asked where jobs are sent (`Circuits.sendsAt`), each look would use up a job's
 * turn to probe that provider.
 */
export const healthyAlternativeTo = (
  provider: string,
  { routes, suspendedUntil, circuits, now }: AlternativeDeps,
): ((model: string) => boolean) => {
  const others = new Map<string, RouteTarget[]>()
  for (const { targets } of routes.values()) {
    const elsewhere = targets.filter(target => target.provider !== provider)
    for (const { model } of targets.filter(target => target.provider === provider).map(measuredOf))
      others.set(model, [...(others.get(model) ?? []), ...elsewhere])
  }
  const isHealthy = (circuit: Circuit): boolean => circuit.state === 'healthy' && circuit.pausedAtMs === 0
  const takesAll = (target: RouteTarget): boolean =>
    suspendedUntil(target) <= now() &&
    isHealthy(circuits.of(target.provider)) &&
    isHealthy(circuits.of(circuitOf(target)))
  return model => (others.get(model) ?? others.get(anyModel))?.some(takesAll) ?? false
}

interface Room {
  left: number
  lookedAtMs: number
  looking: boolean
  watch: Promise<void> | null
}

export const createHandoverThrottle = (options: HandoverThrottleOptions): HandoverThrottle => {
  const { from, waiting, workers, log, now } = options
  const rooms = new Map<string, Room>()
  let counted: readonly WorkerHeartbeat[] = []
  let countedAtMs = 0

  const count = async (): Promise<void> => {
    if (now() - countedAtMs < countEveryMs) return
    counted = await workers()
    countedAtMs = now()
  }

  const look = async (provider: string, room: Room): Promise<void> => {
    room.looking = true
    try {
      const [queued] = await Promise.all([waiting(provider), count()])
      const places = counted.filter(w => w.provider === provider).reduce((sum, w) => sum + w.concurrency, 0)
      const leaving = Math.max(1, counted.filter(w => w.provider === from).length)
      const most = Math.max(places * waitingPerPlace, leastWaiting)
      // Each of the workers that jobs leave from looks for itself, so each takes its part.
      room.left = Math.max(0, Math.ceil((most - queued) / leaving))
    } catch (error) {
      log.debug({ event: 'queue.depth_failed', err: error, provider }, 'queue depth not read')
    } finally {
      room.lookedAtMs = now()
      room.looking = false
    }
  }

  const roomAt = (provider: string): Room => {
    const room = rooms.get(provider) ?? { left: atOnce, lookedAtMs: 0, looking: false, watch: null }
    rooms.set(provider, room)
    return room
  }

  const watch = async (provider: string, room: Room): Promise<void> => {
    for (let looks = 0; looks < mostLooks && room.left <= 0; looks++) {
      await delay(Math.max(0, room.lookedAtMs + lookEveryMs - now()))
      if (!room.looking) await look(provider, room)
    }
  }

  return {
    whenRoom: provider => {
      const room = roomAt(provider)
      room.watch ??= watch(provider, room).finally(() => {
        room.watch = null
      })
      return room.watch
    },
    tryAcquire: provider => {
      const room = roomAt(provider)
      const isOld = now() - room.lookedAtMs >= lookEveryMs
      if (isOld && !room.looking) void look(provider, room)
      if (room.left <= 0) return false
      room.left -= 1
      return true
    },
  }
}
