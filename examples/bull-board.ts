import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import { Job, Queue } from 'bullmq'
import fastify, { type FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { createDoorbells, type Doorbells, queueName } from '../src/queue/doorbells.ts'
import { createPatientRedis } from '../src/redis/connect.ts'
import { createKeys } from '../src/redis/keys.ts'
import { createScriptRunner } from '../src/redis/scripts.ts'

/**
 * Shows a queue of Baton's on a bull-board: what waits stands in a ready list and not in BullMQ's own lists. Read-only, since the
 * board's buttons act on those lists. Pausing a queue by BullMQ's `Queue.pause()` stops it.
 */
export class ReadyListAdapter extends BullMQAdapter {
  readonly #bull: Queue
  readonly #queue: string
  readonly #doorbells: Doorbells

  constructor(bull: Queue, queue: string, doorbells: Doorbells) {
    super(bull, { readOnlyMode: true, displayName: queue })
    this.#bull = bull
    this.#queue = queue
    this.#doorbells = doorbells
  }

  override async getJobCounts() {
    return { ...(await super.getJobCounts()), waiting: await this.#doorbells.waiting(this.#queue) }
  }

  override async getJobs(
    statuses: Parameters<BullMQAdapter['getJobs']>[0],
    start = 0,
    end = 9,
  ): Promise<Job[]> {
    if (!statuses.includes('waiting')) return super.getJobs(statuses, start, end)
    const entries = await this.#doorbells.page(this.#queue, start, end - start + 1)
    return entries.map(({ doorbell, place }) => new Job(this.#bull, place.class, place, {}, doorbell))
  }
}

/** A board of these queues (`provider.<name>`, `webhooks`), at the root of the server. */
export const createBoard = async (
  redis: Redis,
  prefix: string,
  queues: readonly string[],
): Promise<FastifyInstance> => {
  const doorbells = createDoorbells(redis, createScriptRunner(redis), createKeys(prefix))
  const options = { connection: redis, prefix, skipMetasUpdate: true, skipVersionCheck: true }
  const bulls = queues.map(queue => new Queue(queueName(queue), options))
  const serverAdapter = new FastifyAdapter()
  createBullBoard({
    queues: bulls.map((bull, i) => new ReadyListAdapter(bull, queues[i]!, doorbells)),
    serverAdapter,
  })
  const app = fastify()
  await app.register(serverAdapter.registerPlugin())
  app.addHook('onClose', async () => {
    await Promise.all(bulls.map(bull => bull.close()))
  })
  return app
}

// REDIS_URL=redis://127.0.0.1:6379 node examples/bull-board.ts provider.openai provider.anthropic webhooks
if (import.meta.main) {
  const { REDIS_URL = 'redis://127.0.0.1:6379', PREFIX = 'baton', PORT = '8090' } = process.env
  const { default: pino } = await import('pino')
  const board = await createBoard(createPatientRedis(REDIS_URL, pino()), PREFIX, process.argv.slice(2))
  console.log(`bull-board: ${await board.listen({ host: '127.0.0.1', port: Number(PORT) })}`)
}
