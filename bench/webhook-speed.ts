import { Queue } from 'bullmq'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { until } from '../harness/until.ts'
import { webhookQueue } from '../src/queue/doorbells.ts'
import type { FloorDelivery, FloorWebhooksInput } from './processes/floor-webhooks.ts'
import type { Received } from './processes/webhook-receiver.ts'
import { type Contender, compare, measure } from './support/compare.ts'
import { batonInput } from './support/deployment.ts'
import { draining } from './support/draining.ts'
import { loadQueue } from './support/load-queue.ts'
import { startBaton, startFloor, startReceiver, startSim } from './support/processes.ts'
import { allSettled, batonQueue, keys, openJobs, placeOf } from './support/queue-state.ts'

const deliveryCount = 5_000
/** As Baton is shipped. */
const concurrency = 100
const floorQueue = 'floor'
const secret = `whsec_${Buffer.alloc(32, 'bench').toString('base64')}`

/** Rejects when not all of them came, or came unsigned; answers the body of the last. */
const assertReceived = async (receiverUrl: string, count: number): Promise<string> => {
  const { events, isVerified, body } = (await (await fetch(receiverUrl)).json()) as Received
  if (events !== count || !isVerified)
    throw new Error(`${events} of ${count} webhooks, verified: ${isVerified}`)
  return body
}

const createBaton = async (environment: TestEnvironment, simUrl: string, receiverUrl: string) => {
  const { redis } = environment
  const input = batonInput(environment.redisUrl, simUrl)
  const config = { ...input.config, webhooks: { allowed_networks: ['127.0.0.0/8'], secret } }
  const answering = await startBaton(environment, 'worker', { ...input, config })
  answering.freeze()
  const delivering = await startBaton(environment, 'webhooks', { ...input, config })
  let jobIds: string[] = []
  let lastEvent = ''

  /** Jobs are done and their webhooks wait. */
  const load = async (count: number): Promise<void> => {
    jobIds = await loadQueue({ ...input, config }, count, { webhook: { url: receiverUrl } })
    answering.thaw()
    await until(() => allSettled(redis, [batonQueue]))
    answering.freeze()
  }
  const contender = draining(environment, {
    workers: [delivering],
    load,
    isDone: () => allSettled(redis, [placeOf(webhookQueue)]),
    check: async () => {
      lastEvent = await assertReceived(receiverUrl, jobIds.length)
      await redis.unlink(jobIds.map(keys.record))
    },
  })
  return { contender, lastEvent: () => lastEvent }
}

const createFloor = async (
  environment: TestEnvironment,
  receiverUrl: string,
  body: string,
): Promise<Contender> => {
  const { redis, redisUrl } = environment
  const queue = new Queue<FloorDelivery>(floorQueue, {
    connection: { url: redisUrl },
    streams: { events: { maxLen: 0 } },
  })
  environment.closing(() => queue.close())
  const input: FloorWebhooksInput = { redisUrl, queue: floorQueue, receiverUrl, secret, concurrency }
  let loaded = 0
  return draining(environment, {
    workers: [await startFloor(environment, 'webhooks', input)],
    load: async count => {
      loaded = count
      const jobs = Array.from({ length: count }, (_, i) => ({ name: 'j', data: { id: `evt_${i}`, body } }))
      for (let from = 0; from < count; from += 500) await queue.addBulk(jobs.slice(from, from + 500))
    },
    isDone: async () => (await openJobs(redis, `bull:${floorQueue}`)) === 0,
    check: async () => void (await assertReceived(receiverUrl, loaded)),
  })
}

/** Webhooks signed and delivered, against a bare BullMQ worker that signs and posts the same. */
export const webhookSpeed = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment)
    const { url: receiverUrl } = await startReceiver(environment, secret)
    const baton = await createBaton(environment, simUrl, receiverUrl)
    await measure(baton.contender, 1) // the event that it makes of such a job is what the floor posts, too
    const floor = await createFloor(environment, receiverUrl, baton.lastEvent())
    await compare('webhooks/s', floor, baton.contender, deliveryCount)
  })
