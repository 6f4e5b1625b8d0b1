import { type Job, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Pool } from 'undici'
import { chatPath } from '../support/chat.ts'
import { apiKey } from '../support/deployment.ts'

/** A job of the floor: the request itself, as one would write it with BullMQ alone. As text, or as a route parsed it. */
export interface FloorJob {
  readonly body: string | object
}

export interface FloorWorkerInput {
  readonly redisUrl: string
  readonly queue: string
  readonly simUrl: string
  readonly concurrency: number
}

// A bare BullMQ worker that makes the same upstream call and does nothing else: it keeps no result.
const { redisUrl, queue, simUrl, concurrency } = JSON.parse(process.argv[2]!) as FloorWorkerInput
const pool = new Pool(simUrl)
const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }

const worker = new Worker(
  queue,
  async ({ data }: Job<FloorJob>) => {
    const text = typeof data.body === 'string' ? data.body : JSON.stringify(data.body)
    const { body } = await pool.request({ path: chatPath, method: 'POST', headers, body: text })
    await body.text()
  },
  {
    connection: new Redis(redisUrl, { maxRetriesPerRequest: null }),
    concurrency,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  },
)
await worker.waitUntilReady()
process.send!('ready')
