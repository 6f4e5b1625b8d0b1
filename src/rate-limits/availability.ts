import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import type { KeyModelLimits, ProviderLimits } from './key-model-limits.ts'
import { soonMs } from './leased-budget.ts'

/** The tokens that a call may use; reckoned when it is asked. */
export type Tokens = () => number
export const noTokens: Tokens = () => 0

/** What a provider's limits have for calls of a model now. Times are steady ms, waits are ms. */
export interface Availability {
  /**
   * The keyModel with the shortest wait among the keys in use, or `only` one, and that wait; null without a
   * key. `rank` is that wait, and 0 where only a lease is lacking: such keys take their turns, or the one that was used last
   * would be used for ever.
   */
  best(
    model: string,
    tokens: Tokens,
    nowMs: number,
    only?: ApiKey | 'none',
  ): { readonly keyModel: KeyModelLimits; readonly waitMs: number; readonly rank: number } | null
  /** The keys in use, beginning with the one whose turn it is. */
  open(model: string): readonly KeyModelLimits[]
  waitMs(keyModel: KeyModelLimits, tokens: Tokens, nowMs: number): number
  /** How long the provider asked to be left alone. */
  blockedMs(keyModel: KeyModelLimits, nowMs: number): number
  /** Whether its calls at once are still being found out, by ever more of them. */
  isStarting(keyModel: KeyModelLimits): boolean
  /** Calls that may still be made. */
  spare(keyModel: KeyModelLimits, nowMs: number): number
  /**
   * How many jobs that could go elsewhere may wait here: more would not have their turn soon. Any number while it is not known
   * that there is less than is wanted.
   */
  queue(keyModel: KeyModelLimits, nowMs: number): number
}

/** How many jobs with another target may wait for each call that is under way or has its slot. */
const waitersPerCall = 2
const leastWaiters = 4

const waitMs: Availability['waitMs'] = ({ limiters }, tokens, nowMs) => {
  let longestMs = 0
  for (const { budget } of limiters) {
    longestMs = Math.max(longestMs, budget.waitMs(budget.countsTokens ? tokens() : 0, nowMs))
  }
  return longestMs
}

/** Whether it has less than is wanted of it. One that is not, and has nothing in hand, has what it needs after a round trip. */
const isShort = ({ limiters }: KeyModelLimits): boolean => limiters.some(({ budget }) => budget.isShort)

const least = (
  { limiters }: KeyModelLimits,
  figure: (budget: KeyModelLimits['limiters'][number]['budget']) => number,
): number => Math.min(...limiters.map(({ budget }) => figure(budget)))

export const createAvailability = (
  limits: Pick<ProviderLimits, 'of'>,
  keys: Pick<KeyRing, 'inUse'>,
): Availability => ({
  best: (model, tokens, nowMs, only) => {
    let found: { keyModel: KeyModelLimits; waitMs: number; rank: number } | null = null
    for (const key of only === undefined ? keys.inUse() : [only]) {
      const keyModel = limits.of(key, model)
      const ms = waitMs(keyModel, tokens, nowMs)
      const rank = ms <= soonMs && !isShort(keyModel) ? 0 : ms
      if (!found || rank < found.rank) found = { keyModel, waitMs: ms, rank }
      if (rank === 0) break
    }
    return found
  },
  open: model => keys.inUse().map(key => limits.of(key, model)),
  waitMs,
  blockedMs: ({ limiters }, nowMs) => Math.max(0, ...limiters.map(({ budget }) => budget.blockedMs(nowMs))),
  isStarting: ({ limiters }) => limiters.some(({ budget }) => budget.isStarting),
  spare: (keyModel, nowMs) => least(keyModel, budget => budget.spare(nowMs)),
  queue: (keyModel, nowMs) =>
    least(keyModel, budget =>
      budget.isShort && !budget.isStarting
        ? Math.max(leastWaiters, waitersPerCall * (budget.calling + budget.spare(nowMs)))
        : Number.POSITIVE_INFINITY,
    ),
})
