import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import {
  type Circuit,
  healthyCircuit,
  isProbeDue,
  lookAgainMs,
  partsOfCircuit,
  shutUntil,
  takesShare,
} from '../domain/circuit.ts'
import { createRepeating } from '../lifecycle/repeating.ts'
import { subscribeTo } from '../redis/connect.ts'
import { type CircuitStore, circuitChannel } from './circuit-store.ts'

/** Every provider's circuit, read from memory: pushed by Redis, and read again now and then. */
export interface Circuits {
  start(): Promise<void>
  stop(): Promise<void>
  of(provider: string): Circuit
  /** Of the models of a provider, those that are not healthy. */
  outOf(provider: string): readonly Circuit[]
  /**
   * Unix ms from which a job may be sent to a provider; 0 for now. While the provider recovers this draws
   * lots: only a share of the jobs is sent. While a probe is due, one job is sent now and then.
   */
  sendsAt(provider: string): number
  /** Takes over what a script answered, when it is newer. */
  learn(circuit: Circuit): void
  /** Called at each change of state or share. Returns what ends that. */
  onChange(listener: (circuit: Circuit) => void): () => void
}

/** A message that was lost is made up for within this. */
const readAgainMs = 2_000

export interface CircuitsOptions {
  readonly store: CircuitStore
  readonly subscriber: Redis
  readonly prefix: string
  /** Whether a health check probes a provider, so that no job has to. */
  readonly isChecked: (provider: string) => boolean
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

export const createCircuits = (options: CircuitsOptions): Circuits => {
  const { store, subscriber, prefix, log, now, random } = options
  const channel = circuitChannel(prefix)
  const known = new Map<string, Circuit>()
  const learnedAtMs = new Map<string, number>()
  const candidateAtMs = new Map<string, number>()
  const listeners = new Set<(circuit: Circuit) => void>()

  const blank = new Map<string, Circuit>()
  const blankOf = (provider: string): Circuit => {
    const circuit = healthyCircuit(provider)
    blank.set(provider, circuit)
    return circuit
  }
  const of = (provider: string): Circuit => known.get(provider) ?? blank.get(provider) ?? blankOf(provider)

  const take = (circuit: Circuit): void => {
    const before = of(circuit.provider)
    known.set(circuit.provider, circuit)
    learnedAtMs.set(circuit.provider, now())
    const { provider, state, share, reason, untilMs, owner } = circuit
    const paused = circuit.pausedAtMs > 0
    const isNews = before.state !== state || before.share !== share || before.pausedAtMs > 0 !== paused
    if (!isNews) return
    log[state === 'down' || paused ? 'warn' : 'info'](
      {
        event: 'provider.state_changed',
        ...partsOfCircuit(provider),
        state: paused ? 'paused' : state,
        share,
        reason,
        untilMs,
        owner,
      },
      'provider changed state',
    )
    for (const listener of listeners) listener(circuit)
  }
  const learn = (circuit: Circuit): void => {
    if (circuit.seq > of(circuit.provider).seq) take(circuit)
  }

  const load = async (): Promise<void> => {
    const askedAtMs = now()
    const circuits = await store.readAll()
    circuits.forEach(learn)
    // A Redis that lost its data has no circuit for a provider. What was learned while it answered is newer.
    const names = new Set(circuits.map(circuit => circuit.provider))
    for (const name of known.keys()) {
      if (!names.has(name) && learnedAtMs.get(name)! < askedAtMs) take(healthyCircuit(name))
    }
  }
  const reading = createRepeating('health', readAgainMs, load, log)

  const onNews = (text: string): void => learn(JSON.parse(text) as Circuit)
  let unsubscribe = (): void => undefined
  const onReady = (): void =>
    void load().catch(error => log.warn({ event: 'circuits.read_failed', err: error }, 'circuits not read'))

  const sendsAt = (provider: string): number => {
    const circuit = known.get(provider)
    if (circuit === undefined) return 0
    const nowMs = now()
    const shutMs = shutUntil(circuit, nowMs)
    if (shutMs > 0) return shutMs
    if (takesShare(circuit)) return random() < circuit.share ? 0 : nowMs + lookAgainMs
    if (!isProbeDue(circuit, nowMs)) return 0
    if (options.isChecked(provider)) return nowMs + lookAgainMs
    // The first of these jobs to reach a worker is the probe; more would only be turned away.
    const nextMs = (candidateAtMs.get(provider) ?? 0) + lookAgainMs
    if (nextMs > nowMs) return nextMs
    candidateAtMs.set(provider, nowMs)
    return 0
  }

  return {
    start: async () => {
      subscriber.on('ready', onReady)
      unsubscribe = await subscribeTo(subscriber, channel, onNews)
      await load()
      reading.start()
    },
    stop: async () => {
      unsubscribe()
      subscriber.off('ready', onReady)
      await reading.stop()
    },
    of,
    outOf: provider =>
      [...known.values()].filter(
        ({ provider: name, state }) => state !== 'healthy' && name.startsWith(`${provider}/`),
      ),
    sendsAt,
    learn,
    onChange: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
