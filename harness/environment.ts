import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { startPrivateRedis } from '../src/redis/dev/server.ts'

/** What a section measures on: an empty Redis with the shipped settings, and all that it opens beside. */
export interface TestEnvironment {
  readonly redisUrl: string
  readonly redisPid: number
  readonly redis: Redis
  /** A folder of the section's own, removed with it. */
  readonly dir: string
  /** Closes it when the section ends; the last opened goes first. */
  closing(close: () => unknown): void
}

/** Sections share nothing: what one leaves in Redis would slow the next. */
export const withTestEnvironment = async (
  section: (environment: TestEnvironment) => Promise<void>,
): Promise<void> => {
  const closers: (() => unknown)[] = []
  const closing: TestEnvironment['closing'] = close => void closers.push(close)
  try {
    const dir = await mkdtemp(join(tmpdir(), 'baton-bench-'))
    const remove = () => rmSync(dir, { recursive: true, force: true })
    closing(remove)
    process.once('exit', remove) // ended by Ctrl-C
    closing(() => process.off('exit', remove))
    const server = await startPrivateRedis({ dir, log: pino({ level: 'silent' }) })
    closing(() => server.stop())
    const redis = new Redis(server.url)
    closing(() => redis.disconnect())
    await section({ redisUrl: server.url, redisPid: server.pid, redis, dir, closing })
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}
