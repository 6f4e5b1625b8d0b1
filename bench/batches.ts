import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { peakResidentBytesOf } from '../harness/process-usage.ts'
import { until } from '../harness/until.ts'
import {
  type Batch,
  type BatchClient,
  createBatchClient,
  requestOf,
  writeRequests,
} from './support/batches.ts'
import { createClient, jobPath } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { startBaton, startSim } from './support/processes.ts'
import { batonQueue, openJobs } from './support/queue-state.ts'

/** 100,000 requests of this length are the 256 MiB that a document of Anthropic's may have. */
const lineBytes = 2_684
const sizes = [1_000, 10_000, 100_000]
const concurrency = 100
const pairs = 3
const pairSize = 10_000
const smallCount = 10
const smallBatches = 3
const connections = 64

const openBatchStage = async (environment: TestEnvironment) => {
  const { url: simUrl } = await startSim(environment)
  const input = batonInput(environment.redisUrl, simUrl, concurrency)
  const config = {
    ...input.config,
    storage: { path: `${environment.dir}/blobs` },
    batches: { max_lines: 100_000, max_file_bytes: 300_000_000 },
  }
  const worker = await startBaton(environment, 'worker', { ...input, config })
  const feeder = await startBaton(environment, 'batches', { ...input, config })
  const api = await startBaton(environment, 'api', { ...input, config })
  return { worker, feeder, api, client: createBatchClient(api.url) }
}

const requestsOf = async (environment: TestEnvironment, count: number): Promise<string> => {
  const path = `${environment.dir}/requests-${count}.jsonl`
  await writeRequests(path, count, lineBytes)
  return path
}

const completed = ({ status }: Batch): boolean => status === 'completed'

const usedBytes = async (redis: Redis): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))![1])

/** Looks at Redis's memory until `done`; answers the most there was above the beginning. */
const watchMemory = async (redis: Redis, done: Promise<unknown>): Promise<number> => {
  const idle = await usedBytes(redis)
  let most = idle
  let over = false
  void done.finally(() => (over = true)).catch(() => undefined)
  while (!over) {
    most = Math.max(most, await usedBytes(redis))
    await delay(20)
  }
  return most - idle
}

interface Run {
  readonly validationMs: number
  readonly totalMs: number
}

/** From the create to `completed`, when the output is durable; checks that every request has its answer. */
const runBatch = async (client: BatchClient, fileId: string, count: number): Promise<Run> => {
  const startedAt = performance.now()
  const { id } = await client.create(fileId)
  await client.until(id, batch => batch.status !== 'validating', 2)
  const validationMs = performance.now() - startedAt
  const batch = await client.until(id, completed)
  const totalMs = performance.now() - startedAt
  if (batch.request_counts.completed !== count)
    throw new Error(`only ${batch.request_counts.completed} answers`)
  const answers = await client.countAnswers(batch.output_file_id!)
  if (answers !== count) throw new Error(`${answers} lines in the output of ${count} requests`)
  return { validationMs, totalMs }
}

/** Each size has processes of its own, so that a peak is the peak of that size. */
const sizeRow = async (count: number): Promise<string[]> => {
  const row: string[] = []
  await withTestEnvironment(async environment => {
    const { feeder, api, client } = await openBatchStage(environment)
    const path = await requestsOf(environment, count)
    const { size } = await stat(path)
    const running = client.upload(path).then(fileId => runBatch(client, fileId, count))
    const [run, redisBytes] = await Promise.all([running, watchMemory(environment.redis, running)])
    row.push(
      `${whole(count)} lines, ${fixed(size / 1e6, 0)} MB`,
      fixed((await peakResidentBytesOf(api.pid)) / 1e6, 0),
      fixed((await peakResidentBytesOf(feeder.pid)) / 1e6, 0),
      fixed(redisBytes / 1e6, 1),
      fixed(size / 1e6 / (run.validationMs / 1e3), 0),
      whole(count / (run.totalMs / 1e3)),
    )
  })
  return row
}

/** The same requests as single jobs: from the first `POST /v1/jobs` to the last result. */
const runJobs = async (environment: TestEnvironment, url: string, count: number): Promise<number> => {
  const client = createClient(url, connections)
  const { url: endpoint, body } = JSON.parse(requestOf(lineBytes))
  const text = JSON.stringify({ endpoint, body })
  const startedAt = performance.now()
  await client.postMany(count, jobPath, text, 202)
  await until(async () => (await openJobs(environment.redis, batonQueue)) === 0)
  const totalMs = performance.now() - startedAt
  await client.close()
  return totalMs
}

const speed = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { api, client } = await openBatchStage(environment)
    const fileId = await client.upload(await requestsOf(environment, pairSize))
    await runJobs(environment, api.url, pairSize)
    await runBatch(client, fileId, pairSize)
    const rows: [jobs: number, batch: number][] = []
    for (let pair = 0; pair < pairs; pair++) {
      const jobsMs = await runJobs(environment, api.url, pairSize)
      const { totalMs } = await runBatch(client, fileId, pairSize)
      rows.push([pairSize / (jobsMs / 1e3), pairSize / (totalMs / 1e3)])
    }
    printTable(
      ['jobs/s', 'single jobs', 'a batch', 'ratio'],
      [
        ...rows.map(([jobs, batch], i) => [
          `pair ${i + 1}`,
          whole(jobs),
          whole(batch),
          fixed(batch / jobs, 2),
        ]),
        [
          'median',
          whole(median(rows.map(([jobs]) => jobs))),
          whole(median(rows.map(([, batch]) => batch))),
          fixed(median(rows.map(([jobs, batch]) => batch / jobs)), 2),
        ],
      ],
    )
  })

/** A small batch while a large one runs: from its create to `completed`. */
const beside = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { client } = await openBatchStage(environment)
    const small = await client.upload(await requestsOf(environment, smallCount))
    const large = await client.create(await client.upload(await requestsOf(environment, sizes.at(-1)!)))
    await client.until(large.id, ({ request_counts }) => request_counts.completed > 0)
    const seconds: number[] = []
    for (let i = 0; i < smallBatches; i++) {
      const { totalMs } = await runBatch(client, small, smallCount)
      seconds.push(totalMs / 1e3)
    }
    const { request_counts } = await client.retrieve(large.id)
    printTable(
      ['', 'seconds'],
      [
        ...seconds.map((s, i) => [`${smallCount} lines, batch ${i + 1}`, fixed(s, 2)]),
        [`the large one then had ${whole(request_counts.completed)} of ${whole(request_counts.total)}`, ''],
      ],
    )
  })

/** Batches: their memory by size, their speed against single jobs, and a small one beside a large one. */
export const batches = async (): Promise<void> => {
  const rows: string[][] = []
  for (const count of sizes) rows.push(await sizeRow(count))
  printTable(['', 'API, MB', 'feeder, MB', 'Redis, MB', 'checked, MB/s', 'lines/s'], rows)
  console.log()
  await speed()
  console.log()
  await beside()
}
