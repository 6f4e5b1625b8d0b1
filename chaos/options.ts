import { parseArgs } from 'node:util'

export const redisKinds = ['single', 'sentinel'] as const
export type RedisKind = (typeof redisKinds)[number]

export interface ChaosOptions {
  /** Single jobs. */
  readonly jobs: number
  readonly batches: number
  /** Lines in each batch. */
  readonly lines: number
  /** kill -9s; the other faults are planned in proportion. */
  readonly kills: number
  readonly seed: number
  /** How long load and faults are spread over. */
  readonly durationMs: number
  readonly redis: RedisKind
  /** Leaves the folder of the run behind, also of one that passed. */
  readonly keep: boolean
}

export const usage = `Usage: npm run chaos -- [options]

  --jobs N       single jobs (400)
  --batches N    batches (3)
  --lines N      lines in each batch (200)
  --kills N      times that kill -9 meets a process (12); the other faults are planned in proportion
  --seed S       repeats the plan of an earlier run
  --minutes M    how long load and faults are spread over (5 s for each kill, at least 20 s)
  --redis KIND   ${redisKinds.join(' or ')} (single)
  --keep         leaves the folder with all logs behind; that of a failed run always stays`

/** Kills this far apart can be distinguished, and a process has time to come back before its next turn. */
const msPerKill = 5_000
const leastMs = 20_000

const limits = {
  jobs: [0, 100_000],
  batches: [0, 1_000],
  lines: [1, 50_000],
  kills: [0, 10_000],
  seed: [0, 2 ** 32 - 1],
} as const

/** Throws a RangeError or TypeError with a sentence for what cannot be read. `drawSeed` is asked when none is given. */
export const readChaosOptions = (args: readonly string[], drawSeed: () => number): ChaosOptions | 'help' => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '400' },
      batches: { type: 'string', default: '3' },
      lines: { type: 'string', default: '200' },
      kills: { type: 'string', default: '12' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      redis: { type: 'string', default: 'single' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const whole = (name: keyof typeof limits, text: string): number => {
    const [least, most] = limits[name]
    const number = Number(text)
    if (!Number.isInteger(number) || number < least || number > most)
      throw new RangeError(`--${name} takes a whole number from ${least} to ${most}, not '${text}'`)
    return number
  }
  const redis = redisKinds.find(kind => kind === values.redis)
  if (redis === undefined) throw new RangeError(`--redis takes ${redisKinds.join(' or ')}`)
  const kills = whole('kills', values.kills)
  return {
    jobs: whole('jobs', values.jobs),
    batches: whole('batches', values.batches),
    lines: whole('lines', values.lines),
    kills,
    seed: values.seed === undefined ? drawSeed() : whole('seed', values.seed),
    durationMs: values.minutes === undefined ? Math.max(leastMs, kills * msPerKill) : minutes(values.minutes),
    redis,
    keep: values.keep,
  }
}

const minutes = (text: string): number => {
  const number = Number(text)
  if (!(number > 0 && number <= 1_440))
    throw new RangeError(`--minutes takes a number above 0, not '${text}'`)
  return number * 60_000
}
