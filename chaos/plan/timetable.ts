import type { Random } from '../random.ts'

/** Who may be met, and when, so that what meets one target never overlaps. */
export interface Timetable {
  /**
   * Finds a target and a time that are free for so long: the wanted ones first, then the first target at
   * other times, then any of `spare`. Null when no time is free.
   */
  place(wish: Wish): { readonly target: string; readonly atMs: number } | null
}

export interface Wish {
  readonly target: string
  /** Others that will do. */
  readonly spare: readonly string[]
  readonly atMs: number
  readonly takesMs: number
}

/** Something has to be there to be hurt, and to see the end of it. */
const margin = 0.06

/** A time within the run, for a share of it from 0 to 1. */
export const timeAt = (share: number, durationMs: number): number =>
  Math.floor(durationMs * (margin + (1 - 2 * margin) * share))

const triesOfTarget = 3
const triesInAll = 60

export const createTimetable = (random: Random, durationMs: number): Timetable => {
  const taken = new Map<string, { readonly fromMs: number; readonly untilMs: number }[]>()

  const isFree = (target: string, fromMs: number, untilMs: number): boolean =>
    (taken.get(target) ?? []).every(other => untilMs < other.fromMs || fromMs > other.untilMs)

  return {
    place: wish => {
      for (let tries = 0; tries < triesInAll; tries++) {
        const target = tries < triesOfTarget ? wish.target : random.pick(wish.spare)
        const atMs = tries === 0 ? wish.atMs : timeAt(random.next(), durationMs)
        const untilMs = atMs + wish.takesMs
        if (!isFree(target, atMs, untilMs)) continue
        taken.set(target, [...(taken.get(target) ?? []), { fromMs: atMs, untilMs }])
        return { target, atMs }
      }
      return null
    },
  }
}
