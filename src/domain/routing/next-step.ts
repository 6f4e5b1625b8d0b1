import type { Attempt, JobErrorCode } from '../job.ts'
import { type Backoff, backoffMs, comesBackAfter } from './backoff.ts'
import type { RouteTarget } from './chain.ts'
import { chanceOf } from './strategy.ts'
import { isPoison } from './worker-losses.ts'

/** How often a job is called again on the same target, how long it waits, and when it is given up. */
export interface RoutingLimits {
  /** Further calls on the same target after a transient failure, before the handover. */
  readonly retries: number
  /** Calls that a provider took on, over all targets. */
  readonly maxAttempts: number
  /** The backoff of a target's provider. */
  readonly backoffOf: (target: RouteTarget) => Backoff
}

export interface RoutingState {
  /**
   * The job's id: its waits are drawn from it, so that they are the same however often they are asked for.
   */
  readonly seed: string
  readonly expiresAtMs: number
  /** The route's targets that can carry the request, in order of preference. */
  readonly targets: readonly RouteTarget[]
  /** Every call so far, oldest first. */
  readonly attempts: readonly Attempt[]
  /** Calls that count against the budget; see `spends`. */
  readonly spent: number
  readonly hop: number
  readonly current: RouteTarget | null
  readonly refusalHandsOver: boolean
  /** Unix ms from which a target may be called, as the cooldowns knows; 0 when it may be called now. */
  availableAt(target: RouteTarget): number
  /**
   * Whether a call there only waits for a slot, which is free in a moment: the job then waits in its own
   * slot.
   */
  isReturning?(target: RouteTarget): boolean
  /** Whether it takes the request only with something left out: the others come before it in `targets`. */
  isLastResort?(target: RouteTarget): boolean
  /** Unix ms until which the job would rather wait for one of those others. */
  readonly exactUntilMs?: number
}

/** When a target may next be asked by a job, in Unix ms. */
export interface Wait {
  readonly target: RouteTarget
  readonly readyAtMs: number
}

export type Step =
  | { readonly kind: 'call'; readonly target: RouteTarget }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'park'; readonly target: RouteTarget; readonly untilMs: number }
  | { readonly kind: 'fail'; readonly code: JobErrorCode }

/** A job keeps its worker's slot for a wait of this length; for a longer one it parks. */
const longestHoldMs = 2_000
/** A parked job never spins: even when health says "now", it waits this long. */
const shortestParkMs = 100

const isAt = (attempt: Attempt, target: RouteTarget): boolean =>
  attempt.provider === target.provider && attempt.model === target.model

/** Reasons of a transient failure that mean an outage for every request. */
const away = /^(dns|connect|tls|http_50[234]|http_52\d)$/

/**
 * Whether a call counts against the job's budget. A call that the provider turned away (throttled,
 * overloaded, bad key, no money, no such model, unsupported), or that reached no server, says nothing about
 * the job and costs nothing: an outage or a storm of 429s must never use the budget up. A call that was lost
 * with its worker does not count either: a job that kills its workers is found by running it alone
 * (`losses.ts`).
 */
export const spends = (attempt: Attempt): boolean => {
  switch (attempt.verdict) {
    case 'rate_limited':
    case 'overloaded':
    case 'out_of_quota':
    case 'bad_credentials':
    case 'unknown_model':
    case 'unsupported':
      return false
    case 'transient':
      return !away.test(attempt.reason)
    case null:
      return false
    default:
      return true
  }
}

/** Targets that may still serve this job: those that judged the request itself are out for good. */
export const eligible = (walk: RoutingState): RouteTarget[] => {
  const tooLong = walk.targets.filter(t => walk.attempts.some(a => a.verdict === 'too_long' && isAt(a, t)))
  return walk.targets.filter(target => {
    if (tooLong.some(t => t === target || !isLarger(target, t))) return false
    return !walk.attempts.some(a => isAt(a, target) && isOutAfter(a.verdict, target, walk))
  })
}

/** Whether a target with this verdict is not asked again by this job. */
const isOutAfter = (
  verdict: Attempt['verdict'],
  { measuredAs }: RouteTarget,
  { refusalHandsOver }: RoutingState,
): boolean =>
  verdict === 'rejected' ||
  verdict === 'unsupported' ||
  verdict === 'malformed' ||
  (verdict === 'refused' && refusalHandsOver) ||
  // The name is the client's: no person will mend the config.
  (verdict === 'unknown_model' && measuredAs !== undefined)

