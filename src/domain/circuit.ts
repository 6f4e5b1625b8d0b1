import { type KeptTarget, stateOf } from './kept-target.ts'

/**
 * The state of a provider, or of a model on it, for the whole cluster.
 *
 * healthy → down: more than a share of the window's calls failed, over all processes.
 * down → probing: its time has passed, and one process took the lease of the one probe.
 * probing → recovering: the probe was answered.
 * probing → down: it was not, and the next time is twice as long.
 * recovering → healthy: step by step to all of the traffic.
 * recovering → down: it failed again.
 * healthy, recovering → throttled: it throttled a call.
 * throttled → recovering: its time has passed.
 * healthy, recovering → slow: calls under way take far longer than usual, and none is answered.
 * slow → healthy: one was answered.
 * slow → probing: at once, or after a time where it was so before.
 */
export type CircuitState = 'healthy' | 'throttled' | 'slow' | 'down' | 'probing' | 'recovering'

/** The reason of a slow circuit, and of the states after it until a call that was under way is answered. */
export const overdue = 'overdue'

export interface Circuit {
  /** The provider, or one model on it: see `circuitOf`. */
  readonly provider: string
  readonly state: CircuitState
  /** Grows with every change, also over a loss of all data. */
  readonly seq: number
  /** The `seq` at which the state was entered: outcomes of calls from before it no longer count. */
  readonly era: number
  readonly sinceMs: number
  /**
   * down, slow: when a probe may begin. probing: when the lease ends. throttled, recovering: the next step.
   * healthy: 0.
   */
  readonly untilMs: number
  /** The verdict's reason of the failure that brought it down; empty while healthy. */
  readonly reason: string
  /** Its share of the traffic, 0 to 1, while recovering; while throttled, what it will be. */
  readonly share: number
  /** The step of the ramp, from 1, while recovering. */
  readonly step: number
  /**
   * Whether it was throttled only: nothing says that it does not work. Absent in circuits of an earlier
   * version.
   */
  readonly cooled?: boolean
  /** How many times it went down again since it was healthy. */
  readonly relapses: number
  /** The process that probes; empty when none does. */
  readonly owner: string
  /** Unix ms since when an operator has paused it; 0 when it is not paused. */
  readonly pausedAtMs: number
  /** Who paused it, and why; absent while it is not paused, and where that was not told. */
  readonly pausedBy?: string
  readonly pauseNote?: string
  /** When it was last checked while no job called it; 0 before any check. */
  readonly checkedAtMs: number
  /** Whether it once listed its models when it was asked: only then does a refusal to do so mean anything. */
  readonly lists: boolean
}

/** Names the circuit of one model. A provider's name holds no slash. */
export const circuitOf = (target: KeptTarget): string => {
  const { provider, model } = stateOf(target)
  return `${provider}/${model}`
}

/** The provider of a circuit, and the model; null for the whole provider. */
export const partsOfCircuit = (
  name: string,
): { readonly provider: string; readonly model: string | null } => {
  const slash = name.indexOf('/')
  return slash < 0
    ? { provider: name, model: null }
    : { provider: name.slice(0, slash), model: name.slice(slash + 1) }
}

export const healthyCircuit = (provider: string): Circuit => ({
  provider,
  state: 'healthy',
  seq: 0,
  era: 0,
  sinceMs: 0,
  untilMs: 0,
  reason: '',
  share: 1,
  step: 0,
  relapses: 0,
  owner: '',
  pausedAtMs: 0,
  checkedAtMs: 0,
  lists: false,
})

/** How soon to look again at what may change at any moment. */
export const lookAgainMs = 1_000
const longestLookAgainMs = 15_000

/** Whether a probe is due: the time of being down has passed, or the process that probed fell silent. */
export const isProbeDue = ({ state, untilMs, pausedAtMs }: Circuit, nowMs: number): boolean =>
  pausedAtMs === 0 && (state === 'down' || state === 'slow' || state === 'probing') && untilMs <= nowMs

/**
 * Unix ms until which no process may make a call; 0 when some may. Where the time is not known (a probe under
 * way, a pause), waiting jobs look again after as long as it has taken already.
 */
export const shutUntil = (circuit: Circuit, nowMs: number): number => {
  const { state, sinceMs, untilMs, pausedAtMs } = circuit
  const lookAgain = (startMs: number): number =>
    nowMs + Math.min(Math.max(nowMs - startMs, lookAgainMs), longestLookAgainMs)
  if (pausedAtMs > 0) return lookAgain(pausedAtMs)
  if (state === 'healthy' || state === 'recovering' || isProbeDue(circuit, nowMs)) return 0
  if (state === 'throttled') return untilMs > nowMs ? untilMs : 0
  return state === 'down' ? untilMs : lookAgain(sinceMs)
}

/** Whether it takes a share of the traffic. One that has cooled off does, until the first step is taken. */
export const takesShare = ({ state }: Circuit): boolean => state === 'recovering' || state === 'throttled'

/** Its share of the traffic now. */
export const shareNow = ({ state, share, pausedAtMs }: Circuit): number =>
  pausedAtMs > 0 || state === 'throttled' ? 0 : share

/** Whether all calls but a few are kept out, because it is out of order. */
export const isOutOfOrder = ({ state, cooled, pausedAtMs }: Circuit): boolean =>
  pausedAtMs > 0 || (state !== 'healthy' && state !== 'throttled' && !cooled)

/**
 * How many of a worker's slots may call while a provider recovers. One always may: it can be the only worker.
 */
export const placesBack = (share: number, concurrency: number): number =>
  Math.max(1, Math.floor(share * concurrency))
