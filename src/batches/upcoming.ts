import type { SkipReason } from './finished-line.ts'
import type { PlanLine, PlannedLine } from './plan-line.ts'
import type { InputLine, LinePosition, ReadInput } from './read-lines.ts'

/** A line with what becomes of it. */
export interface UpcomingLine {
  readonly line: InputLine
  readonly plan: PlannedLine
}

/** The next lines of a batch's input, read and planned ahead of their turn. */
export interface Upcoming {
  /** The next ones: `count` at most, none at the end of the input. Throws what reading throws. */
  next(count: number, instead: SkipReason | null): Promise<readonly UpcomingLine[]>
  /** Takes so many of those off. */
  drop(count: number): void
  /** Reads and plans what comes after the first `skip`, as far as that is there without waiting. */
  prepare(skip: number, count: number, instead: SkipReason | null): void
}

export interface UpcomingOptions {
  readonly readInput: ReadInput
  readonly planLine: PlanLine
  /** Where the batch stands. */
  readonly from: LinePosition & { readonly fed: number }
  /** Its requests. */
  readonly total: number
  readonly now: () => number
}

/** Where a line goes first is decided again when it could not go for so long: what it was decided by has changed. */
const planLifeMs = 1_000
/** Of lines that are held, more are read ahead only below this. */
const heldBytes = 256 * 1024

export const createUpcoming = ({ readInput, planLine, from, total, now }: UpcomingOptions): Upcoming => {
  let lines: readonly InputLine[] = []
  let plans: { readonly plan: PlannedLine; readonly atMs: number; readonly instead: SkipReason | null }[] = []
  let fed = from.fed
  let position: LinePosition = from
  /** The lines after those; null when they could not be read: then they are read when they are needed. */
  let ahead: Promise<readonly InputLine[] | null> | null = null
  let readyAhead: readonly InputLine[] = []

  const readAhead = (): void => {
    if (ahead || readyAhead.length > 0 || fed + lines.length >= total) return
    ahead = readInput(position).then(
      found => {
        readyAhead = found
        ahead = null
        return found
      },
      () => {
        ahead = null
        return null
      },
    )
  }

  const adopt = (found: readonly InputLine[]): void => {
    const last = found.at(-1)
    if (last) position = { offset: last.end, line: last.number }
    lines = [...lines, ...found]
    readyAhead = []
    readAhead()
  }

  const fill = async (): Promise<void> => {
    await ahead
    adopt(readyAhead.length > 0 ? readyAhead : await readInput(position))
  }

  /** Long lines are not heaped up. */
  const adoptFor = (skip: number, count: number): void => {
    const held = lines.slice(skip)
    const isShort =
      held.length < count && held.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0) < heldBytes
    if (isShort && readyAhead.length > 0) adopt(readyAhead)
  }

  const plan = (count: number, instead: SkipReason | null): void => {
    const atMs = now()
    for (let i = 0; i < Math.min(count, lines.length); i++) {
      const known = plans[i]
      if (known && known.instead === instead && known.atMs >= atMs - planLifeMs) continue
      plans[i] = { plan: planLine(lines[i]!, fed + i + 1, instead), atMs, instead }
    }
  }

  return {
    next: async (count, instead) => {
      if (lines.length === 0) await fill()
      adoptFor(0, count)
      plan(count, instead)
      return lines.slice(0, count).map((line, i) => ({ line, plan: plans[i]!.plan }))
    },
    drop: count => {
      fed += count
      lines = lines.slice(count)
      plans = plans.slice(count)
    },
    prepare: (skip, count, instead) => {
      adoptFor(skip, count)
      plan(skip + count, instead)
    },
  }
}