/** Malformed answers are paid for: after the first one a second model is asked, but no third. */
const mostMalformed = 2

/** A mirror's calls are made beside the job's: they neither end it nor use up what it has. */
const ownCalls = ({ attempts }: RoutingState): readonly Attempt[] => attempts.filter(a => !a.mirror)

/** The error of a job whose paid answer cannot be used, or null. */
const spoiledCode = (walk: RoutingState): JobErrorCode | null => {
  const own = ownCalls(walk)
  if (own.some(a => a.verdict === 'untranslatable')) return 'untranslatable_answer'
  const malformed = own.filter(a => a.verdict === 'malformed').length
  return malformed >= mostMalformed ? 'malformed_answer' : null
}

/** An unknown window may be larger: it is worth a call. */
const isLarger = (target: RouteTarget, than: RouteTarget): boolean =>
  target.contextWindow === undefined ||
  than.contextWindow === undefined ||
  target.contextWindow > than.contextWindow

const failures = (walk: RoutingState, target: RouteTarget): Attempt[] =>
  walk.attempts.filter(a => isAt(a, target) && a.verdict !== null)

/**
 * Unix ms at which this job may ask a target again, after its failures there; 0 for now. The wait takes at
 * most half of the time to the deadline: a wait past the deadline would leave no try at all.
 */
const backedOffUntil = (
  walk: RoutingState,
  target: RouteTarget,
  { backoffOf }: RoutingLimits,
  more = 0,
): number => {
  const failed = failures(walk, target)
  const last = failed.at(-1)
  if (!last) return 0
  const endedMs = last.started_at * 1_000 + (last.duration_ms ?? 0)
  const chance = chanceOf(walk.seed)(`${target.provider}/${target.model}#${failed.length}`)
  const waitMs = backoffMs(backoffOf(target), failed.length + more, chance)
  return endedMs + Math.min(waitMs, Math.max(0, (walk.expiresAtMs - endedMs) / 2))
}

const exhaustedCode = (walk: RoutingState): JobErrorCode => {
  const verdicts = walk.attempts.map(a => a.verdict)
  if (verdicts.includes('rejected') || verdicts.includes('unsupported')) return 'upstream_rejected'
  if (verdicts.includes('too_long')) return 'context_length_exceeded'
  if (verdicts.includes('malformed')) return 'malformed_answer'
  if (verdicts.includes('refused')) return 'refused'
  return verdicts.includes('unknown_model') ? 'upstream_rejected' : 'no_usable_target'
}

const timeoutStatuses: ReadonlySet<number | null> = new Set([408, 504, 522, 524])
const timeoutReason = /time_?d?_?out|deadline/i
/** A refused connection fails at once; one that failed later than this was waited for. */
const longConnectMs = 1_000

/** Whether a call was given up after a timeout: one of ours, of the provider, or of a proxy between. */
const endedByTimeout = ({ reason, status_code, duration_ms }: Attempt): boolean =>
  timeoutStatuses.has(status_code) ||
  timeoutReason.test(reason) ||
  (/^(dns|connect|tls)$/.test(reason) && (duration_ms ?? 0) >= longConnectMs)

/**
 * Whether the last call was a transient failure that deserves another try on the spot. One that took a whole
 * timeout does not: the job has waited long enough, and moves to the next target.
 */
const retriesHere = (walk: RoutingState, retries: number): boolean => {
  const own = ownCalls(walk)
  const last = own.at(-1)
  if (last?.verdict !== 'transient' || last.hop !== walk.hop || endedByTimeout(last)) return false
  const here = own.filter(a => a.hop === walk.hop && a.verdict === 'transient').length
  return here <= retries
}

/**
 * The target that a job moves to at once when its last call reached no server: a refused connection, an
 * unknown host. A retry a moment later would fail too, so the same target is tried again only when no other
 * is ready for the request.
 */
const awayFromNobody = (walk: RoutingState, ready: readonly RouteTarget[]): RouteTarget | undefined => {
  const last = walk.attempts.findLast(a => !a.mirror)
  if (last?.verdict !== 'transient' || last.hop !== walk.hop || !/^(dns|connect)$/.test(last.reason))
    return undefined
  return ready.find(target => !isAt(last, target) && !walk.isLastResort?.(target))
}

