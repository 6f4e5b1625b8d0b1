import { setImmediate } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { Interrupt } from '../../src/domain/interrupt.ts'
import { createKeyRing } from '../../src/health/key-ring.ts'
import { type Admission, createAdmission } from '../../src/rate-limits/admission.ts'
import { createProviderLimits } from '../../src/rate-limits/key-model-limits.ts'
import { createLimitStore, limiterName } from '../../src/rate-limits/limit-store.ts'
import type { HiddenLimit } from './hidden-limits.ts'
import { createSimulatedTime, seededRandom } from './simulated-time.ts'

/** A provider that tells nothing of its limit but by 429s. */
export interface SilentProvider {
  readonly limit: HiddenLimit
  /** How long an answer takes when so many calls are under way. */
  readonly latencyMs: (underWay: number) => number
  /** Whether a 429 says how long to stay away. */
  readonly tellsRetryAfter: boolean
}

export interface Figures {
  /** The part of what the limit allows. */
  readonly used: number
  /** The part of the calls that were turned away. */
  readonly turnedAway: number
  readonly meanUnderWay: number
  readonly ceiling: number
  readonly rate: number | undefined
}

interface Call {
  readonly atMs: number
  readonly isServed: boolean
  endMs: number
}

/** Put before a script: it takes its time from a key, where it asks Redis for the time. */
const timeFrom = (key: string): string => `local server, redis = redis, {}
for name, value in pairs(server) do redis[name] = value end
redis.call = function(command, ...)
  if command ~= 'TIME' then return server.call(command, ...) end
  local ms = tonumber(server.call('GET', '${key}'))
  return { math.floor(ms / 1000), (ms % 1000) * 1000 }
end
`

/** Scripts of this connection run at the time of that key. */
const connect = (url: string, nowKey: string): Redis => {
  const redis = new Redis(url)
  const define = redis.defineCommand.bind(redis)
  redis.defineCommand = (name, definition) => {
    const [flags, ...lines] = definition.lua!.split('\n')
    define(name, { ...definition, lua: [flags, timeFrom(nowKey) + lines.join('\n')].join('\n') })
  }
  return redis
}

const turnedAwayMs = 5
const patienceMs = 15_000
/** What is waited for where a 429 does not say; see `defaultCoolingMs`. */
const untoldMs = 10_000
const request = { model: 'm', endpoint: '/v1/chat/completions', body: '{}' } as const
const log = pino({ level: 'silent' })

/**
 * A provider and the processes that call it, in simulated time: the admission, limiters and scripts of the product, with more
 * jobs than can be called.
 */
