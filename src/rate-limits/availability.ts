import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import type { Lane, Lanes } from './key-model-limits.ts'

/** The tokens that a call may use; reckoned when it is asked. */
export type Tokens = () => number
export const noTokens: Tokens = () => 0

/** What a provider's lanes have for calls of a model now. Times are steady ms, waits are ms. */
export interface LaneLooks {
  /** Of the keys in use, or of `only` one, the lane with the shortest wait, and that wait; null when there is no key. */
  best(
    model: string,
    tokens: Tokens,
    nowMs: number,
    only?: ApiKey | 'none',
  ): { readonly lane: Lane; readonly waitMs: number } | null
  /** Of the keys in use, the one whose turn it is first. */
  open(model: string): readonly Lane[]
  waitMs(lane: Lane, tokens: Tokens, nowMs: number): number
  /** How long the provider asked to be left alone. */
  blockedMs(lane: Lane, nowMs: number): number
  /** Calls that may still be made. */
  spare(lane: Lane, nowMs: number): number
  /** How many jobs that could go elsewhere may wait here: more would not have their turn soon. */
  queue(lane: Lane, nowMs: number): number
}

/** So many jobs may wait for each call that is under way or has its slot, if they have another target. */
const waitersPerCall = 2
const leastWaiters = 4

const waitMs: LaneLooks['waitMs'] = ({ meters }, tokens, nowMs) => {
  let longestMs = 0
  for (const { purse } of meters) {
    longestMs = Math.max(longestMs, purse.waitMs(purse.countsTokens ? tokens() : 0, nowMs))
  }
  return longestMs
}

const least = ({ meters }: Lane, figure: (purse: Lane['meters'][number]['purse']) => number): number =>
  Math.min(...meters.map(({ purse }) => figure(purse)))

export const createLaneLooks = (lanes: Pick<Lanes, 'of'>, keys: Pick<KeyRing, 'inUse'>): LaneLooks => ({
  best: (model, tokens, nowMs, only) => {
    let found: { lane: Lane; waitMs: number } | null = null
    for (const key of only === undefined ? keys.inUse() : [only]) {
      const lane = lanes.of(key, model)
      const ms = waitMs(lane, tokens, nowMs)
      if (!found || ms < found.waitMs) found = { lane, waitMs: ms }
      if (ms === 0) break
    }
    return found
  },
  open: model => keys.inUse().map(key => lanes.of(key, model)),
  waitMs,
  blockedMs: ({ meters }, nowMs) => Math.max(0, ...meters.map(({ purse }) => purse.blockedMs(nowMs))),
  spare: (lane, nowMs) => least(lane, purse => purse.spare(nowMs)),
  queue: (lane, nowMs) =>
    Math.max(leastWaiters, waitersPerCall * least(lane, purse => purse.calling + purse.spare(nowMs))),
})
