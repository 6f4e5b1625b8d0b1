import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { createApi } from '../harness/api.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { parseInfo } from '../src/redis/preflight.ts'
import type { Screen } from '../src/terminal/screen.ts'
import { collect } from './audit/collect.ts'
import type { Evidence, Violation } from './audit/evidence.ts'
import { judge } from './audit/judge.ts'
import { type Cluster, openCluster } from './cluster/cluster.ts'
import { lockMs } from './cluster/config.ts'
import type { ChaosRedis } from './cluster/redis.ts'
import { openSentinelRedis } from './cluster/redis-sentinel.ts'
import { openSingleRedis } from './cluster/redis-single.ts'
import type { Fault } from './faults/fault-log.ts'
import { alwaysPossible } from './faults/inflict.ts'
import { runFaults } from './faults/run-faults.ts'
import { createLedger, type Ledger } from './load/ledger.ts'
import { submitAll } from './load/submit.ts'
import { createTenantApi, type TenantApi } from './load/tenant-api.ts'
import { createWatch, type Watch } from './load/watch.ts'
import type { ChaosOptions } from './options.ts'
import { planClocks } from './plan/clocks.ts'
import { type PlannedFault, planFaults } from './plan/faults.ts'
import { planLoad } from './plan/load.ts'
import { watchProgress } from './progress.ts'
import { createRandom } from './random.ts'
import { type Outcome, renderFigures } from './report/figures.ts'
import { historyOf } from './report/history.ts'
import { type Settled, settle } from './settle.ts'

export interface ChaosSettings {
  readonly options: ChaosOptions
  /** A folder of the run's own. */
  readonly dir: string
  readonly screen: Screen
  readonly signal: AbortSignal
}

/** What one run has in its hands. */
interface Run extends ChaosSettings {
  readonly cluster: Cluster
  readonly redis: Redis
  readonly api: TenantApi
  readonly ledger: Ledger
  readonly watch: Watch
  readonly faults: Fault[]
  readonly startedAtMs: number
}

/** Runs load and faults, and says how it went. True when every promise was kept. */
export const runChaos = async (life: Lifecycle, settings: ChaosSettings): Promise<boolean> => {
  const { options, dir, screen, signal } = settings
  const random = createRandom(options.seed)
  const redisUnderTest = await life.open(
    'redis',
    () => openRedis(dir, options),
    redis => redis.close(),
  )
  const load = planLoad(random.fork(), options)
  const plan = planFaults(random.fork(), {
    ...options,
    possible: [...alwaysPossible, ...redisUnderTest.possible],
    lockMs,
  })
  const requests = options.jobs + options.batches * options.lines
  const perSecond = (requests * 1_000) / options.durationMs
  const clocksOff = planClocks(random.fork())
  const cluster = await openCluster(life, { dir, redis: redisUnderTest, clocksOff, perSecond })
  const redis = await life.open(
    'inspector',
    () => quiet(redisUnderTest.connect()),
    redis => redis.disconnect(),
  )
  const api = await life.open(
    'client',
    () => createTenantApi(createApi(cluster.apiUrl, { timeoutMs: 5_000, signal })),
    api => api.close(),
  )
  const ledger = createLedger(load.jobs, load.batches)
  const watch = createWatch(api, ledger, random.fork())
  const run: Run = { ...settings, cluster, redis, api, ledger, watch, faults: [], startedAtMs: Date.now() }
  screen.say(`${requests} requests, ${plan.length} faults in ${Math.round(options.durationMs / 1_000)} s\n`)

  const outcome = { ...(await runAndCollect(run, plan)), clocksOff }
  const violations = judge(outcome.evidence)
  screen.finish()
  screen.say(renderFigures(outcome))
  if (violations.length > 0) screen.say(await tellOf(violations, outcome.evidence, run))
  return violations.length === 0
}

