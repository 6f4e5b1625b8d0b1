import type { Random } from '../random.ts'
import { type Member, members } from './processes.ts'
import { providers } from './routes.ts'
import { createTimetable, timeAt } from './timetable.ts'

/** What befalls whom. Each ends by itself after `forMs`; for a process that died that is when it is started again. */
export const faultKinds = [
  'kill', // kill -9
  'stop', // SIGTERM
  'freeze', // SIGSTOP for longer than a lock, then SIGCONT
  'clock-ahead', // the clock of a process's host is set ten minutes forward, and back
  'clock-behind', // ten minutes back, and forward
  'redis-kill', // kill -9
  'redis-pause', // SIGSTOP, then SIGCONT
  'redis-full', // filled to its maxmemory, which nobody lifts: what is new is refused, what was accepted ends
  'redis-disk-full', // the log cannot grow: writes are answered -MISCONF
  'redis-failover', // the master is killed and a replica takes over
  'redis-half-open', // one process's connections to Redis go silent, and are reset in the end
  'provider-errors', // 500 for every call
  'provider-down', // connections are refused
  'provider-throttle', // 429 for every call
  'provider-hang', // calls are taken and never answered
  'provider-half-open', // connections go silent, and are reset in the end
  'receiver-down', // connections are refused
  'receiver-errors', // 500 for every delivery
  'receiver-hang', // connections to one of the receivers go silent, and are reset in the end
  'name-server-silent', // names of receivers are asked for, and nobody answers
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface PlannedFault {
  readonly kind: FaultKind
  /** The name of a process or provider, `redis`, `receiver`, `hanging receiver` or `name server`. */
  readonly target: string
  readonly atMs: number
  readonly forMs: number
}

export interface FaultPlanOptions {
  readonly kills: number
  readonly durationMs: number
  /** What can be done to the Redis of this run, on this machine. */
  readonly possible: readonly FaultKind[]
  /** How long a silent process keeps its jobs. */
  readonly lockMs: number
}

const processNames = (role?: Member['role']): string[] =>
  members.filter(member => role === undefined || member.role === role).map(({ name }) => name)

interface Habit {
  readonly targets: readonly string[]
  readonly forMs: readonly [least: number, most: number]
}

/**
 * A webhook that failed is tried again after 5 s, and then only after 5 min: what ails the receiver must be over
 * in less than 4 s (5 s less the jitter), and not come again soon.
 */
const receiverPauseMs = 15_000
/** Between two faults of any other target. */
const pauseMs = 1_500

const habitsOf = (lockMs: number): Readonly<Record<FaultKind, Habit>> => {
  const processes = processNames()
  const outage = [2_000, 6_000] as const
  return {
    kill: { targets: processes, forMs: [200, 1_500] },
    stop: { targets: processes, forMs: [200, 1_000] },
    // A provider's worker that wakes with a result of a job that others have ended by then is what fences are for.
    freeze: {
      targets: [...processes, ...processNames('provider'), ...processNames('provider')],
      forMs: [lockMs + 1_500, lockMs + 4_000],
    },
    'clock-ahead': { targets: processes, forMs: [1_000, lockMs + 2_000] },
    'clock-behind': { targets: processes, forMs: [1_000, lockMs + 2_000] },
    'redis-kill': { targets: ['redis'], forMs: [200, 2_500] },
    'redis-pause': { targets: ['redis'], forMs: [1_000, 4_500] },
    // Long enough for jobs to end in the meantime.
    'redis-full': { targets: ['redis'], forMs: [3_000, 7_000] },
    'redis-disk-full': { targets: ['redis'], forMs: [1_000, 3_500] },
    'redis-failover': { targets: ['redis'], forMs: [2_000, 4_000] },
    'redis-half-open': { targets: processes, forMs: [2_000, lockMs + 3_000] },
    'provider-errors': { targets: providers, forMs: outage },
    'provider-down': { targets: providers, forMs: outage },
    'provider-throttle': { targets: providers, forMs: outage },
    'provider-hang': { targets: providers, forMs: outage },
    'provider-half-open': { targets: providers, forMs: outage },
    'receiver-down': { targets: ['receiver'], forMs: [1_000, 2_500] },
    'receiver-errors': { targets: ['receiver'], forMs: [1_000, 2_500] },
    // Longer than a delivery may take, so that others must go on while these wait.
    'receiver-hang': { targets: ['hanging receiver'], forMs: [4_000, 8_000] },
    'name-server-silent': { targets: ['name server'], forMs: [4_000, 8_000] },
  }
}

/** Six of ten kills meet a provider's worker: they hold the calls that cost money. */
const killWeights: readonly (readonly [targets: readonly string[], weight: number])[] = [
  [processNames('provider'), 12],
  [processNames('api'), 2],
  [processNames('batches'), 3],
  [processNames('webhooks'), 1],
  [['redis'], 2],
]
const killTargets = killWeights.flatMap(([targets, weight]) => Array<readonly string[]>(weight).fill(targets))

/** How many other faults come with so many kills. */
const othersFor = (kills: number): number => (kills === 0 ? 0 : Math.max(4, Math.round(kills * 0.75)))

/** First Redis and every role, so that a short plan meets them all, then by weight. */
const drawKills = (random: Random, kills: number): string[] => {
  const [redis, ...roles] = killWeights.map(([targets]) => targets).toReversed()
  const first = [redis!, ...random.shuffle(roles)]
  return Array.from({ length: kills }, (_, index) => random.pick(first[index] ?? random.pick(killTargets)))
}

/** A process that was hurt takes a moment to be up again, and is to be seen to work before it is its turn again. */
const upMs = 1_500

interface Harm {
  readonly kind: FaultKind
  readonly target: string
  readonly spare: readonly string[]
}

/** Everything that is to happen, in the order of time. No two faults of one target overlap; those of different ones do. */
export const planFaults = (random: Random, options: FaultPlanOptions): PlannedFault[] => {
  const { kills, durationMs, possible, lockMs } = options
  const habits = habitsOf(lockMs)
  const deadly: FaultKind = possible.includes('redis-kill') ? 'redis-kill' : 'redis-failover'
  const others = random.shuffle([
    ...possible.filter(kind => kind !== 'kill' && kind !== deadly),
    // Once more than the others, for the same reason.
    'freeze' as const,
  ])
  const timetable = createTimetable(random, durationMs)

  const killing = (target: string): Harm =>
    target === 'redis'
      ? { kind: deadly, target, spare: [target] }
      : { kind: 'kill', target, spare: processNames() }
  const harming = (kind: FaultKind): Harm => {
    const { targets } = habits[kind]
    return { kind, target: random.pick(targets), spare: targets }
  }
  const harms = [
    ...drawKills(random, kills).map(killing),
    ...Array.from({ length: othersFor(kills) }, (_, index) => harming(others[index % others.length]!)),
  ]
  const due = random.shuffle(
    harms.map((_, index) => timeAt((index + random.next()) / harms.length, durationMs)),
  )

  const place = (harm: Harm, atMs: number): PlannedFault | null => {
    const forMs = random.int(...habits[harm.kind].forMs)
    const restMs = harm.target === 'receiver' ? receiverPauseMs : pauseMs
    const placed = timetable.place({ ...harm, atMs, takesMs: forMs + restMs + upMs })
    return placed && { kind: harm.kind, ...placed, forMs }
  }
  /** There is one Redis, and a long run has no time for all its faults: a process dies instead. */
  const placeOrInstead = (harm: Harm, atMs: number): PlannedFault | null =>
    place(harm, atMs) ?? (harm.kind === deadly ? place(killing(random.pick(processNames())), atMs) : null)

  return harms
    .map((harm, index) => placeOrInstead(harm, due[index]!))
    .filter(fault => fault !== null)
    .toSorted((a, b) => a.atMs - b.atMs)
}
