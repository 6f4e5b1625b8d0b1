import type { Redis } from 'ioredis'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable } from '../harness/figures.ts'
import { until } from '../harness/until.ts'
import { parseDoorbell } from '../src/jobs/doorbell.ts'
import { createSchedule } from '../src/jobs/schedule.ts'
import { shardCount } from '../src/redis/keys.ts'
import { createScriptRunner } from '../src/redis/scripts.ts'
import { chatText, createClient, jobPath, jobText } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { startBaton } from './support/processes.ts'
import { batonQueue, keys } from './support/queue-state.ts'

const jobCount = 20_000
const connections = 64
/** Nothing is called: no worker runs. */
const noProvider = 'http://127.0.0.1:9'
const bodyBytes = Buffer.byteLength(chatText)

const usedBytes = async (redis: Redis): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))![1])

/** Redis's own count for a key: its name, its value and their bookkeeping. */
const bytesOf = async (redis: Redis, ...names: readonly string[]): Promise<number> => {
  const bytes = await Promise.all(names.map(name => redis.memory('USAGE', name, 'SAMPLES', 0)))
  return bytes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

/** What a waiting job takes in Redis beside its body. */
export const waitingMemory = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { redis, redisUrl, closing } = environment
    const api = await startBaton(environment, 'api', batonInput(redisUrl, noProvider))
    const client = createClient(api.url, connections)
    closing(() => client.close())
    const schedule = createSchedule(redis, createScriptRunner(redis), keys, {
      now: Date.now,
      aheadMs: () => 0,
    })
    const submit = async (count: number): Promise<void> => {
      await client.postMany(count, jobPath, jobText, 202)
      await until(async () => (await schedule.size()) === 0)
    }

    // Scripts, connections and all else that comes once must not be counted with the jobs.
    await submit(connections)
    const before = await usedBytes(redis)
    await submit(jobCount)
    const perJob = ((await usedBytes(redis)) - before) / jobCount - bodyBytes
    const parts = await partsOf(redis)
    const named = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
    printTable(
      ['bytes a job, beside its body', ''],
      [...parts, ["Redis's tables and the rest", perJob - named] as const, ['together', perJob] as const].map(
        ([name, bytes]) => [name, fixed(bytes, 0)],
      ),
    )
  })

const partsOf = async (redis: Redis): Promise<(readonly [name: string, bytes: number])[]> => {
  const doorbell = (await redis.lindex(`${batonQueue}:wait`, 0))!
  const jobId = parseDoorbell(doorbell).jobId
  const jobs = await redis.llen(`${batonQueue}:wait`)
  const indexes = Array.from({ length: shardCount }, (_, shard) => keys.index(shard))
  return [
    // A short body stands in the record, a long one in a key of its own.
    ['record', (await bytesOf(redis, keys.record(jobId), keys.payload(jobId))) - bodyBytes],
    ['doorbell', await bytesOf(redis, `${batonQueue}:${doorbell}`)],
    ['place in the queue', (await bytesOf(redis, `${batonQueue}:wait`)) / jobs],
    ['place in the list of jobs', (await bytesOf(redis, ...indexes)) / jobs],
  ]
}
