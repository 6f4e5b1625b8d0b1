import { type Availability, noTokens } from './availability.ts'
import { firstCalls } from './key-model-limits.ts'

/** How many more jobs of a provider a process has something to do for. */
export interface Intake {
  /** The model that was asked for last: the jobs to come are taken to be like that one. */
  readonly lastModel: string | null
  /** `patienceMs`: how long the job waits for room. */
  asked(model: string, patienceMs: number): void
  /**
   * Whether another model may be called while this one may not: waiting jobs must leave slots to the other's
   * jobs.
   */
  otherModelHasRoom(model: string): boolean
  /** Calls at once that this process may make, as far as that was found out. */
  readonly places: number
  /** `waiting` for a turn, and `expected` to want one. */
  remaining(waiting: number, expected: number): number
}

/** A wait longer than this is worth a handover. */
export const shortWaitMs = 2_000
/** How many jobs to take from the queue when the wait is long; those with another target are handed over. */
const spentRoom = 4
/** So many are taken at once where they do not all stay here. */
const leastTaken = 50
/** A model that was asked for since then may be asked for again. */
const recentMs = 60_000

export interface IntakeOptions {
  readonly availability: Availability
  /** Calls at once that this process has places for. */
  readonly concurrency: number
  /** Whether the calls at once find themselves. */
  readonly findsConcurrency: boolean
  /** Whether a healthy provider other than this one can take jobs for this model now. */
  readonly hasHealthyAlternative: (model: string) => boolean
  readonly clock: () => number
}

export const createIntake = ({
  availability,
  concurrency,
  findsConcurrency,
  hasHealthyAlternative,
  clock,
}: IntakeOptions): Intake => {
  let lastModel: string | null = null
  const startingPlaces = findsConcurrency ? Math.min(concurrency, firstCalls) : concurrency
  /** Whether the job that asked last waits here for long: then those behind it are left in the queue, where they hold no slot. */
  let isPatient = false
  const askedForAtMs = new Map<string, number>()

  const waitOf = (model: string): number => availability.best(model, noTokens, clock())?.waitMs ?? 0

  const isBeside = (model: string): boolean => {
    if (askedForAtMs.size < 2) return false
    const sinceMs = clock() - recentMs
    return [...askedForAtMs].some(([other, atMs]) => other !== model && atMs > sinceMs && waitOf(other) === 0)
  }

  const places = (): number => {
    const found = lastModel === null ? [] : availability.open(lastModel)
    const known = found.flatMap(({ learned }) => learned?.places ?? [])
    const sum = known.reduce((all, some) => all + some, 0)
    return known.length < found.length || sum === 0 ? startingPlaces : Math.min(concurrency, sum)
  }

  /** Nothing was asked for yet. What is taken and cannot be called is lost with this process if it dies. */
  const startingFor = (taken: number): number =>
    findsConcurrency ? Math.max(0, startingPlaces - taken) : Number.POSITIVE_INFINITY

  const leftFor = (model: string, waiting: number, expected: number): number => {
    const nowMs = clock()
    const open = availability.open(model)
    const spare = open.reduce((sum, keyModel) => sum + availability.spare(keyModel, nowMs), 0)
    // More than can be called here: bounded, as each is held in memory meanwhile.
    const all = Math.max(0, spare + Math.max(leastTaken, 2 * places()) - waiting - expected)
    // Blocked for long: take all jobs, to hand them over or to park them.
    const blockedMs = Math.min(...open.map(keyModel => availability.blockedMs(keyModel, nowMs)))
    if (open.length === 0 || blockedMs > shortWaitMs) return all
    // Jobs that are not served here soon are handed over, as fast as the next provider takes them.
    const canLeave = hasHealthyAlternative(model)
    if (canLeave && !isPatient && !open.some(availability.isStarting)) return all
    if (isBeside(model)) return Math.max(0, Math.ceil(places() / 2) - waiting)
    // Behind one that is patient may stand one that is not.
    const isLong = (canLeave && isPatient) || waitOf(model) > shortWaitMs
    const more = isLong ? spentRoom : 1
    return Math.max(0, spare + more - waiting - expected)
  }

  return {
    get lastModel() {
      return lastModel
    },
    asked: (model, patienceMs) => {
      lastModel = model
      isPatient = patienceMs > shortWaitMs
      askedForAtMs.set(model, clock())
    },
    otherModelHasRoom: isBeside,
    get places() {
      return places()
    },
    remaining: (waiting, expected) =>
      lastModel === null ? startingFor(waiting + expected) : leftFor(lastModel, waiting, expected),
  }
}
