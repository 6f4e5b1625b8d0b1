import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { parseRedisUrl } from '../address.ts'

/** Whether a server could listen on this loopback port now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/**
 * A free loopback port below the ports that systems give to outgoing connections (from 32768 on Linux, 49152
 * elsewhere). On one of those, clients that try to reconnect during a restart can take the server's port from it, or
 * even connect to themselves.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isPortFree(port)) return port
  }
}

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
