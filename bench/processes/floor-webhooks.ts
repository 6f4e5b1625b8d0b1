import { type Job, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Webhook } from 'standardwebhooks'
import { Pool } from 'undici'

/** A delivery of the floor: the event itself, and its id. */
export interface FloorDelivery {
  readonly id: string
  readonly body: string
}

export interface FloorWebhooksInput {
  readonly redisUrl: string
  readonly queue: string
  readonly receiverUrl: string
  readonly secret: string
  readonly concurrency: number
}

// A bare BullMQ worker that signs and posts what its job holds and does nothing else: it keeps no outcome.
const input = JSON.parse(process.argv[2]!) as FloorWebhooksInput
const pool = new Pool(input.receiverUrl)
const webhook = new Webhook(input.secret)

const worker = new Worker(
  input.queue,
  async ({ data: { id, body } }: Job<FloorDelivery>) => {
    const signedAt = new Date()
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1_000)),
      'webhook-signature': webhook.sign(id, signedAt, body),
    }
    const response = await pool.request({ path: '/', method: 'POST', headers, body })
    await response.body.dump()
    if (response.statusCode !== 200) throw new Error(`the receiver answered ${response.statusCode}`)
  },
  {
    connection: new Redis(input.redisUrl, { maxRetriesPerRequest: null }),
    concurrency: input.concurrency,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  },
)
await worker.waitUntilReady()
process.send!('ready')
