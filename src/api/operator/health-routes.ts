import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ApiParts } from '../parts.ts'

const redisPatienceMs = 1_000

/** `GET /healthz`: this process lives. `GET /readyz`: it can take jobs. Open to all: probes bring no key. */
export const addHealthRoutes = (
  app: FastifyInstance,
  parts: Pick<ApiParts, 'config' | 'memory' | 'pingRedis' | 'withoutWorkerSince'>,
  isLeaving: () => boolean,
): void => {
  const { pingRedis, withoutWorkerSince, memory } = parts
  const names = Object.keys(parts.config.providers)

  app.get('/healthz', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const unavailable = (reason: string): object => {
      reply.code(503).header('retry-after', 2)
      return { status: 'unavailable', reason }
    }
    if (isLeaving()) return unavailable('shutting_down')
    if (await answersInTime(pingRedis)) {
      // No reason to send requests elsewhere: jobs are taken all the same, and go on or wait.
      const withoutWorker = names.filter(name => withoutWorkerSince(name) > 0)
      // Nor is a full Redis: reads of what was accepted are answered, and it is full for every process.
      const full = memory.isFull()
      return {
        status: 'ready',
        ...(withoutWorker.length > 0 && { without_worker: withoutWorker }),
        ...(full && { refusing: 'storage_full' }),
      }
    }
    return unavailable('redis_unavailable')
  })
}

const answersInTime = async (ping: () => Promise<void>): Promise<boolean> => {
  const timer = new AbortController()
  const answered = ping().then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([answered, delay(redisPatienceMs, false, { signal: timer.signal })])
  } finally {
    timer.abort()
  }
}
