import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import { until } from '../harness/until.ts'
import type { FloorApiInput } from './processes/floor-api.ts'
import type { FloorWorkerInput } from './processes/floor-worker.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { chatText, createClient, jobPath, jobText } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startFloor, startSim } from './support/processes.ts'
import { allSettled, batonQueue, openJobs } from './support/queue-state.ts'
import { combine, type RedisUsage, redisUsage } from './support/redis-usage.ts'

const connections = 64
const usualJobs = 6_400
const usualRounds = 2
const concurrency = 100
const loneJobs = 100
/** Several times what a lone job takes: none meets the next, and Redis is asked nothing meanwhile. */
const paceMs = 20
const idleMs = 2_000
/** For what came up while they were frozen. */
const catchUpMs = 300
const floorQueue = 'floor'

/** One way for jobs to get done. */
interface Way {
  readonly children: readonly Child[]
  /** Resolves when `count` jobs are done, with little asking of its own. */
  run(count: number): Promise<void>
}

type Ways = Record<'floor' | 'jobs' | 'lines' | 'floor, alone' | 'jobs, alone', Way>

const less = (a: number, b: number): number => a - b

/** Runs `work` with these processes alone, and returns what Redis did meanwhile. */
const watch = async ({ redis }: TestEnvironment, { children }: Way, work: () => Promise<unknown>) => {
  for (const child of children) child.thaw()
  await delay(catchUpMs)
  const before = await redisUsage(redis)
  const startedAt = performance.now()
  await work()
  const seconds = (performance.now() - startedAt) / 1_000
  const used = combine(await redisUsage(redis), before, less)
  for (const child of children) child.freeze()
  return { used, seconds }
}

/** What Redis does by the second for processes that have nothing to do. */
const idling = async (environment: TestEnvironment, way: Way): Promise<RedisUsage> => {
  const { used, seconds } = await watch(environment, way, () => delay(idleMs))
  return combine(used, used, all => all / seconds)
}

/** That is no cost of a job, so it is taken off. */
const measure = async (
  environment: TestEnvironment,
  way: Way,
  idle: RedisUsage,
  count: number,
): Promise<RedisUsage> => {
  const { used, seconds } = await watch(environment, way, () => way.run(count))
  return combine(used, idle, (all, resting) => (all - resting * seconds) / count)
}

/** Sends to `url`, all at once or one by one, and waits for the provider to have seen them all and Redis to be done. */
const sending = (
  environment: TestEnvironment,
  url: string,
  text: string,
  sim: SimulatedProvider,
  isDone: () => Promise<boolean>,
) => {
  const client = createClient(url, connections)
  environment.closing(() => client.close())
  const following = async (count: number, send: () => Promise<unknown>): Promise<void> => {
    const target = (await sim.calls()) + count
    await send()
    await until(async () => (await sim.calls()) >= target)
    await until(isDone)
  }
  const paced = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await client.post(jobPath, text, 202)
      await delay(paceMs)
    }
  }
  return {
    together: (count: number) => following(count, () => client.postMany(count, jobPath, text, 202)),
    alone: (count: number) => following(count, () => paced(count)),
  }
}

const floorWays = async (
  environment: TestEnvironment,
  sim: SimulatedProvider,
): Promise<Pick<Ways, 'floor' | 'floor, alone'>> => {
  const { redis, redisUrl } = environment
  const apiInput: FloorApiInput = { redisUrl, queue: floorQueue }
  const workerInput: FloorWorkerInput = { redisUrl, queue: floorQueue, simUrl: sim.url, concurrency }
  const worker = await startFloor(environment, 'worker', workerInput)
  const api = await startFloor(environment, 'api', apiInput)
  const children = [worker, api]
  const isDone = async () => (await openJobs(redis, `bull:${floorQueue}`)) === 0
  const send = sending(environment, api.url, JSON.stringify({ body: chatText }), sim, isDone)
  return { floor: { children, run: send.together }, 'floor, alone': { children, run: send.alone } }
}