export const createSimulation = async (url: string, prefix: string, processes: number) => {
  const nowKey = `${prefix}:now`
  const redis = connect(url, nowKey)
  const store = createLimitStore(redis, prefix)
  await redis.ping()
  const time = createSimulatedTime(1_700_000_000_000)
  const startMs = time.now()
  const random = seededRandom(1)
  const networkMs = (): number => 1 + 2 * random()
  const clock = (): number => time.now() - startMs
  let leasing = 0
  const settle = async (): Promise<void> => {
    do await setImmediate()
    while (leasing > 0)
  }
  const lease: typeof store.lease = async (...args) => {
    leasing += 1
    void redis.set(nowKey, time.now())
    return store.lease(...args).finally(() => {
      leasing -= 1
    })
  }

  const calls: Call[] = []
  let inside = 0
  let provider: SilentProvider

  /** Makes a call; `answered` hears for how long it was throttled, or null. */
  const call = (answered: (throttledForMs: number | null) => void): void => {
    const { limit, latencyMs, tellsRetryAfter } = provider
    const denial = limit.admit(time.now())
    const entry: Call = { atMs: time.now(), isServed: denial === null, endMs: Number.POSITIVE_INFINITY }
    calls.push(entry)
    if (!denial) inside += 1
    const end = (): void => {
      entry.endMs = time.now()
      if (!denial) {
        inside -= 1
        limit.leave()
      }
      const forMs =
        tellsRetryAfter && denial ? 1_000 * Math.max(1, Math.ceil(denial.waitMs / 1_000)) : untoldMs
      setTimeout(() => answered(denial && forMs), networkMs())
    }
    setTimeout(end, denial ? turnedAwayMs : latencyMs(inside))
  }

  const openProcess = (instance: string) => {
    // A 429 takes the target out of order for a while; see `outlived` of the limits.
    const running = new Set<number>()
    let begun = 0
    let outOfOrderAt = 0
    const keys = createKeyRing('first', ['k'], { unavailableKeyUntil: () => 0 } as never)
    let admission: Admission | null = null
    const findsConcurrency = true
    const limits = createProviderLimits({
      ...{ provider: 'first', limits: {}, findsConcurrency, keys, instance, clock, log },
      outlived: () => [...running].filter(id => id < outOfOrderAt).length,
      store: { ...store, lease },
      subscriber: redis, // nobody subscribes: each process hears what it leases
      changed: () => admission?.changed(),
    })
    const opened = createAdmission({
      ...{ limits, keys, concurrency: 10_000, findsConcurrency, clock },
      hasHealthyAlternative: () => false,
    })
    admission = opened
    let isTaking = false
    const takeSoon = (): void => {
      if (isTaking) return
      isTaking = true
      setTimeout(take, networkMs())
    }
    const take = (): void => {
      isTaking = false
      const count = Math.min(100, opened.intake)
      for (let i = 0; i < count; i++) void work(opened.reserve())
      if (count > 0) takeSoon()
    }
    const work = async (taken: () => void): Promise<void> => {
      const entry = await opened.enter(request, patienceMs, new Interrupt())
      taken()
      if (entry.kind !== 'permit') return takeSoon()
      const id = begun++
      running.add(id)
      const answered = (throttledForMs: number | null): void => {
        running.delete(id)
        if (throttledForMs !== null) outOfOrderAt = begun
        const outcome = { reported: null, succeeded: throttledForMs === null, overloaded: false }
        void entry.settle({ ...outcome, throttledForMs, tokens: 0, outputTokens: null })
        takeSoon()
      }
      setTimeout(() => call(answered), networkMs())
    }
    opened.onIntake(takeSoon)
    takeSoon()
    return {
      stop: async () => {
        opened.close()
        await limits.stop()
      },
    }
  }

  const record = async () => {
    const fingerprint = createKeyRing('first', ['k'], { unavailableKeyUntil: () => 0 } as never).inUse()[0]!
    const name = limiterName('first', (fingerprint as { fingerprint: string }).fingerprint, request.model)
    return JSON.parse((await redis.hget(`${prefix}:{limits}:of:${name}`, 'concurrency'))!)
  }

  const figures = async (fromMs: number): Promise<Figures> => {
    const forMs = time.now() - fromMs
    const begun = calls.filter(({ atMs }) => atMs >= fromMs)
    const served = calls.filter(({ isServed }) => isServed)
    const servedHere = served.filter(({ atMs }) => atMs >= fromMs).length
    const meanUnderWay =
      served.reduce(
        (sum, { atMs, endMs }) => sum + Math.max(0, Math.min(endMs, time.now()) - Math.max(atMs, fromMs)),
        0,
      ) / forMs
    const { allows } = provider.limit
    const { ceiling, rate } = await record()
    return {
      used: 'rpm' in allows ? (servedHere * 60_000) / forMs / allows.rpm : meanUnderWay / allows.atOnce,
      turnedAway: 1 - servedHere / Math.max(1, begun.length),
      ...{ meanUnderWay, ceiling, rate },
    }
  }

  const opened: { stop(): Promise<void> }[] = []
  return {
    time,
    startMs,
    calls,
    record,
    /** Lets so much time pass, with a provider that is like that from now on. */
    goOn: async (next: SilentProvider, forMs: number): Promise<Figures> => {
      provider = next
      for (let i = opened.length; i < processes; i++) opened.push(openProcess(`w${i}`))
      const fromMs = time.now()
      await time.runUntil(fromMs + forMs, settle)
      return figures(fromMs)
    },
    end: async (): Promise<void> => {
      await Promise.all(opened.map(({ stop }) => stop()))
      time.end()
      redis.disconnect()
    },
  }
}
