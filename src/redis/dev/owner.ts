import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Consent } from './binary.ts'
import { isPortFree } from './probe.ts'
import { startPrivateRedis } from './server.ts'
import { isServing, portOf, readServerRecord, type ServerRecord, writeServerRecord } from './server-record.ts'
import { withStartLock } from './start-lock.ts'

/** The files of a private server's folder that processes agree on. */
export const recordPathIn = (dir: string): string => join(dir, 'server.json')
export const lockPathIn = (dir: string): string => join(dir, 'start.lock')

export interface OwnedRedis {
  readonly url: string
  readonly owned: true
  stop(): Promise<void>
}

const restartDelayMs = 1_000

/**
 * Starts the private server of `dir`, records it, and starts it again whenever it dies. The caller holds the start
 * lock and has seen that no server uses the folder. The port of the last server is used again where it is free, so
 * that processes which outlived that server's owner find the new one.
 */
export async function ownPrivateRedis(
  dir: string,
  last: ServerRecord | null,
  log: Logger,
  consent: Consent | undefined,
): Promise<OwnedRedis> {
  let stopped: Promise<void> | undefined
  let recovered: Promise<void> = Promise.resolve()
  const server = await startPrivateRedis({
    dir,
    log,
    consent,
    ...(last !== null && (await isPortFree(portOf(last))) && { port: portOf(last) }),
    onLost: () => {
      recovered = recover()
    },
  })
  const record = () =>
    writeServerRecord(recordPathIn(dir), { url: server.url, pid: server.pid, ownerPid: process.pid })
  await record()

  async function recover() {
    while (stopped === undefined) {
      try {
        return await withStartLock(lockPathIn(dir), restartUnlessReplaced)
      } catch (err) {
        log.error({ event: 'redis.private_restart_failed', err }, 'private redis did not restart')
        await delay(restartDelayMs)
      }
    }
  }

  /** A process that started meanwhile, and got the lock first, has become the owner. */
  async function restartUnlessReplaced() {
    const current = await readServerRecord(recordPathIn(dir))
    if (stopped !== undefined || (current !== null && (await isServing(current)))) return
    await server.restart()
    await record()
  }

  /** Under the lock, so that a process starting now waits for the save instead of using the folder at the same time. */
  async function stop() {
    await recovered
    try {
      await withStartLock(lockPathIn(dir), async () => {
        const current = await readServerRecord(recordPathIn(dir))
        if (current?.pid === server.pid) await writeServerRecord(recordPathIn(dir), { ...current, pid: null })
        await server.stop()
      })
    } finally {
      await server.stop() // also when the folder is gone
    }
  }

  return { url: server.url, owned: true, stop: () => (stopped ??= stop()) }
}
