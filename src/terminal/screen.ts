/** Where progress is written: a terminal, a file or a pipe. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** How far something is. */
export interface Frame {
  /** 0 to 1. */
  readonly share: number
  readonly text: string
  /** What the text is about. A change is shown at once where there is no bar. */
  readonly phase: string
}

/** A bar that moves on a terminal, cut at its edge, as a line that wraps could not be drawn over; a line now and then elsewhere, less often the longer it takes. */
export interface Screen {
  /** A text that stays. */
  say(text: string): void
  show(frame: Frame): void
  /** Leaves the last state of the bar standing. */
  finish(): void
}

/** Bytes that pass before anybody could read how many have: progress of fewer is not shown. */
export const shownFromBytes = 2e6

/** For who wants to see no progress. */
export const noScreen: Screen = { say: () => {}, show: () => {}, finish: () => {} }

const leastBarWidth = 6
const mostBarWidth = 24
const pause = { leastMs: 2_000, mostMs: 60_000, shareOfElapsed: 0.05 }
const clearLine = '\r\u001b[K'

export const createScreen = (output: Output, now: () => number): Screen => {
  let barShown = false
  let barWidth = mostBarWidth
  const say = (text: string): void => {
    output.write(`${barShown ? clearLine : ''}${text}\n`)
    barShown = false
  }
  const showBar = (frame: Frame): void => {
    const room = (output.columns ?? 80) - 1
    // It makes room for a longer text, but does not grow again: that would look like a step back.
    barWidth = Math.min(barWidth, Math.max(0, room - frame.text.length - 3))
    output.write(`${clearLine}${bar(frame.share, barWidth)}${frame.text}`.slice(0, clearLine.length + room))
    barShown = true
  }
  const finish = (): void => {
    if (barShown) output.write('\n')
    barShown = false
  }
  return { say, show: output.isTTY ? showBar : createLines(say, now), finish }
}

const createLines = (say: (text: string) => void, now: () => number): ((frame: Frame) => void) => {
  let startedAt: number | null = null
  let lastAt = Number.NEGATIVE_INFINITY
  let lastPhase = ''
  return ({ share, text, phase }) => {
    startedAt ??= now()
    const pauseMs = Math.min(
      pause.mostMs,
      Math.max(pause.leastMs, (now() - startedAt) * pause.shareOfElapsed),
    )
    if (phase === lastPhase && share < 1 && now() - lastAt < pauseMs) return
    lastAt = now()
    lastPhase = phase
    say(text)
  }
}

const bar = (share: number, width: number): string =>
  width < leastBarWidth ? '' : `[${'#'.repeat(Math.floor(share * width)).padEnd(width, '-')}] `

/** Takes how many are done by now, and answers how many a second that was over the last while. */
type Rate = (done: number, atMs: number) => number

/** Short enough to follow a change, long enough that counts which come in lumps do not make it jump. */
const windowMs = 5_000

export const createRate = (): Rate => {
  const looks: { readonly done: number; readonly atMs: number }[] = []
  return (done, atMs) => {
    looks.push({ done, atMs })
    while (looks.length > 2 && looks[1]!.atMs <= atMs - windowMs) looks.shift()
    const first = looks[0]!
    return atMs === first.atMs ? 0 : ((done - first.done) * 1_000) / (atMs - first.atMs)
  }
}