const openRedis = (dir: string, { redis }: ChaosOptions): Promise<ChaosRedis> =>
  redis === 'sentinel' ? openSentinelRedis() : openSingleRedis(dir)

/** It is killed on purpose; the connection comes back by itself. */
const quiet = (redis: Redis): Redis => redis.on('error', () => undefined)

/** Lets load and faults come, and waits until nothing is under way any more, with an eye on it all the time. */
const runPlan = async (run: Run, plan: readonly PlannedFault[]): Promise<Settled> => {
  const { options, cluster, redis, api, ledger, watch, faults, screen, startedAtMs, signal } = run
  const over = new AbortController()
  const watching = AbortSignal.any([over.signal, signal])
  const { urlFor } = cluster.receivers
  const work = async (): Promise<Settled> => {
    try {
      await Promise.all([
        submitAll({ api, apiUrl: cluster.apiUrl, ledger, seed: options.seed, startedAtMs, urlFor, signal }),
        runFaults(cluster, plan, startedAtMs, faults, signal),
      ])
      return await settle(redis, ledger, watch, signal)
    } finally {
      over.abort()
    }
  }
  const [settled] = await Promise.all([
    work(),
    watch.run(watching),
    watchProgress(run, options, screen, watching),
  ])
  return settled
}

const runAndCollect = async (
  run: Run,
  plan: readonly PlannedFault[],
): Promise<Omit<Outcome, 'clocksOff'>> => {
  const { cluster, redis, api, ledger, watch, faults, startedAtMs } = run
  const settled = await runPlan(run, plan)
  const seen = await collect(cluster, api, ledger)
  const redisVersion = parseInfo(await redis.info('server')).get('redis_version') ?? 'unknown'
  // Last of all each process is asked to end, which it must do as well as anything else.
  await Promise.all([...cluster.processes.values()].map(supervised => supervised.end()))
  const lives = new Map([...cluster.processes].map(([name, { lives }]) => [name, lives]))
  const { sightings, linesAtMs } = watch
  return {
    evidence: { ...seen, ledger, sightings, faults, lives, leftovers: settled.leftovers },
    signs: { apiAnsweredAtMs: api.answeredAtMs, linesAtMs, batchesOpen: watch.batchesOpen() },
    settled,
    handovers: await countInLogs(cluster, '"event":"job.handed_over"'),
    reconciled: await countInLogs(cluster, '"event":"job.recovered"'),
    durationMs: Date.now() - startedAtMs,
    redisVersion,
  }
}

const logFilesOf = ({ processes, logFileOf }: Cluster): ReadonlyMap<string, string> =>
  new Map([...processes.keys()].map(name => [name, logFileOf(name)]))

const countInLogs = async (cluster: Cluster, words: string): Promise<number> => {
  const texts = await Promise.all([...logFilesOf(cluster).values()].map(path => readFile(path, 'utf8')))
  return texts.reduce((sum, text) => sum + text.split(words).length - 1, 0)
}

/** This many are reported with their whole history, the others with a line each. */
const toldInFull = 10
const toldAtAll = 100

const tellOf = async (violations: readonly Violation[], evidence: Evidence, run: Run): Promise<string> => {
  const logFiles = logFilesOf(run.cluster)
  const lines = violations
    .slice(0, toldAtAll)
    .map(({ rule, id, marker, what }) => `${rule}: ${marker ?? ''} ${id ?? ''} ${what}`)
  const histories = []
  for (const violation of violations.filter(({ id, marker }) => id ?? marker).slice(0, toldInFull)) {
    histories.push(await historyOf(violation, evidence, run.redis, logFiles))
  }
  const more = violations.length > toldAtAll ? [`… and ${violations.length - toldAtAll} more`] : []
  return [
    `\n${violations.length} promises were not kept:`,
    ...lines,
    ...more,
    '',
    ...histories,
    `\nAll logs are in ${join(run.dir, '*.log')}.`,
  ].join('\n')
}
