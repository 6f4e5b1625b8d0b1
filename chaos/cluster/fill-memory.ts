import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { parseInfo } from '../../src/redis/preflight.ts'

/** Above what a run itself takes, so that there is something to fill. */
const roomBytes = 24 * 1024 * 1024
const ballastBytes = 256 * 1024

const numbers = async (redis: Redis): Promise<{ readonly used: number; readonly limit: number }> => {
  const info = parseInfo(await redis.info('memory'))
  return { used: Number(info.get('used_memory')), limit: Number(info.get('maxmemory')) }
}

/**
 * Fills Redis to its `maxmemory` with ballast that goes by itself, as records do when their retention is over. The limit is set
 * once in a run, at the first such fault, and never lifted: what comes to an end while it is full must do so beyond it.
 * Answers how much of that there was.
 */
export const fillMemory = async (redis: Redis, forMs: number): Promise<string> => {
  const { used, limit } = await numbers(redis)
  if (limit === 0 || limit > used + 4 * roomBytes) await redis.config('SET', 'maxmemory', used + roomBytes)
  const endsAtMs = Date.now() + forMs
  let ballast = 0
  for (; Date.now() < endsAtMs; ballast += 1) {
    try {
      const key = `chaos:ballast:${randomBytes(8).toString('hex')}`
      await redis.set(key, Buffer.alloc(ballastBytes, 1), 'PXAT', endsAtMs)
    } catch (error) {
      if (!(error as Error).message.includes('OOM')) throw error
      break
    }
  }
  await delay(Math.max(0, endsAtMs - Date.now()))
  const { used: atLast } = await numbers(redis)
  return `${ballast} pieces of ballast; ${Math.round((atLast - used) / 1024)} kB more when they went`
}