const batonWays = async (
  environment: TestEnvironment,
  sim: SimulatedProvider,
): Promise<Omit<Ways, 'floor' | 'floor, alone'>> => {
  const input = batonInput(environment.redisUrl, sim.url, concurrency)
  const config = { ...input.config, storage: { path: `${environment.dir}/blobs` } }
  const start = (role: 'worker' | 'api' | 'batches') => startBaton(environment, role, { ...input, config })
  const [worker, api, feeder] = [await start('worker'), await start('api'), await start('batches')]
  const children = [worker, api]
  const send = sending(environment, api.url, jobText, sim, () => allSettled(environment.redis, [batonQueue]))
  const batches = createBatchClient(api.url)

  const runBatch = async (count: number): Promise<void> => {
    const path = `${environment.dir}/requests.jsonl`
    await writeRequests(path, count, chatLineBytes)
    const { id } = await batches.create(await batches.upload(path))
    const { request_counts } = await batches.until(id, ({ status }) => status === 'completed', 50)
    if (request_counts.completed !== count) throw new Error(`only ${request_counts.completed} answers`)
  }
  return {
    jobs: { children, run: send.together },
    lines: { children: [worker, api, feeder], run: runBatch },
    'jobs, alone': { children, run: send.alone },
  }
}

type Usages = Record<keyof Ways, RedisUsage[]>

const rows: readonly (readonly [name: string, figure: keyof RedisUsage, digits: number])[] = [
  ['processor µs', 'cpuMicros', 0],
  ['script calls', 'scriptCalls', 2],
  ['commands, in scripts too', 'commands', 1],
  ['bytes to Redis', 'bytesIn', 0],
  ['bytes from Redis', 'bytesOut', 0],
]

/** What Redis does for a job from the request that submits it to its final result, over the floor's and Baton's ways. */
export const redisCost = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const sim = await startSim(environment)
    const ways: Ways = { ...(await floorWays(environment, sim)), ...(await batonWays(environment, sim)) }
    const all = Object.entries(ways) as [keyof Ways, Way][]
    const countOf = (name: keyof Ways): number => (name.endsWith('alone') ? loneJobs : jobsOr(usualJobs))
    for (const { children } of Object.values(ways)) for (const child of children) child.freeze()
    const idle = new Map<keyof Ways, RedisUsage>()
    for (const [name, way] of all) {
      await watch(environment, way, () => way.run(Math.ceil(countOf(name) / 10)))
      idle.set(name, await idling(environment, way))
    }
    const usages = Object.fromEntries(all.map(([name]) => [name, []])) as unknown as Usages
    for (let round = 0; round < roundsOr(usualRounds); round++) {
      for (const [name, way] of round % 2 === 0 ? all : all.toReversed())
        usages[name].push(await measure(environment, way, idle.get(name)!, countOf(name)))
    }
    print(usages)
  })

const print = (usages: Usages): void => {
  const figuresOf = (name: keyof Ways, figure: keyof RedisUsage) => usages[name].map(usage => usage[figure])
  const beside = (floor: keyof Ways, ...names: readonly (keyof Ways)[]): string[][] =>
    rows.map(([called, figure, digits]) => {
      const floors = figuresOf(floor, figure)
      const cells = names.flatMap(name => {
        const own = figuresOf(name, figure)
        return [fixed(median(own), digits), fixed(median(own.map((one, i) => one / floors[i]!)), 2)]
      })
      return [called, fixed(median(floors), digits), ...cells]
    })
  const head = ['floor', 'single jobs', 'ratio']
  printTable(['a job, under load', ...head, 'lines of a batch', 'ratio'], beside('floor', 'jobs', 'lines'))
  console.log()
  printTable(['a job, one by one', ...head], beside('floor, alone', 'jobs, alone'))
}
