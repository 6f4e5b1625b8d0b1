import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly jobs: number
}

/** Reads `--jobs N` (1,000 when absent). Throws a RangeError with a sentence for anything else. */
export const readDemoOptions = (args: readonly string[]): DemoOptions => {
  const { values } = parseArgs({ args: [...args], options: { jobs: { type: 'string', default: '1000' } } })
  const jobs = Number(values.jobs)
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 100_000) {
    throw new RangeError(`--jobs takes a whole number from 1 to 100000, not '${values.jobs}'`)
  }
  return { jobs }
}
