import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createRepeating } from '../lifecycle/repeating.ts'
import { createScriptRunner, defineScript } from '../redis/scripts.ts'
import { createSteadyTime, type Look } from './steady-time.ts'

/**
 * The one clock of a process, which shows the time of Redis: processes compare times that others wrote, and
 * hosts' clocks differ, step, and stand still. One node gives the time: the master, and in a Cluster the one
 * that has the clock's key.
 */
export interface Clock {
  /** Unix ms. */
  now(): number
  /** By how much that is ahead of what Redis's own clock shows: a replica that took over may be behind. */
  aheadMs(): number
  /**
   * Since when this process has known the time without a break or a step. A lease that ran out in such a
   * break may be renewed at this moment.
   */
  steadySinceMs(): number
  /** By how much the clock of this host is ahead of this one. */
  hostOffMs(): number
  start(): void
  stop(): void
}

const beatMs = 2_000
/** At the start the best of so many looks counts. */
const firstLooks = 5
/** Two beats further apart than a beat and this had Redis away between them, or this process. */
const gapMs = 2_000
/** Shorter steps of the time are not reported. */
const stepMs = 1_000
/** From here on a host's clock is reported as wrong, and again when it has moved by as much. */
const hostWrongMs = 5_000

/** It reads the time also where Redis takes no writes. */
export const timeScript = defineScript({
  lua: new URL('./lua/time.lua', import.meta.url),
  keys: 1,
  whenFull: 'refused',
})

interface Told extends Look {
  readonly aheadMs: number
}

const createAsk = (redis: Redis | Cluster, prefix: string): ((knownMs: number) => Promise<Told>) => {
  const run = createScriptRunner(redis)
  return async knownMs => {
    const askedAtMs = performance.now()
    const reply = await run(timeScript, [`${prefix}:{clock}`, String(knownMs)])
    const [timeMs, aheadMs] = reply as [string, string]
    const answeredAtMs = performance.now()
    return { askedAtMs, answeredAtMs, toldMs: Number(timeMs), aheadMs: Number(aheadMs) }
  }
}

/** The time, for who asks once. */
export const readTime = async (redis: Redis | Cluster, prefix: string): Promise<number> =>
  Math.floor((await createAsk(redis, prefix)(0)).toldMs)

/** Looks at the time of Redis before it resolves; a Redis that is away is waited for, as far as the connection does. */
export const createClock = async (
  redis: Redis | Cluster,
  prefix: string,
  log: Logger,
  monotonicMs = (): number => performance.now(),
): Promise<Clock> => {
  const ask = createAsk(redis, prefix)
  const looks: Told[] = []
  while (looks.length < firstLooks) looks.push(await ask(0))
  const tookMs = ({ askedAtMs, answeredAtMs }: Look): number => answeredAtMs - askedAtMs
  const best = looks.reduce((a, b) => (tookMs(b) < tookMs(a) ? b : a))
  const time = createSteadyTime(best, monotonicMs)
  let { aheadMs } = looks.at(-1)!
  let lastAnsweredAtMs = best.answeredAtMs
  let steadySinceMs = time.now()
  let hostOffToldMs = 0

  const hostOffMs = (): number => Date.now() - time.now()

  const watchHost = (): void => {
    const offMs = hostOffMs()
    if (Math.abs(offMs - hostOffToldMs) < hostWrongMs) return
    hostOffToldMs = offMs
    log.warn(
      { event: 'clock.host_ignored', offMs },
      'clock of this host differs from that of Redis, and is not used',
    )
  }

  const beat = async (): Promise<void> => {
    const look = await ask(time.now())
    aheadMs = look.aheadMs
    const movedMs = Math.round(time.correct(look))
    const hasStepped = Math.abs(movedMs) >= stepMs
    if (hasStepped) log.warn({ event: 'clock.stepped', movedMs }, 'clock of Redis stepped')
    if (hasStepped || look.answeredAtMs - lastAnsweredAtMs > beatMs + gapMs) steadySinceMs = time.now()
    lastAnsweredAtMs = look.answeredAtMs
    watchHost()
  }
  const beating = createRepeating('clock', beatMs, beat, log)

  watchHost()
  return {
    now: time.now,
    aheadMs: () => aheadMs,
    steadySinceMs: () => steadySinceMs,
    hostOffMs,
    start: beating.start,
    // Not waited for: a Redis that is away is asked for as long as there is a connection.
    stop: () => void beating.stop(),
  }
}

/** The time of Redis, looked at until the process stops. */
export const openClock = (
  life: Lifecycle,
  redis: Redis | Cluster,
  prefix: string,
  log: Logger,
): Promise<Clock> =>
  life.open(
    'clock',
    async () => {
      const clock = await createClock(redis, prefix, log)
      clock.start()
      return clock
    },
    clock => clock.stop(),
  )
