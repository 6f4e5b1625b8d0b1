import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly durationMs: number
  /** Requests a second: single jobs, calls that wait for their answer, and lines of batches. */
  readonly rate: number
  readonly sampleEveryMs: number
}

export const usage = `Usage: npm run soak -- [options]

  --minutes M    how long the load lasts (5)
  --rate N       requests a second, of all kinds together (160)
  --sample S     seconds between samples (5, and 15 in runs of more than half an hour)`

const longRunMs = 30 * 60_000

/** Throws a RangeError or TypeError with a sentence for what cannot be read. */
export const readSoakOptions = (args: readonly string[]): SoakOptions | 'help' => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      rate: { type: 'string', default: '160' },
      sample: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const durationMs = numberOf('minutes', values.minutes, 1_440) * 60_000
  return {
    durationMs,
    rate: numberOf('rate', values.rate, 10_000),
    sampleEveryMs:
      values.sample === undefined
        ? durationMs > longRunMs
          ? 15_000
          : 5_000
        : numberOf('sample', values.sample, 3_600) * 1_000,
  }
}

const numberOf = (name: string, text: string, most: number): number => {
  const number = Number(text)
  if (number > 0 && number <= most) return number
  throw new RangeError(`--${name} takes a number above 0, up to ${most}, not '${text}'`)
}
