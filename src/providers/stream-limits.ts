import type { UpstreamOutcome } from '../domain/upstream.ts'

/** How long a stream may keep silent: before its first content, and between two events after that. */
export interface StreamLimits {
  readonly firstTokenMs: number
  readonly idleMs: number
}

/** What of a stream's pace was seen. */
export interface SeenPace {
  readonly firstTokenMs: number | null
  /** The longest silence after the first content. */
  readonly longestGapMs: number
}

/** Silences of one kind that a target showed of late, and how often in a row one was cut off. */
export interface Silences {
  readonly ms: readonly number[]
  readonly cuts: number
}

interface Bounds {
  /** Where too little was seen yet. */
  readonly unknownMs: number
  readonly floorMs: number
  readonly ceilingMs: number
}

/** So many streams back; a minute's worth or a day's, it is what there is to go by. */
const kept = 32
/** Fewer say nothing of how much they differ. */
const fewest = 5
/** A long prompt or a hard question takes several times what the usual one does, and what is cut off is paid for. */
const patience = 3

/** Shorter waits for a first token are met in good health: models that think, prompts of 100,000 tokens, a cold cache. */
export const firstTokenFloorMs = 15_000
/** Vendors ping about every 10 s; a shorter silence is no sign of anything. */
export const idleFloorMs = 10_000
/**
 * Where nothing is known, a long prompt has its time, and so has who thinks in silence between two pieces of text, or waits for a
 * tool of the vendor's. A shorter `timeout` halves it: a stall is to be found while there is time left for another target.
 */
export const unknownMs = 120_000
const unknownShare = 1 / 2
/** Of models that think, some show nothing of it: of the default `timeout`, four of five minutes. */
const thinkingShare = 4 / 5

export const noSilences: Silences = { ms: [], cuts: 0 }

export const withSilence = ({ ms }: Silences, silenceMs: number): Silences => ({
  ms: [...ms, silenceMs].slice(-kept),
  cuts: 0,
})

/** A silence that was cut off may have been the target's new pace: the next one is given twice as long. */
export const withCut = ({ ms, cuts }: Silences): Silences => ({ ms, cuts: cuts + 1 })

/**
 * How long to wait: three times the longest silence of late, within the bounds, and twice as long after each that was cut off. So
 * the limit finds its way up where a target has become slow, and a good stream sets it right again.
 */
export const silenceLimitMs = ({ ms, cuts }: Silences, { unknownMs, floorMs, ceilingMs }: Bounds): number => {
  const usualMs = ms.length < fewest ? unknownMs : Math.max(floorMs, patience * Math.max(...ms))
  return Math.min(ceilingMs, usualMs * 2 ** Math.min(cuts, 16))
}

interface TargetPace {
  readonly first: Silences
  readonly idle: Silences
}

/** Where any model may be called, clients choose the names. */
const mostTargets = 1_000

export interface StreamLimitSettings {
  readonly first: number | 'auto'
  readonly idle: number | 'auto'
  /** The longest a whole call may take. */
  readonly timeoutMs: number
  /** Whether a model thinks before it answers, as far as the config says so. */
  readonly reasons: (model: string) => boolean | undefined
}

/** The limits of a provider's streams by model, from the settings or from what this process saw. */
export class StreamPaces {
  readonly #settings: StreamLimitSettings
  readonly #targets = new Map<string, TargetPace>()

  constructor(settings: StreamLimitSettings) {
    this.#settings = settings
  }

  limits(model: string): StreamLimits {
    const { first, idle, timeoutMs: ceilingMs, reasons } = this.#settings
    const pace = this.#of(model)
    const unknownIdleMs = Math.min(unknownMs, ceilingMs * unknownShare)
    const unknownFirstMs = reasons(model) === true ? ceilingMs * thinkingShare : unknownIdleMs
    const firstBounds = { unknownMs: unknownFirstMs, floorMs: firstTokenFloorMs, ceilingMs }
    const idleBounds = { unknownMs: unknownIdleMs, floorMs: idleFloorMs, ceilingMs }
    return {
      firstTokenMs: first === 'auto' ? silenceLimitMs(pace.first, firstBounds) : first,
      idleMs: idle === 'auto' ? silenceLimitMs(pace.idle, idleBounds) : idle,
    }
  }

  record(model: string, outcome: UpstreamOutcome, { firstTokenMs, longestGapMs }: SeenPace): void {
    const { first, idle } = this.#of(model)
    const reason = outcome.kind === 'break' ? outcome.reason : null
    const sawFirst = firstTokenMs !== null
    if (!sawFirst && reason !== 'first_token_timeout') return
    const next: TargetPace = {
      first: sawFirst ? withSilence(first, firstTokenMs) : withCut(first),
      idle:
        reason === 'idle_timeout'
          ? withCut(idle)
          : sawFirst && reason === null
            ? withSilence(idle, longestGapMs)
            : idle,
    }
    this.#targets.delete(model)
    this.#targets.set(model, next)
    if (this.#targets.size > mostTargets) this.#targets.delete(this.#targets.keys().next().value!)
  }

  #of(model: string): TargetPace {
    return this.#targets.get(model) ?? { first: noSilences, idle: noSilences }
  }
}