/**
 * Whether the job has come to a target that has not judged it since. It stays for one call: while it waited
 * there, a target before it may have become ready again, and under load a job would go to and fro without
 * ever being called by the one that works. A call that was interrupted is made again here, too.
 */
const isOwedCallHere = (walk: RoutingState): boolean =>
  !ownCalls(walk).some(a => a.hop === walk.hop && a.verdict !== null)

/** When each target that may still serve the job can be asked. */
export const waitsOf = (walk: RoutingState, limits: RoutingLimits): readonly Wait[] =>
  eligible(walk).map(target => ({
    target,
    readyAtMs: Math.max(walk.availableAt(target), backedOffUntil(walk, target, limits, comesBackAfter)),
  }))

/**
 * What a job does next, decided from nothing but its log and what is known of its targets. The same function
 * chooses the first target of a new job and the next one after a failure. `random` (0 to 1) spreads the
 * waits.
 */
export const nextStep = (
  walk: RoutingState,
  limits: RoutingLimits,
  nowMs: number,
  random: () => number,
): Step => {
  if (isPoison(walk.attempts)) return { kind: 'fail', code: 'worker_crashed' }
  const spoiled = spoiledCode(walk)
  if (spoiled !== null) return { kind: 'fail', code: spoiled }
  const targets = eligible(walk)
  if (targets.length === 0) return { kind: 'fail', code: exhaustedCode(walk) }
  if (walk.spent >= limits.maxAttempts) return { kind: 'fail', code: 'attempts_exhausted' }

  const { current } = walk
  const backUntil = (target: RouteTarget): number => backedOffUntil(walk, target, limits, comesBackAfter)
  const readyAt = targets.map(t => Math.max(walk.availableAt(t), backUntil(t)))
  const ready = targets.filter((_, i) => readyAt[i]! <= nowMs)
  const elsewhere = awayFromNobody(walk, ready)
  if (elsewhere) return { kind: 'call', target: elsewhere }
  if (current && retriesHere(walk, limits.retries) && walk.availableAt(current) <= nowMs)
    return retryOf(current, Math.round(backedOffUntil(walk, current, limits)), nowMs)
  if (current && isOwedCallHere(walk) && ready.includes(current)) return { kind: 'call', target: current }
  const next = ready[0]
  const soon = next ? exactSoon(walk, next, targets, readyAt) : []
  if (next && soon.length === 0) return { kind: 'call', target: next }

  // If jobs parked for a recovering provider, they would go to and fro between its queue and the schedule.
  if (current && targets.includes(current) && walk.isReturning?.(current) && backUntil(current) <= nowMs)
    return { kind: 'wait' }

  const earliest = Math.min(...(soon.length > 0 ? soon : readyAt))
  const waitMs = Math.max(earliest - nowMs, shortestParkMs)
  const untilMs = Math.round(nowMs + waitMs + waitSpreadMs(waitMs) * random())
  return { kind: 'park', target: targets[readyAt.indexOf(earliest)]!, untilMs }
}

/**
 * Where only a last resort is ready: when the targets that take the request unchanged will be ready, as far
 * as they are worth waiting for.
 */
const exactSoon = (
  { isLastResort, exactUntilMs = 0 }: RoutingState,
  ready: RouteTarget,
  targets: readonly RouteTarget[],
  readyAt: readonly number[],
): readonly number[] =>
  isLastResort?.(ready) ? readyAt.filter((atMs, i) => atMs <= exactUntilMs && !isLastResort(targets[i]!)) : []

/**
 * The same target once more: now, after a wait in the slot, or parked, so that other jobs can use the slot.
 */
const retryOf = (target: RouteTarget, atMs: number, nowMs: number): Step => {
  const delayMs = atMs - nowMs
  if (delayMs <= 0) return { kind: 'call', target }
  return delayMs <= longestHoldMs ? { kind: 'retry', delayMs } : { kind: 'park', target, untilMs: atMs }
}

/**
 * Parked jobs come back over a tenth of their wait, at least a second: together they would storm the target.
 */
const waitSpreadMs = (waitMs: number): number => Math.max(1_000, waitMs / 10)
