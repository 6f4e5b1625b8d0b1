import { fixed, printTable, whole } from '../harness/figures.ts'
import type { Ledger } from './ledger.ts'
import type { Sample } from './sampler.ts'
import { type Point, slopeOf } from './slope.ts'

const mostRows = 12
const hourMs = 3_600_000

/** What is shown of each sample; the slopes are of everything. */
const columns = [
  'api RSS MB',
  'worker-primary RSS MB',
  'worker-backup RSS MB',
  'worker-webhooks RSS MB',
  'worker-batches RSS MB',
  'Redis MB',
  'Redis keys',
  'submit p50 ms',
  'submit p99 ms',
  'job p50 ms',
  'job p99 ms',
  'api loop p99 ms',
]

const shown = (value: number | undefined): string =>
  value === undefined ? '-' : fixed(value, value < 100 ? 1 : 0)

/** The samples, thinned out. */
export const printSamples = (samples: readonly Sample[]): void => {
  const step = Math.max(1, Math.ceil(samples.length / mostRows))
  const rows = samples.filter((_, i) => (samples.length - 1 - i) % step === 0)
  printTable(
    ['min', ...columns.map(name => name.replace(/^worker-/, '').replace(/ (RSS )?MB$/, ''))],
    rows.map(({ atMs, figures }) => [fixed(atMs / 60_000, 1), ...columns.map(name => shown(figures[name]))]),
  )
}

/** How every figure changes over the second half, when all that is kept for a while has come to its measure. */
export const printSlopes = (samples: readonly Sample[], durationMs: number): void => {
  const half = samples.filter(({ atMs }) => atMs >= durationMs / 2)
  const names = [...new Set(half.flatMap(({ figures }) => Object.keys(figures)))]
  printTable(
    ['second half, change an hour', 'mean', 'last', 'least squares', '± error', 'Theil-Sen'],
    names.flatMap(name => {
      const points = half.flatMap(({ atMs, figures }): Point[] => {
        const y = figures[name]
        return y === undefined ? [] : [{ x: atMs / hourMs, y }]
      })
      const slope = slopeOf(points)
      if (slope === null) return []
      const mean = points.reduce((total, { y }) => total + y, 0) / points.length
      const figures = [mean, points.at(-1)!.y, slope.perX, slope.error, slope.robust]
      return [[name, ...figures.map(value => fixed(value, 1))]]
    }),
  )
}

export const printCounts = ({ counts, webhooks }: Ledger, seconds: number): void => {
  const rows = Object.entries(counts).map(([kind, { began, ended }]) => [
    kind,
    whole(began),
    whole(ended),
    fixed(began / seconds, 1),
  ])
  printTable(['', 'begun', 'done', 'a second'], rows)
  const { due, missing, repeated } = webhooks
  console.log(`  webhooks: ${whole(due)} due, ${missing} missing, ${repeated} repeated`)
}

/** Processor time of each process, as a share of one processor. */
export const printProcessorTime = (shares: ReadonlyMap<string, number>): void => {
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0)
  const text = [...shares].map(([name, share]) => `${name} ${fixed(share * 100, 0)} %`).join(', ')
  console.log(`  processor time: ${text}; together ${fixed(total * 100, 0)} % of one`)
}
