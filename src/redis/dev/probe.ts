import { Redis } from 'ioredis'
import { parseRedisUrl } from '../address.ts'

/** `ready`: answers PONG. `loading`: reads its data from disk. `away`: no answer within a second. */
export type ProbeAnswer =
  | { readonly state: 'ready'; readonly pid: number }
  | { readonly state: 'loading' }
  | { readonly state: 'away' }

/** Asks once, on a connection of its own, whether a Redis answers and which process it is. Never throws. */
export async function probeRedis(url: string): Promise<ProbeAnswer> {
  const redis = new Redis({
    ...parseRedisUrl(url),
    lazyConnect: true,
    // The ready check would wait for a loading server, which is one of the answers here.
    enableReadyCheck: false,
    retryStrategy: null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  })
  redis.on('error', () => {}) // the same failure rejects connect() below
  try {
    await redis.connect()
    await redis.ping()
    const pid = /^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]
    return { state: 'ready', pid: Number(pid) }
  } catch (error) {
    return { state: error instanceof Error && error.message.startsWith('LOADING') ? 'loading' : 'away' }
  } finally {
    // To disconnect what has ended by itself would leave ioredis's timer of 2 s behind, and the process with it.
    if (redis.status !== 'end') redis.disconnect()
  }
}
