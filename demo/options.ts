import { parseArgs } from 'node:util'
import type { Load } from './narration.ts'

/** Beside the batch one single job for ten lines, but no more than these. */
const linesPerJob = 10
const mostJobs = 100

/** Reads `--lines N` (1,000 when absent). Throws a RangeError with a sentence for anything else. */
export const readDemoOptions = (args: readonly string[]): Load => {
  const { values } = parseArgs({ args: [...args], options: { lines: { type: 'string', default: '1000' } } })
  const lines = Number(values.lines)
  if (!Number.isInteger(lines) || lines < 1 || lines > 50_000) {
    throw new RangeError(`--lines takes a whole number from 1 to 50000, not '${values.lines}'`)
  }
  return { lines, jobs: Math.min(mostJobs, Math.ceil(lines / linesPerJob)) }
}
