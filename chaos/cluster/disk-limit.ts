import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * A disk that is full for one process alone: the kernel lets none of its files grow past a size (RLIMIT_FSIZE), and fails
 * the write. It needs no right of its own, and is undone at any time. The process must ignore SIGXFSZ, which would end
 * it: `launcher` becomes the command with that signal ignored.
 */
export const launcher = ['/bin/sh', '-c', `trap '' XFSZ; exec "$@"`, 'disk-limit'] as const

/** Whether this machine has the command (util-linux) that sets the limit of a process that runs. */
export const canLimitDisk = async (): Promise<boolean> => {
  try {
    await run('prlimit', ['--version'])
    return true
  } catch {
    return false
  }
}

const limit = (pid: number, softBytes: number | 'unlimited') =>
  run('prlimit', ['--pid', String(pid), `--fsize=${softBytes}:unlimited`])

/** Lets the log of the Redis with its data in `dir` not grow any more. */
export const fillDisk = async (pid: number, dir: string): Promise<void> => {
  const logs = join(dir, 'appendonlydir')
  const names = (await readdir(logs)).filter(name => name.endsWith('.incr.aof'))
  const sizes = await Promise.all(names.map(async name => (await stat(join(logs, name))).size))
  await limit(pid, Math.max(...sizes))
}

export const freeDisk = (pid: number) => limit(pid, 'unlimited')

/** Lets no file of this process have a byte. */
export const fillDiskOf = (pid: number) => limit(pid, 0)
