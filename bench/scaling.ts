import { Queue } from 'bullmq'
import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import type { FloorJob, FloorWorkerInput } from './processes/floor-worker.ts'
import { chatText } from './support/chat.ts'
import { type Contender, measure, middle, ratioOf, type Speed, takeTurns } from './support/compare.ts'
import { batonInput } from './support/deployment.ts'
import { draining } from './support/draining.ts'
import { loadQueue } from './support/load-queue.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startFloor, startSim } from './support/processes.ts'
import { allSettled, assertSucceeded, batonQueue, keys, openJobs } from './support/queue-state.ts'

const sizes = [1, 2, 4, 8] as const
/** Each process then makes at most 1,000 calls a second, a fraction of what a core could. */
const latencyMs = 50
const concurrency = 50
const jobsEach = 1_000
const rounds = 3
const floorQueue = 'floor'

const startMany = (count: number, start: () => Promise<Child>): Promise<Child[]> =>
  Promise.all(Array.from({ length: count }, start))

/** The first one, two, four … of the same processes. */
type Team = (size: number) => Contender

const floorTeam = async (environment: TestEnvironment, simUrl: string): Promise<Team> => {
  const { redis, redisUrl } = environment
  const queue = new Queue<FloorJob>(floorQueue, {
    connection: { url: redisUrl },
    streams: { events: { maxLen: 0 } },
  })
  environment.closing(() => queue.close())
  const input: FloorWorkerInput = { redisUrl, queue: floorQueue, simUrl, concurrency }
  const workers = await startMany(sizes.at(-1)!, () => startFloor(environment, 'worker', input))
  const job = { name: 'j', data: { body: chatText } }
  return size =>
    draining(environment, {
      workers: workers.slice(0, size),
      load: async count => {
        for (let left = count; left > 0; left -= 500)
          await queue.addBulk(Array(Math.min(left, 500)).fill(job))
      },
      isDone: async () => (await openJobs(redis, `bull:${floorQueue}`)) === 0,
    })
}

const batonTeam = async (environment: TestEnvironment, simUrl: string): Promise<Team> => {
  const { redis } = environment
  const input = batonInput(environment.redisUrl, simUrl, concurrency)
  const workers = await startMany(sizes.at(-1)!, () => startBaton(environment, 'worker', input))
  let jobIds: string[] = []
  return size =>
    draining(environment, {
      workers: workers.slice(0, size),
      load: async count => {
        jobIds = await loadQueue(input, count)
      },
      isDone: () => allSettled(redis, [batonQueue]),
      check: async () => {
        await assertSucceeded(redis, jobIds)
        await redis.unlink(jobIds.map(keys.record))
      },
    })
}

type Size = (typeof sizes)[number]
type Name = `${'floor' | 'baton'} ${Size}`

const called = (size: Size): string => (size === 1 ? '1 process' : `${size} processes`)

/** One provider's queue served by one, two, four and eight processes, of the floor's and of Baton's. */
export const scaling = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment, '--latency', String(latencyMs))
    const floor = await floorTeam(environment, simUrl)
    const baton = await batonTeam(environment, simUrl)
    const each = jobsOr(jobsEach)
    const most = sizes.at(-1)!
    for (const team of [floor, baton]) await measure(team(most), each * most)

    const contenders = Object.fromEntries(
      sizes.flatMap(size => [
        [`floor ${size}`, floor(size)],
        [`baton ${size}`, baton(size)],
      ]),
    ) as Record<Name, Contender>
    const sizeOf = (name: Name): number => Number(name.split(' ')[1])
    print(await takeTurns(contenders, name => each * sizeOf(name), roundsOr(rounds)))
  })

const print = (speeds: Readonly<Record<Name, readonly Speed[]>>): void => {
  printTable(
    ['jobs/s', 'floor', 'baton', 'ratio', 'floor to its one', 'baton to its one'],
    sizes.map(size => {
      const [floors, batons] = [speeds[`floor ${size}`], speeds[`baton ${size}`]]
      return [
        called(size),
        whole(middle(floors, 'perSecond')),
        whole(middle(batons, 'perSecond')),
        fixed(ratioOf(batons, floors), 2),
        fixed(ratioOf(floors, speeds['floor 1']), 2),
        fixed(ratioOf(batons, speeds['baton 1']), 2),
      ]
    }),
  )
  console.log()
  printTable(
    ['processor µs a job', 'floor', 'baton', "floor's Redis", "baton's Redis"],
    sizes.map(size => {
      const [floors, batons] = [speeds[`floor ${size}`], speeds[`baton ${size}`]]
      return [
        called(size),
        ...(['processMicros', 'redisMicros'] as const).flatMap(figure => [
          whole(middle(floors, figure)),
          whole(middle(batons, figure)),
        ]),
      ]
    }),
  )
}
