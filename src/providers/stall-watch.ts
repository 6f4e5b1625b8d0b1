import type { BreakReason } from '../domain/upstream.ts'
import type { SeenPace, StreamLimits } from './stream-limits.ts'

type Stalled = (reason: BreakReason, cause: Error) => void

/**
 * Finds out that a stream has stalled. waiting (for the first content) → flowing → stopped, from either; `stop` also where an
 * answer turns out to be none that streams.
 */
export class StallWatch {
  readonly #limits: StreamLimits
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #stalled: Stalled = () => undefined
  #firstAt: number | null = null
  #heardAt = 0
  #longestGapMs = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  start(stalled: Stalled): void {
    const { firstTokenMs } = this.#limits
    this.#stalled = stalled
    this.#timer = setTimeout(
      () => stalled('first_token_timeout', new Error(`no content within ${firstTokenMs} ms`)),
      firstTokenMs,
    )
  }

  /** Something came that shows the model at work. */
  heard(hasContent: boolean): void {
    if (this.#firstAt === null) {
      if (hasContent) this.#flow()
      return
    }
    const now = performance.now()
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#heardAt)
    this.#heardAt = now
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  get seen(): SeenPace {
    const firstTokenMs = this.#firstAt === null ? null : Math.round(this.#firstAt - this.#startedAt)
    return { firstTokenMs, longestGapMs: this.#longestGapMs }
  }

  #flow(): void {
    const { idleMs } = this.#limits
    this.#firstAt = performance.now()
    this.#heardAt = this.#firstAt
    this.stop()
    this.#timer = setTimeout(
      () => this.#stalled('idle_timeout', new Error(`no event within ${idleMs} ms`)),
      idleMs,
    )
  }
}
