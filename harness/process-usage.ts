import { readFile } from 'node:fs/promises'

/** Linux counts a process's time in hundredths of a second, on every architecture that Node runs on. */
const ticksPerSecond = 100

/** Processor time that a process used so far, over all its threads, in microseconds. */
export const cpuMicrosOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in brackets, which may hold spaces; user and system time are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
}

/** The most memory that a process ever had resident, in bytes. */
export const peakResidentBytesOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1_024
}

/** The memory that a process has resident now, in bytes. */
export const residentBytesOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024
}
