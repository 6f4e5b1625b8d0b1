import { Queue } from 'bullmq'
import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { until } from '../harness/until.ts'
import type { FloorJob, FloorWorkerInput } from './processes/floor-worker.ts'
import { chatText } from './support/chat.ts'
import { type Contender, compare } from './support/compare.ts'
import { batonInput } from './support/deployment.ts'
import { loadQueue } from './support/load-queue.ts'
import { startBaton, startFloor, startSim } from './support/processes.ts'
import {
  allSettled,
  assertSucceeded,
  batonQueue,
  compactFile,
  keys,
  openJobs,
} from './support/queue-state.ts'

const jobCount = 10_000
const concurrency = 100
const floorQueue = 'floor'

/** All jobs wait in the queue before the worker may begin. */
const draining = (
  { redis, redisPid }: TestEnvironment,
  worker: Child,
  load: (count: number) => Promise<void>,
  isDone: () => Promise<boolean>,
): Contender => ({
  pids: { process: worker.pid, redis: redisPid },
  prepare: async count => {
    worker.freeze()
    await load(count)
    await compactFile(redis)
  },
  work: async () => {
    worker.thaw()
    await until(isDone)
  },
  rest: worker.freeze,
})

const createFloor = async (environment: TestEnvironment, simUrl: string): Promise<Contender> => {
  const { redisUrl } = environment
  const queue = new Queue<FloorJob>(floorQueue, {
    connection: { url: redisUrl },
    // As Baton has it. BullMQ's own default, 10,000 events, would cost the floor a little more.
    streams: { events: { maxLen: 0 } },
  })
  environment.closing(() => queue.close())
  const input: FloorWorkerInput = { redisUrl, queue: floorQueue, simUrl, concurrency }
  const worker = await startFloor(environment, 'worker', input)
  const job = { name: 'j', data: { body: chatText } }
  const load = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 500) await queue.addBulk(Array(Math.min(left, 500)).fill(job))
  }
  return draining(
    environment,
    worker,
    load,
    async () => (await openJobs(environment.redis, `bull:${floorQueue}`)) === 0,
  )
}

const createBaton = async (environment: TestEnvironment, simUrl: string): Promise<Contender> => {
  const { redis, redisUrl } = environment
  const input = batonInput(redisUrl, simUrl, concurrency)
  const worker = await startBaton(environment, 'worker', input)
  let jobIds: string[] = []
  const load = async (count: number): Promise<void> => {
    jobIds = await loadQueue(input, count)
  }
  const contender = draining(environment, worker, load, () => allSettled(redis, [batonQueue]))
  return {
    ...contender,
    rest: async () => {
      await contender.rest()
      await assertSucceeded(redis, jobIds)
      await redis.unlink(jobIds.map(keys.record))
    },
  }
}

export const workerSpeed = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment)
    const floor = await createFloor(environment, simUrl)
    const baton = await createBaton(environment, simUrl)
    await compare('jobs/s', floor, baton, jobCount)
  })
