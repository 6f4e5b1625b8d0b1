import { setImmediate } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { Interrupt } from '../../src/domain/interrupt.ts'
import { type ApiKey, createKeyRing } from '../../src/health/key-ring.ts'
import { createAdmission } from '../../src/rate-limits/admission.ts'
import { createProviderLimits } from '../../src/rate-limits/key-model-limits.ts'
import { createLimitStore, type LimitStore, limiterName } from '../../src/rate-limits/limit-store.ts'
import type { HiddenLimit } from './hidden-limits.ts'
import { createSimulatedTime, type SimulatedTime, seededRandom } from './simulated-time.ts'

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

const ringOfOne = () => createKeyRing('first', ['k'], { unavailableKeyUntil: () => 0 } as never)

/** The calls to a provider, and the time they take on the network. */
const createCalls = (time: SimulatedTime) => {
  const random = seededRandom(1)
  const networkMs = (): number => 1 + 2 * random()
  const log: Call[] = []
  let inside = 0

  /** `answered` hears for how long the call was throttled, or null. */
  const arrive = (provider: SilentProvider, answered: (throttledForMs: number | null) => void): void => {
    const { limit, latencyMs, tellsRetryAfter } = provider
    const denial = limit.admit(time.now())
    const entry: Call = { atMs: time.now(), isServed: denial === null, endMs: Number.POSITIVE_INFINITY }
    log.push(entry)
    if (!denial) inside += 1
    const end = (): void => {
      entry.endMs = time.now()
      if (!denial) {
        inside -= 1
        limit.leave()
      }
      const toldMs = 1_000 * Math.max(1, Math.ceil((denial?.waitMs ?? 0) / 1_000))
      setTimeout(() => answered(denial && (tellsRetryAfter ? toldMs : untoldMs)), networkMs())
    }
    setTimeout(end, denial ? turnedAwayMs : latencyMs(inside))
  }
  return { log, arrive, networkMs }
}

interface ProcessParts {
  readonly instance: string
  readonly store: LimitStore
  /** Nobody subscribes with it: each process hears what it leases. */
  readonly redis: Redis
  readonly clock: () => number
  readonly calls: ReturnType<typeof createCalls>
  readonly provider: () => SilentProvider
}

/** A worker that takes as many of endless jobs as there is something to do for, and calls the provider for each. */
const openProcess = ({ instance, store, redis, clock, calls, provider }: ProcessParts) => {
  // A 429 takes the target out of order for a while; see `outlived` of the limits.
  const running = new Set<number>()
  let begun = 0
  let outOfOrderAt = 0
  const keys = ringOfOne()
  let changed = (): void => {}
  const findsConcurrency = true
  const limits = createProviderLimits({
    ...{
      provider: 'first',
      limits: {},
      findsConcurrency,
      keys,
      instance,
      clock,
      log,
      store,
      subscriber: redis,
    },
    outlived: () => [...running].filter(id => id < outOfOrderAt).length,
    changed: () => changed(),
  })
  const admission = createAdmission({
    ...{ limits, keys, concurrency: 10_000, findsConcurrency, clock },
    hasHealthyAlternative: () => false,
  })
  changed = admission.changed

  let isTaking = false
  const takeSoon = (): void => {
    if (isTaking) return
    isTaking = true
    setTimeout(take, calls.networkMs())
  }
  const take = (): void => {
    isTaking = false
    const count = Math.min(100, admission.intake)
    for (let i = 0; i < count; i++) void work(admission.reserve())
    if (count > 0) takeSoon()
  }
  const work = async (taken: () => void): Promise<void> => {
    const entry = await admission.enter(request, patienceMs, new Interrupt())
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
    setTimeout(() => calls.arrive(provider(), answered), calls.networkMs())
  }
  admission.onIntake(takeSoon)
  takeSoon()
  return {
    stop: async () => {
      admission.close()
      await limits.stop()
    },
  }
}

const figuresOf = (calls: readonly Call[], { limit }: SilentProvider, fromMs: number, toMs: number) => {
  const forMs = toMs - fromMs
  const begun = calls.filter(({ atMs }) => atMs >= fromMs)
  const served = calls.filter(({ isServed }) => isServed)
  const servedHere = served.filter(({ atMs }) => atMs >= fromMs).length
  const spentMs = served.reduce(
    (sum, { atMs, endMs }) => sum + Math.max(0, Math.min(endMs, toMs) - Math.max(atMs, fromMs)),
    0,
  )
  const meanUnderWay = spentMs / forMs
  const { allows } = limit
  return {
    used: 'rpm' in allows ? (servedHere * 60_000) / forMs / allows.rpm : meanUnderWay / allows.atOnce,
    turnedAway: 1 - servedHere / Math.max(1, begun.length),
    meanUnderWay,
  }
}

/**
 * A provider and the processes that call it, in simulated time: the admission, limiters and scripts of the product, with more
 * jobs than can be called.
 */
export const createSimulation = async (url: string, prefix: string, processes: number) => {
  const nowKey = `${prefix}:now`
  const redis = connect(url, nowKey)
  const inner = createLimitStore(redis, prefix)
  await redis.ping()
  const startMs = 1_700_000_000_000
  const time = createSimulatedTime(startMs)
  const clock = (): number => time.now() - startMs
  let leasing = 0
  const settle = async (): Promise<void> => {
    do await setImmediate()
    while (leasing > 0)
  }
  const lease: LimitStore['lease'] = (...args) => {
    leasing += 1
    void redis.set(nowKey, time.now())
    return inner.lease(...args).finally(() => {
      leasing -= 1
    })
  }
  const store = { ...inner, lease }
  const calls = createCalls(time)
  let provider: SilentProvider

  const record = async (): Promise<Pick<Figures, 'ceiling' | 'rate'>> => {
    const [key] = ringOfOne().inUse() as readonly ApiKey[]
    const name = limiterName('first', key!.fingerprint, request.model)
    return JSON.parse((await redis.hget(`${prefix}:{limits}:of:${name}`, 'concurrency'))!)
  }

  const opened: { stop(): Promise<void> }[] = []
  return {
    /** Lets so much time pass, with a provider that is like that from now on. */
    goOn: async (next: SilentProvider, forMs: number): Promise<Figures> => {
      provider = next
      for (let i = opened.length; i < processes; i++) {
        opened.push(openProcess({ instance: `w${i}`, store, redis, clock, calls, provider: () => provider }))
      }
      const fromMs = time.now()
      await time.runUntil(fromMs + forMs, settle)
      const { ceiling, rate } = await record()
      return { ...figuresOf(calls.log, next, fromMs, time.now()), ceiling, rate }
    },
    end: async (): Promise<void> => {
      await Promise.all(opened.map(({ stop }) => stop()))
      time.end()
      redis.disconnect()
    },
  }
}
