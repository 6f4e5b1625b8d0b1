import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Stops a process for a while. A shell of its own holds the watch, so that the process goes on even if this one dies in
 * the meantime: what is stopped cannot notice that its parent is gone.
 */
export const freeze = async (pid: number, forMs: number): Promise<void> => {
  const script = 'kill -STOP "$1" && sleep "$2"; kill -CONT "$1"'
  const shell = spawn('/bin/sh', ['-c', script, 'freeze', String(pid), String(forMs / 1_000)], {
    stdio: 'ignore',
    detached: true,
  })
  await once(shell, 'exit')
}

/** Sends the signal if the process is still there. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Bytes of memory that each process has in RAM; those that are gone are left out. */
export const residentBytes = async (pids: readonly number[]): Promise<ReadonlyMap<number, number>> => {
  if (pids.length === 0) return new Map()
  // It fails when any of them is gone, and prints the others all the same.
  const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  const rows = stdout
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
  return new Map(rows.map(([pid, kilobytes]) => [pid!, kilobytes! * 1_024]))
}
