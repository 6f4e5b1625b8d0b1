import type { HealthEntry, HealthState } from '../health/board.ts'
import type { WorkerPresence } from '../health/presence.ts'
import type { QueueCounts } from '../queue/doorbells.ts'
import { wholeSeconds } from '../store/job-view.ts'

export interface ProviderFacts {
  readonly name: string
  readonly type: string
  /** Upstream names of the models that routes lead to. */
  readonly models: readonly string[]
  readonly keyCount: number
  /** All that is in force, of whatever provider. */
  readonly entries: readonly HealthEntry[]
  readonly workers: readonly WorkerPresence[]
  readonly counts: QueueCounts
}

/** A provider as operators see it. Times are whole Unix seconds. */
export const providerView = (facts: ProviderFacts): object => {
  const { name, type, models, counts } = facts
  const entries = facts.entries.filter(entry => providerOf(entry) === name)
  const out = reasonOut(entries, models.length, facts.keyCount)
  return {
    name,
    type,
    models,
    state: out?.state ?? ('closed' as const),
    until: out ? wholeSeconds(out.untilMs) : null,
    reason: out?.reason ?? null,
    entries: entries.map(entryView),
    queue: { waiting: counts.waiting, active: counts.active },
    workers: facts.workers.filter(worker => worker.provider === name).map(workerView),
  }
}

/**
 * What keeps all of a provider out of use, or null. Where that takes all its models or all its keys together, the
 * one that comes back first.
 */
const reasonOut = (
  entries: readonly HealthEntry[],
  modelCount: number,
  keyCount: number,
): { state: HealthState; untilMs: number; reason: string } | null => {
  const whole = entries.find(entry => kindOf(entry) === 'provider')
  if (whole) return whole
  for (const [kind, count] of [
    ['key', keyCount],
    ['target', modelCount],
  ] as const) {
    const parts = entries.filter(entry => kindOf(entry) === kind)
    if (count > 0 && parts.length >= count) return parts.reduce((a, b) => (b.untilMs < a.untilMs ? b : a))
  }
  return null
}

const kindOf = ({ scope }: HealthEntry): string => scope.slice(0, scope.indexOf(':'))

/** Names of providers hold none of the separators that follow them in a scope. */
const providerOf = ({ scope }: HealthEntry): string =>
  scope.slice(scope.indexOf(':') + 1).split(/[/#]/, 1)[0]!

const entryView = (entry: HealthEntry): object => ({
  scope: entry.scope,
  state: entry.state,
  since: wholeSeconds(entry.sinceMs),
  until: wholeSeconds(entry.untilMs),
  reason: entry.reason,
})

const workerView = (worker: WorkerPresence): object => ({
  instance: worker.instance,
  pid: worker.pid,
  breaker: worker.breaker,
  calls_in_flight: worker.callsInFlight,
  concurrency: worker.concurrency,
  seen_at: wholeSeconds(worker.seenAtMs),
})
