import { usableCallsOf, workersWanted } from '../../domain/planning/workers-wanted.ts'
import { wellStates } from '../../health/troubles.ts'
import type { PageFigures } from './page-figures.ts'
import type { ProviderStandingView } from './provider-view.ts'

/** The time of a call where none was measured lately. */
const guessedSeconds = 5
/** Places of a worker where none runs that could tell: what one with a gigabyte has is more than that. */
const guessedPlaces = 1_000

export interface ScalingFacts {
  readonly view: ProviderStandingView
  readonly figures: PageFigures
  readonly keyCount: number
  /** Calls at once by the config; null where it is found out. */
  readonly configuredPlaces: number | null
}

export type ScalingView = ReturnType<typeof scalingView>

/** What an autoscaler asks of one provider: `GET /v1/scaling/:provider`. */
export const scalingView = ({ view, figures, keyCount, configuredPlaces }: ScalingFacts) => {
  const { name, queue, limits, p95_ms } = view
  const workers = figures.workers.filter(({ provider }) => provider === name)
  const places =
    configuredPlaces ??
    (workers.length === 0
      ? guessedPlaces
      : Math.max(...workers.map(({ processBound, concurrency }) => processBound ?? concurrency)))
  const secondsACall = (p95_ms ?? guessedSeconds * 1_000) / 1_000
  const passedOver = Math.ceil((figures.passedOverPerSecond.get(name) ?? 0) * secondsACall)
  // What a worker would see as soon as there is one; where there is, what goes elsewhere still needs no other.
  const unseen = Math.max(
    Math.min(queue.parked, 1),
    workers.length === 0 ? passedOver : Math.min(passedOver, 1),
  )
  const usable = usableOf(limits, secondsACall, keyCount)
  const isPaused = view.state === 'paused'
  const { workers: wanted, boundBy } = workersWanted({
    waiting: queue.waiting + unseen,
    running: queue.active,
    places,
    usableCalls: usable,
    isAway: !wellStates.has(view.state),
    isPaused,
  })
  return {
    object: 'scaling' as const,
    provider: name,
    workers_wanted: wanted,
    bound_by: boundBy,
    workers: workers.length,
    waiting: queue.waiting,
    running: queue.active,
    passed_over: passedOver,
    places_per_worker: places,
    usable_calls: usable,
  }
}

/** The least that is known of its limits: told, learned and configured. */
const usableOf = (
  { rpm, concurrency, seen }: ProviderStandingView['limits'],
  secondsACall: number,
  keyCount: number,
): number | null => {
  const configured = usableCallsOf({ rpm, concurrency }, secondsACall, Math.max(1, keyCount))
  // Of one key each, over all of its models: those of a model say nothing of the others.
  const ofKeys = seen.filter(({ model }) => model === null)
  const learned = ofKeys.map(meter =>
    usableCallsOf(
      {
        rpm: leastOf(meter.rpm, meter.adaptive_rpm),
        concurrency: meter.adaptive_concurrency,
      },
      secondsACall,
      1,
    ),
  )
  const known = learned.filter(calls => calls !== null)
  const found = known.length === 0 || known.length < keyCount ? null : known.reduce((a, b) => a + b, 0)
  return leastOf(configured, found)
}

const leastOf = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)
