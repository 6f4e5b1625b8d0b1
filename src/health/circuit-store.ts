import type { Cluster, Redis } from 'ioredis'
import { type Circuit, partsOfCircuit } from '../domain/circuit.ts'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import { createScriptRunner, defineScript, type Script } from '../redis/scripts.ts'
import type { HealthOutcome } from './local-breaker.ts'

/** What one process saw of a provider since its last report. */
export interface CallReport {
  /** The circuit's era when these calls began; see `Circuit.era`. */
  readonly era: number
  readonly ok: number
  readonly failed: number
  /** Failures since the last success, or since the last report. Those cut off in one moment are one. */
  readonly run: number
  /**
   * Where the run is nothing but connections that were cut in one moment: when the first of these calls
   * began. Else 0.
   */
  readonly cutFromMs: number
  /** The reason of the last failure. */
  readonly reason: string
  /** Names the process. */
  readonly by: string
  /**
   * Unix ms at which calls began to fail here, where the process's own breaker has opened upon that. Else 0.
   */
  readonly trippedSinceMs: number
  /** How many response times this report covers, and the longest of them, in ms. */
  readonly answers: number
  readonly longest: readonly number[]
  /** Whether a call was answered that began before the circuit was slow. */
  readonly late: boolean
}

/** Who paused a provider, and why. */
export interface PausedBy {
  readonly by?: string
  readonly note?: string
}

/** The circuits in Redis: the truth, and the only place where a state changes. */
export interface CircuitStore {
  readAll(): Promise<readonly Circuit[]>
  /** Answers the circuit when it is not the one of `knownSeq`. */
  report(provider: string, terms: CircuitTerms, tally: CallReport, knownSeq: number): Promise<Circuit | null>
  /** Leaves it alone until then, as it throttled: it comes back in steps. */
  leaveAlone(provider: string, terms: CircuitTerms, untilMs: number, reason: string): Promise<Circuit>
  /**
   * Reports how long the oldest calls of that era have been under way, longest first. Answers after how long
   * a call is overdue; 0 while no usual duration is known.
   */
  overdue(
    provider: string,
    terms: CircuitTerms,
    era: number,
    by: string,
    agesMs: readonly number[],
  ): Promise<{ limitMs: number; circuit: Circuit }>
  /** Takes the one probe of the cluster when it is due. */
  lease(provider: string, owner: string, leaseMs: number): Promise<{ taken: boolean; circuit: Circuit }>
  /** Keeps the lease of that era for longer, if it is still held. */
  renew(provider: string, owner: string, leaseMs: number, era: number): Promise<Circuit>
  /** What the probe of that era showed. */
  conclude(
    provider: string,
    terms: CircuitTerms,
    era: number,
    outcome: HealthOutcome,
    reason: string,
  ): Promise<Circuit>
  /** Asks for the one check of an interval; it is granted where no call shows the provider's health. */
  takeCheck(
    provider: string,
    terms: CircuitTerms,
    intervalMs: number,
  ): Promise<{ taken: boolean; nextAtMs: number; circuit: Circuit }>
  /** Opens a provider that failed its check, unless it was called since `sinceMs`, when the check began. */
  openByCheck(
    provider: string,
    terms: CircuitTerms,
    era: number,
    reason: string,
    sinceMs: number,
  ): Promise<Circuit>
  /** Remembers that a provider has a list of models. */
  markListed(provider: string): Promise<Circuit>
  /** `who`: who pauses it, and why, for others to read. */
  pause(provider: string, paused: boolean, who?: PausedBy): Promise<Circuit>
  /** The last changes of a provider and of its models, newest first. */
  events(provider: string): Promise<readonly Circuit[]>
}

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)
const onCircuit = { keys: 3, whenFull: 'runs' } as const

export const circuitScripts = {
  report: defineScript({ ...onCircuit, lua: lua('report') }),
  cool: defineScript({ ...onCircuit, lua: lua('cool') }),
  overdue: defineScript({ ...onCircuit, lua: lua('overdue') }),
  lease: defineScript({ ...onCircuit, lua: lua('lease') }),
  verdict: defineScript({ ...onCircuit, lua: lua('verdict') }),
  check: defineScript({ ...onCircuit, lua: lua('check') }),
  condemn: defineScript({ ...onCircuit, lua: lua('condemn') }),
  listed: defineScript({ ...onCircuit, lua: lua('listed') }),
  pause: defineScript({ ...onCircuit, lua: lua('pause') }),
} as const

export const circuitChannel = (prefix: string): string => `${prefix}:health:circuits`

const parse = (text: unknown): Circuit => JSON.parse(text as string) as Circuit

export const createCircuitStore = (
  redis: Redis | Cluster,
  prefix: string,
  now: () => number,
): CircuitStore => {
  const circuits = `${prefix}:{health}:circuits`
  const windows = `${prefix}:{health}:windows`
  const eventsOf = (provider: string): string => `${prefix}:{health}:events:${provider}`
  const runScript = createScriptRunner(redis)
  const run = (script: Script, provider: string, ...args: (string | number)[]): Promise<unknown> =>
    runScript(script, [
      circuits,
      windows,
      eventsOf(partsOfCircuit(provider).provider),
      provider,
      Math.round(now()),
      circuitChannel(prefix),
      ...args,
    ])

  return {
    readAll: async () => Object.values(await redis.hgetall(circuits)).map(parse),
    report: async (provider, terms, tally, knownSeq) => {
      const reply = await run(
        circuitScripts.report,
        provider,
        JSON.stringify(terms),
        JSON.stringify(tally),
        knownSeq,
      )
      return reply === null ? null : parse(reply)
    },
    leaveAlone: async (provider, terms, untilMs, reason) =>
      parse(await run(circuitScripts.cool, provider, JSON.stringify(terms), Math.round(untilMs), reason)),
    overdue: async (provider, terms, era, by, agesMs) => {
      const reply = await run(
        circuitScripts.overdue,
        provider,
        JSON.stringify(terms),
        era,
        by,
        JSON.stringify(agesMs),
      )
      const [limitMs, text] = reply as [number, string]
      return { limitMs, circuit: parse(text) }
    },
    lease: async (provider, owner, leaseMs) => {
      const [taken, text] = (await run(circuitScripts.lease, provider, owner, leaseMs, 0)) as [number, string]
      return { taken: taken === 1, circuit: parse(text) }
    },
    renew: async (provider, owner, leaseMs, era) => {
      const [, text] = (await run(circuitScripts.lease, provider, owner, leaseMs, era)) as [number, string]
      return parse(text)
    },
    conclude: async (provider, terms, era, outcome, reason) =>
      parse(await run(circuitScripts.verdict, provider, JSON.stringify(terms), era, outcome, reason)),
    takeCheck: async (provider, terms, intervalMs) => {
      const reply = await run(circuitScripts.check, provider, JSON.stringify(terms), intervalMs)
      const [taken, nextAtMs, text] = reply as [number, number, string]
      return { taken: taken === 1, nextAtMs, circuit: parse(text) }
    },
    openByCheck: async (provider, terms, era, reason, sinceMs) =>
      parse(await run(circuitScripts.condemn, provider, JSON.stringify(terms), era, reason, sinceMs)),
    markListed: async provider => parse(await run(circuitScripts.listed, provider)),
    pause: async (provider, paused, who = {}) =>
      parse(await run(circuitScripts.pause, provider, paused ? 1 : 0, JSON.stringify(paused ? who : {}))),
    events: async provider => (await redis.lrange(eventsOf(provider), 0, -1)).map(parse),
  }
}
