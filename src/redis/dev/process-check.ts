import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Whether some process has this id now. It may be another than the one that once had it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Whether this process is a redis-server on this port. Ids are used again, in a restarted container even at once, so
 * a live id alone does not say that the server of a leftover file still runs.
 */
export async function isRedisServer(pid: number, port: number): Promise<boolean> {
  const command = await commandLine(pid)
  return /(redis|valkey)-server/.test(command) && new RegExp(`\\b${port}\\b`).test(command)
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])).stdout
  } catch {
    return '' // no such process
  }
}
