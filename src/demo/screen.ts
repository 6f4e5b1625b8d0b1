import type { Tally } from './progress.ts'

/** Where the demo writes: a bar that moves on a terminal, a line now and then elsewhere. */
export interface Screen {
  say(text: string): void
  show(tally: Tally): void
}

export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const barWidth = 16
const lineEveryMs = 2_000
const clearLine = '\r\u001b[K'

export const createScreen = (output: Output, now: () => number): Screen => {
  let barShown = false
  let lastLineAt = Number.NEGATIVE_INFINITY
  let lastPhase = ''

  const say = (text: string): void => {
    output.write(`${barShown ? clearLine : ''}${text}\n`)
    barShown = false
  }
  const showBar = (tally: Tally): void => {
    const text = `[${bar(tally.done / tally.total)}] ${describe(tally)}`
    // A line that wraps could not be drawn over.
    output.write(`${clearLine}${text.slice(0, (output.columns ?? 80) - 1)}`)
    barShown = true
  }
  const showLine = (tally: Tally): void => {
    const isNews = tally.phase !== lastPhase || tally.done === tally.total
    if (!isNews && now() - lastLineAt < lineEveryMs) return
    lastLineAt = now()
    lastPhase = tally.phase
    say(describe(tally))
  }
  return { say, show: output.isTTY ? showBar : showLine }
}

const bar = (share: number): string => '#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '-')

const describe = (tally: Tally): string =>
  [
    `${tally.done}/${tally.total} done`,
    `${tally.perSecond}/s`,
    `primary ${tally.phase}`,
    `running ${tally.running}`,
    `parked ${tally.parked}`,
    `queued ${tally.queued}`,
    `webhooks ${tally.webhooks}`,
  ].join(' · ')
