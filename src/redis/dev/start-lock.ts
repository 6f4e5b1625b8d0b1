import { randomUUID } from 'node:crypto'
import { readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isProcessAlive } from './process-check.ts'

export interface LockTiming {
  /** How often a holder touches its lock file. */
  readonly heartbeatMs: number
  /** How long a file may lie untouched before another process takes it. */
  readonly staleAfterMs: number
}

const usualTiming: LockTiming = { heartbeatMs: 1_000, staleAfterMs: 5_000 }

/**
 * Runs `task` while no other process on this machine runs one under the same lock file, waiting as long as needed.
 * A lock whose process is gone is taken at once; one that nobody touches for 5 s also (its process id may have been
 * given to another program since, as happens when a container restarts).
 */
export async function withStartLock<T>(
  path: string,
  task: () => Promise<T>,
  timing = usualTiming,
): Promise<T> {
  const content = `${process.pid} ${randomUUID()}`
  await takeLock(path, content, timing.staleAfterMs)
  // Fails when the file was taken away; the check at the end sees that too.
  const heartbeat = setInterval(
    () => utimes(path, new Date(), new Date()).catch(() => {}),
    timing.heartbeatMs,
  )
  try {
    return await task()
  } finally {
    clearInterval(heartbeat)
    if ((await read(path)) === content) await unlink(path)
  }
}

async function takeLock(path: string, content: string, staleAfterMs: number): Promise<void> {
  let seen: Sighting | null = null
  while (!(await createExclusively(path, content))) {
    seen = await look(path, seen)
    if (seen !== null && isStale(seen, staleAfterMs)) await removeStale(path, seen.content)
    else await delay(20)
  }
}

/** A lock file in other hands: what it held, its last touch, and since when we have seen no newer one. */
interface Sighting {
  readonly content: string
  readonly touchedMs: number
  readonly unchangedSinceMs: number
}

async function look(path: string, before: Sighting | null): Promise<Sighting | null> {
  const content = await read(path)
  const touchedMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
  if (content === null || touchedMs === null) return null
  if (before?.content === content && before.touchedMs === touchedMs) return before
  return { content, touchedMs, unchangedSinceMs: performance.now() }
}

/** Judged by our own clock alone: after a laptop's sleep every file looks old although its holder is well. */
function isStale(seen: Sighting, staleAfterMs: number): boolean {
  const pid = Number(seen.content.split(' ')[0])
  // An empty file is one whose maker has not written yet.
  if (pid > 0 && !isProcessAlive(pid)) return true
  return performance.now() - seen.unchangedSinceMs > staleAfterMs
}

/**
 * Moves the file aside before it is deleted: of several processes that found it stale, one gets it, and one that comes
 * late and moved a fresh lock instead sees that and puts it back.
 */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await read(aside)
  if (moved !== null && moved !== stale) await createExclusively(path, moved)
  await unlink(aside)
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
