import { createBullBoard } from '@bull-board/api'
import { FastifyAdapter } from '@bull-board/fastify'
import { Queue } from 'bullmq'
import fastify, { type FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { createDoorbells, queueName } from '../src/queue/doorbells.ts'
import { createPatientRedis } from '../src/redis/connect.ts'
import { createKeys } from '../src/redis/keys.ts'
import { createScriptRunner } from '../src/redis/scripts.ts'
import { BatonQueueAdapter } from './bull-board-adapter.ts'
import { type BoardReads, createBoardReads } from './bull-board-reads.ts'

/** A board of these queues (`provider.<name>`, `webhooks`), at the root of the server. Without `reads` it shows only what waits. */
export const createBoard = async (
  redis: Redis,
  prefix: string,
  names: readonly string[],
  reads?: BoardReads,
): Promise<FastifyInstance> => {
  const doorbells = createDoorbells(redis, createScriptRunner(redis), createKeys(prefix))
  const options = { connection: redis, prefix, skipMetasUpdate: true, skipVersionCheck: true }
  const queues = names.map(name => ({ name, bull: new Queue(queueName(name), options) }))
  const serverAdapter = new FastifyAdapter()
  createBullBoard({
    queues: queues.map(queue => new BatonQueueAdapter({ ...queue, doorbells, reads })),
    serverAdapter,
  })
  const app = fastify()
  await app.register(serverAdapter.registerPlugin())
  app.addHook('onClose', async () => {
    await Promise.all(queues.map(({ bull }) => bull.close()))
  })
  return app
}

// BATON_API_KEY=… node examples/bull-board.ts provider.openai provider.anthropic webhooks
if (import.meta.main) {
  const { REDIS_URL = 'redis://127.0.0.1:6379', PREFIX = 'baton', PORT = '8090' } = process.env
  const { BATON_URL = 'http://127.0.0.1:8000', BATON_API_KEY } = process.env
  const { default: pino } = await import('pino')
  const redis = createPatientRedis(REDIS_URL, pino())
  const board = await createBoard(
    redis,
    PREFIX,
    process.argv.slice(2),
    createBoardReads(BATON_URL, BATON_API_KEY),
  )
  console.log(`bull-board: ${await board.listen({ host: '127.0.0.1', port: Number(PORT) })}`)
}
