import type { HealthCheckConfig } from '../../config/provider-settings.ts'
import { type Circuit, type CircuitState, partsOfCircuit, shareNow } from '../../domain/circuit.ts'
import type { LastError } from '../../domain/job.ts'
import { anyModel } from '../../domain/routing/wildcards.ts'
import type { Cooldown, CooldownState } from '../../health/cooldowns.ts'
import type { WorkerHeartbeat } from '../../health/heartbeats.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { ConfiguredLimits } from '../../rate-limits/key-model-limits.ts'
import type { LimiterView } from '../../rate-limits/limiter-view.ts'
import type { PageFigures } from './page-figures.ts'
import type { ProviderTick } from './views.ts'

export interface ProviderFacts {
  readonly name: string
  readonly type: string
  /** Upstream names of the models that routes lead to. */
  readonly models: readonly string[]
  readonly keyCount: number
  /** Of its keys, or of the identity that it shows instead. */
  readonly fingerprints: ReadonlySet<string>
  readonly check: HealthCheckConfig | null
  /** All entries in force, of all providers. */
  readonly entries: readonly Cooldown[]
  readonly circuit: Circuit
  /** The shares of its traffic that it gets one after the other when it comes back. */
  readonly steps: readonly number[]
  /** Circuits of its models, where a model has one of its own. */
  readonly modelCircuits: readonly Circuit[]
  /** Its last changes, newest first. */
  readonly events: readonly Circuit[]
  /** Unix ms since when it has no worker, once that counts; 0 else. */
  readonly withoutWorkerSinceMs: number
  /** Its queue, its workers, and how fast it is. */
  readonly figures: PageFigures
  readonly limits: ConfiguredLimits
  /** What the cluster knows of the limits of its keys. */
  readonly meters: readonly LimiterView[]
}

/** What is known of a provider by itself. Times are whole Unix seconds. */
export type ProviderStandingView = ReturnType<typeof providerView>

/** A provider as operators see it. */
export interface ProviderView extends ProviderStandingView {
  /** Worker processes, as `GET /v1/scaling/:provider` says. */
  readonly workers_wanted: number
}

export const providerView = (facts: ProviderFacts) => {
  const { name, type, models, figures } = facts
  const workers = figures.workers.filter(worker => worker.provider === name)
  const entries: Entry[] = [
    ...facts.entries.filter(entry => providerOf(entry) === name),
    // What cools is an entry already.
    ...facts.modelCircuits
      .filter(({ state }) => state !== 'healthy' && state !== 'throttled')
      .map(entryOfModel),
  ]
  /** A key that a reload took away may still be stopped, for processes that have it. */
  const isOfNow = (entry: Entry): boolean =>
    kindOf(entry) !== 'key' || facts.fingerprints.has(entry.scope.slice(entry.scope.indexOf('#') + 1))
  // Behind a wildcard there may always be another model.
  const modelCount = models.includes(anyModel) ? 0 : models.length
  return {
    name,
    type,
    models,
    ...standing(facts.circuit, reasonOut(entries.filter(isOfNow), modelCount, facts.fingerprints.size)),
    recovery: recoveryView(facts),
    paused: pauseView(facts.circuit),
    last_error: lastErrorOf(facts),
    health_check: checkView(facts.check, facts.circuit),
    entries: entries.map(entryView),
    events: facts.events.map(eventView),
    queue: queueView(name, figures, workers),
    ...ratesView(figures.tick.providers[name]),
    estimated_drain_at: figures.drainAtOf.get(name) ?? null,
    limits: {
      rpm: facts.limits.rpm ?? null,
      tpm: facts.limits.tpm ?? null,
      concurrency: facts.limits.concurrency ?? null,
      seen: facts.meters.map(meter => meterView(meter, workers)),
    },
    workers: workers.map(workerView),
    without_worker_since: secondsOrNull(facts.withoutWorkerSinceMs),
  }
}

/** `step` counts from 1 while it comes back, and is 0 else; `relapses`: how often it went down again since it was well. */
const recoveryView = ({ circuit, steps }: ProviderFacts) => ({
  steps,
  step: circuit.state === 'recovering' ? circuit.step : 0,
  relapses: circuit.relapses,
})

const pauseView = ({ pausedAtMs, pausedBy, pauseNote }: Circuit) =>
  pausedAtMs === 0 ? null : { at: wholeSeconds(pausedAtMs), by: pausedBy ?? null, note: pauseNote ?? null }

/** Of what is out of use, as far as an entry has the provider's own words. */
const lastErrorOf = ({ name, entries }: ProviderFacts): LastError | null =>
  entries
    .filter(entry => providerOf(entry) === name && entry.error !== undefined)
    .toSorted((a, b) => b.sinceMs - a.sinceMs)[0]?.error ?? null

const queueView = (name: string, figures: PageFigures, workers: readonly WorkerHeartbeat[]) => {
  const { interactive = 0, default: normal = 0, bulk = 0, total = 0 } = figures.depths.get(name) ?? {}
  return {
    waiting: total,
    active: workers.reduce((sum, w) => sum + w.callsInFlight, 0),
    parked: figures.parkedOf.get(name) ?? 0,
    oldest_at: figures.oldestOf.get(name) ?? null,
    by_class: { interactive, default: normal, bulk },
  }
}

/** Of the last seconds; null while too little is known. */
const ratesView = (tick: ProviderTick | undefined) => ({
  rates: { attempts: tick?.attempts_per_s ?? null, failures: tick?.failures_per_s ?? null },
  p95_ms: tick?.p95_ms ?? null,
})

