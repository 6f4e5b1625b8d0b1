import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import { createRepeating, type RepeatingTask } from './repeating.ts'

export interface FileWatch {
  start(onChange: () => void): void
  stop(): Promise<void>
}

/** A change is told after two looks at the most. */
const lookEveryMs = 1_000

/**
 * Tells that files are others than when this was called, once they have stayed the same from one look to the next. It looks by name
 * and follows links, so it sees what an editor puts in a file's place and how Kubernetes swaps a ConfigMap, and also what a mounted
 * folder of another machine sends no events of. While the first file is absent, whoever replaces it is not done.
 */
export const createFileWatch = (
  paths: readonly string[],
  log: Logger,
  everyMs: number = lookEveryMs,
): FileWatch => {
  const stamp = (): string | null => {
    const stamps = paths.map(stampOf)
    return stamps[0] === null ? null : stamps.join()
  }
  return watchOf(stamp, log, everyMs)
}

/** The same of files that may come and go, each of which is told of by itself; asked for by name at each look. */
export const createMountWatch = (
  paths: () => readonly string[],
  log: Logger,
  everyMs: number = lookEveryMs,
): FileWatch =>
  watchOf(
    () =>
      paths()
        .map(path => `${path} ${stampOf(path)}`)
        .join(),
    log,
    everyMs,
  )

const watchOf = (stamp: () => string | null, log: Logger, everyMs: number): FileWatch => {
  let told = stamp()
  let seen = told
  let task: RepeatingTask | null = null
  return {
    start: onChange => {
      const look = async (): Promise<void> => {
        const now = stamp()
        const isSettled = now === seen
        seen = now
        if (now === null || now === told || !isSettled) return
        told = now
        onChange()
      }
      task ??= createRepeating('fileWatch', everyMs, look, log)
      task.start()
    },
    stop: async () => task?.stop(),
  }
}

const stampOf = (path: string): string | null => {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? null : `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`
}
