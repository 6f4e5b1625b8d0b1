import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import { cpuMicrosOf } from '../harness/process-usage.ts'
import { until } from '../harness/until.ts'
import { walkedPerShard, walkPollMs } from '../src/queue/reconciler.ts'
import { shardCount } from '../src/redis/keys.ts'
import { chatText } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { type Loader, openLoader } from './support/load-queue.ts'
import { memoryByKind } from './support/memory-by-kind.ts'
import { jobsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { reconcile } from './support/reconcile.ts'

const usualJobs = 20_000
const fewJobs = 1_000
/** Submitted, and then taken, at each depth of the queue. */
const step = 5_000
/** Looked at by the reconciler. */
const walked = 20_000
/** Calls before which a worker that has just started is not measured. */
const warmUp = 1_000
const places = 100
const idleMs = 2_000
const bodyBytes = Buffer.byteLength(chatText)
const patience = { timeoutMs: 300_000, everyMs: 5 }

interface Speed {
  readonly perSecond: number
  readonly redisMicros: number
}

interface Depth {
  readonly waiting: number
  readonly submit: Speed
  readonly claim: Speed
  readonly walk: Speed
}

/** How long a process took for some work, and its processor time meanwhile. */
const spentBy = async (pid: number, work: () => Promise<unknown>) => {
  const cpuBefore = await cpuMicrosOf(pid)
  const startedAt = performance.now()
  await work()
  return { seconds: (performance.now() - startedAt) / 1e3, micros: (await cpuMicrosOf(pid)) - cpuBefore }
}

const speedOf = async (redisPid: number, count: number, work: () => Promise<void>): Promise<Speed> => {
  const { seconds, micros } = await spentBy(redisPid, work)
  return { perSecond: count / seconds, redisMicros: micros / count }
}

/** Takes off what Redis does while nothing is asked of it: the reconciler's walk of this process above all. */
const without = (idleMicrosPerSecond: number, { perSecond, redisMicros }: Speed): Speed => ({
  perSecond,
  redisMicros: Math.max(0, redisMicros - idleMicrosPerSecond / perSecond),
})

/**
 * A rewrite of the append-only file is not asked for, as other sections do: Redis forks for it, and then pays for the first
 * touch of each page, which with a million jobs doubled what it does for one.
 */
const noRewrite = (redis: Redis) =>
  until(async () => (await redis.info('persistence')).includes('aof_rewrite_in_progress:0'), patience)

const openStage = async (environment: TestEnvironment) => {
  const sim = await startSim(environment)
  const input = batonInput(environment.redisUrl, sim.url, places)
  const loader = await openLoader(input)
  environment.closing(loader.close)

  const submit = () =>
    speedOf(environment.redisPid, step, async () => {
      await loader.load(step)
      await loader.allRung()
    })

  /** A worker that has just been started takes as many as were submitted, and is killed. */
  const claim = async (): Promise<Speed> => {
    const before = await sim.calls()
    const called = (count: number) => until(async () => (await sim.calls()) >= before + count, patience)
    const worker = await startBaton(environment, 'worker', input)
    await called(warmUp)
    const speed = await speedOf(environment.redisPid, step - warmUp, async () => void (await called(step)))
    await worker.kill()
    return speed
  }

  const walk = () =>
    speedOf(environment.redisPid, walked, async () => void (await reconcile(loader.context, walked)))

  return {
    loader,
    measure: async (waiting: number): Promise<Depth> => {
      await noRewrite(environment.redis)
      const idle = await spentBy(environment.redisPid, () => delay(idleMs))
      const ownOf = (speed: Speed) => without(idle.micros / idle.seconds, speed)
      return {
        waiting,
        walk: ownOf(await walk()),
        submit: ownOf(await submit()),
        claim: ownOf(await claim()),
      }
    },
  }
}

const fill = async (loader: Loader, count: number): Promise<string> => {
  const [id] = await loader.load(count)
  await loader.allRung()
  return id!
}

/** What a waiting job takes in Redis beside its body. */
const printMemory = async ({ redis }: TestEnvironment, anyId: string, jobs: number): Promise<void> => {
  const sums = await memoryByKind(redis, anyId)
  // A short body stands in the record, a long one in a key of its own.
  const parts = [...sums].map(
    ([kind, bytes]) => [kind, bytes / jobs - (kind === 'record' ? bodyBytes : 0)] as const,
  )
  const together = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
  printTable(
    ['bytes a job, beside its body', ''],
    [...parts.toSorted(([, a], [, b]) => b - a), ['together', together] as const].map(([name, bytes]) => [
      name,
      fixed(bytes, 0),
    ]),
  )
}

const printDepths = (few: Depth, many: Depth): void => {
  const rowsOf = (name: string, of: (depth: Depth) => Speed): string[][] => [
    [
      `${name}, jobs/s`,
      whole(of(few).perSecond),
      whole(of(many).perSecond),
      fixed(of(many).perSecond / of(few).perSecond, 2),
    ],
    [
      `${name}, Redis µs a job`,
      whole(of(few).redisMicros),
      whole(of(many).redisMicros),
      fixed(of(many).redisMicros / of(few).redisMicros, 2),
    ],
  ]
  printTable(
    ['jobs that wait', whole(few.waiting), whole(many.waiting), 'ratio'],
    [
      ...rowsOf('submit', depth => depth.submit),
      ...rowsOf('claim, call, end', depth => depth.claim),
      ...rowsOf('a look of the reconciler', depth => depth.walk),
    ],
  )
  const perSecond = (walkedPerShard * shardCount * 1e3) / walkPollMs
  console.log()
  printTable(
    ['a walk at the pace of the reconciler', 'minutes', '% of Redis'],
    [
      [
        `over ${whole(many.waiting)} jobs`,
        fixed(many.waiting / perSecond / 60, 1),
        fixed((100 * Math.min(many.waiting, perSecond) * many.walk.redisMicros) / 1e6, 1),
      ],
    ],
  )
}

/** Jobs that wait: what one takes in Redis, and whether many of them slow down what comes and goes. */
export const waiting = async (): Promise<void> => {
  const depths: Depth[] = []
  const many = jobsOr(usualJobs)
  for (const jobs of [fewJobs, many]) {
    await withTestEnvironment(async environment => {
      const { loader, measure } = await openStage(environment)
      const anyId = await fill(loader, jobs)
      if (jobs === many) await printMemory(environment, anyId, jobs)
      depths.push(await measure(jobs))
    })
  }
  console.log()
  printDepths(depths[0]!, depths[1]!)
}
