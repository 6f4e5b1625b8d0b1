import { mkdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Consent } from './binary.ts'
import { lockPathIn, ownPrivateRedis, recordPathIn } from './owner.ts'
import { isServing, readServerRecord, waitUntilGone } from './server-record.ts'
import { withStartLock } from './start-lock.ts'

export interface AcquireOptions {
  /** A Redis that runs already; nothing is started then. */
  readonly url?: string | undefined
  /** Where the private server keeps its data; processes that name the same folder share one server. */
  readonly dir: string
  /** Asked before redis-server is installed; it may be where this is absent. */
  readonly consent?: Consent | undefined
  readonly log: Logger
}

export interface AcquiredRedis {
  readonly url: string
  /** True when this process started the server, which then ends with it. */
  readonly owned: boolean
  /** Stops an owned server, and does nothing to any other. May be called twice. */
  stop(): Promise<void>
}

/**
 * Gives a Redis: the one at `url`, else the private server of `dir`, started here or already running for another
 * process. Throws when none can be had, with a message that says what to do.
 */
export async function acquireRedis({ url, dir, consent, log }: AcquireOptions): Promise<AcquiredRedis> {
  if (url !== undefined) return borrowed(url)
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    const advice =
      'Set REDIS_URL to a Redis that runs, or start Baton in a folder that this user may write to.'
    throw new Error(
      `A Redis of its own would be kept in ${dir}, which cannot be made (${error.code}). ${advice}`,
    )
  })
  return withStartLock(lockPathIn(dir), async () => {
    const last = await readServerRecord(recordPathIn(dir))
    if (last !== null && (await isServing(last))) {
      log.info(
        { event: 'redis.private_shared', url: last.url, ownerPid: last.ownerPid },
        'private redis shared',
      )
      return borrowed(last.url)
    }
    if (last !== null) await waitUntilGone(last)
    return ownPrivateRedis(dir, last, log, consent)
  })
}

const borrowed = (url: string): AcquiredRedis => ({ url, owned: false, stop: async () => {} })