const meterView = (meter: LimiterView, workers: readonly WorkerHeartbeat[]) => ({
  key: meter.key,
  model: meter.model,
  rpm: meter.rpm,
  tpm: meter.tpm,
  remaining_requests: meter.remainingRequests,
  remaining_tokens: meter.remainingTokens,
  told_at: meter.toldAtMs === null ? null : wholeSeconds(meter.toldAtMs),
  used_rpm: meter.usedRpm,
  used_tpm: meter.usedTpm,
  calls_in_flight: meter.callsInFlight,
  adaptive_concurrency: meter.ceiling,
  adaptive_rpm: meter.learnedRpm,
  blocked_until: meter.blockedUntilMs === null ? null : wholeSeconds(meter.blockedUntilMs),
  ...heldView(meter, workers),
})

/** What holds calls back right now, with the figure that it is held to. */
const heldView = (
  { blockedUntilMs, held, callsInFlight }: LimiterView,
  workers: readonly WorkerHeartbeat[],
) => {
  const by = (reason: string, limit: number | null = null, of: string | null = null) => ({
    ...{ held_by: reason, held_limit: limit, held_unit: of },
  })
  if (blockedUntilMs !== null) return by('left_alone')
  if (held) return by(held.by, held.limit, held.of)
  const bound = workers.reduce((sum, w) => sum + (w.processBound ?? w.concurrency), 0)
  const underWay = workers.reduce((sum, w) => sum + w.callsInFlight, 0)
  if (callsInFlight > 0 && underWay >= bound) return by('process_bound', bound, 'calls_at_once')
  return by(callsInFlight > 0 ? 'nothing' : 'no_work')
}

/** What is out of use, or on its way back. */
type Entry = Omit<Cooldown, 'state'> & { readonly state: CooldownState | CircuitState }

const entryOfModel = ({ provider, state, sinceMs, untilMs, reason }: Circuit): Entry => ({
  scope: `target:${provider as `${string}/${string}`}`,
  ...{ state, sinceMs, untilMs, reason },
})

interface Out {
  readonly state: CooldownState | CircuitState
  readonly sinceMs: number
  readonly untilMs: number
  readonly reason: string
}

const secondsOrNull = (ms: number): number | null => (ms === 0 ? null : wholeSeconds(ms))

/** The operator's word comes first, then what keeps all calls away, then what keeps some away. */
const standing = (circuit: Circuit, out: Out | null) => {
  const isOut = circuit.pausedAtMs > 0 || !['healthy', 'recovering'].includes(circuit.state)
  const { state, sinceMs, untilMs, reason } = isOut || out === null ? stateOf(circuit) : out
  return {
    state,
    since: secondsOrNull(sinceMs),
    until: secondsOrNull(untilMs),
    reason: reason === '' ? null : reason,
    share: shareNow(circuit),
    probe_owner: circuit.owner === '' ? null : circuit.owner,
  }
}

/** A pause has no end that is known, and hides what goes on beneath it. */
const stateOf = (
  circuit: Circuit,
): { state: CircuitState | 'paused'; sinceMs: number; untilMs: number; reason: string } =>
  circuit.pausedAtMs > 0
    ? { state: 'paused', sinceMs: circuit.pausedAtMs, untilMs: 0, reason: 'operator' }
    : circuit

const eventView = (circuit: Circuit) => {
  const { state, untilMs, reason } = stateOf(circuit)
  return {
    at: wholeSeconds(circuit.seq),
    model: partsOfCircuit(circuit.provider).model,
    state,
    until: secondsOrNull(untilMs),
    reason: reason === '' ? null : reason,
    share: state === 'throttled' ? 0 : circuit.share,
    probe_owner: circuit.owner === '' ? null : circuit.owner,
  }
}

/**
 * What keeps all of a provider out of use, or null. Where that takes all its models or all its keys together,
 * the one that comes back first.
 */
const reasonOut = (entries: readonly Entry[], modelCount: number, keyCount: number): Out | null => {
  const whole = entries.find(entry => kindOf(entry) === 'provider')
  if (whole) return whole
  for (const [kind, count] of [
    ['key', keyCount],
    ['target', modelCount],
  ] as const) {
    const parts = entries.filter(entry => kindOf(entry) === kind && entry.state !== 'recovering')
    if (count > 0 && parts.length >= count) return parts.reduce((a, b) => (b.untilMs < a.untilMs ? b : a))
  }
  return null
}

const kindOf = ({ scope }: Entry): string => scope.slice(0, scope.indexOf(':'))

/** Names of providers hold none of the separators that follow them in a scope. */
const providerOf = ({ scope }: Cooldown): string => scope.slice(scope.indexOf(':') + 1).split(/[/#]/, 1)[0]!

const entryView = (entry: Entry) => ({
  scope: entry.scope,
  state: entry.state,
  since: wholeSeconds(entry.sinceMs),
  until: wholeSeconds(entry.untilMs),
  reason: entry.reason,
  ...(entry.error && { error: entry.error }),
})

const checkView = (check: HealthCheckConfig | null, { checkedAtMs }: Circuit): object | null =>
  check && {
    kind: check.kind,
    interval: check.intervalMs / 1_000,
    // Kept by an older version without it.
    checked_at: secondsOrNull(checkedAtMs ?? 0),
  }

const workerView = (worker: WorkerHeartbeat) => ({
  instance: worker.instance,
  pid: worker.pid,
  breaker: worker.breaker,
  calls_in_flight: worker.callsInFlight,
  concurrency: worker.concurrency,
  process_bound: worker.processBound ?? worker.concurrency,
  seen_at: wholeSeconds(worker.seenAtMs),
})
