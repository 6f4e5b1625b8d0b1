import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { inject } from 'vitest'
import { until } from '../../harness/until.ts'
import { startPrivateRedis } from '../../src/redis/dev/server.ts'

/** The run's shared Redis, and a key prefix (`t-<random>`) that nobody else uses. */
export const testRedis = (): { url: string; prefix: string } => ({
  url: inject('redisUrl'),
  prefix: `t-${randomBytes(5).toString('hex')}`,
})

export interface OwnRedis {
  readonly url: string
  /** redis-server's own process id; another one after a restart. */
  readonly pid: number
  readonly dir: string
  /**
   * SIGKILL: what was answered must be in the file, nothing else is promised. While the file is being synced, which takes long
   * on a busy disk, Redis answers before it writes: a kill waits for the end of that.
   */
  kill(): Promise<void>
  /** SIGSTOP and SIGCONT: connected, but no answers. */
  freeze(): void
  thaw(): void
  /** The same port and data; also after `kill`. */
  restart(): Promise<void>
  /** Stops the server and removes its folder. */
  stop(): Promise<void>
}

/** A Redis for one test to hurt. `extraArgs` are redis-server arguments that win over the usual settings. */
export async function ownRedis(...extraArgs: string[]): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'baton-own-redis-'))
  const removeDir = () => rm(dir, { recursive: true, force: true })
  const server = await startPrivateRedis({ dir, extraArgs, log: pino({ level: 'silent' }) }).catch(
    async error => {
      await removeDir()
      throw error
    },
  )
  return {
    url: server.url,
    get pid() {
      return server.pid
    },
    dir,
    kill: async () => {
      const redis = new Redis(server.url)
      const isSyncing = async () => !/^aof_pending_bio_fsync:0\r$/m.test(await redis.info('persistence'))
      await until(async () => !(await isSyncing()))
      redis.disconnect()
      process.kill(server.pid, 'SIGKILL')
    },
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    restart: server.restart,
    async stop() {
      await server.stop()
      await removeDir()
    },
  }
}
