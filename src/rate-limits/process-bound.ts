import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** What a process has for its calls. */
export interface ProcessMeans {
  /** Bytes that its heap may have, and those that the machine or its container lets it have. */
  readonly heapBytes: number
  readonly memoryBytes: number
  /** File descriptors that it may open (RLIMIT_NOFILE); null where that is not known. */
  readonly files: number | null
}

/** Measured with 10,000 calls in flight of one worker: request, answer, socket and job. */
const bytesACall = 25_000
/** Of the memory; the rest is for the process itself, long bodies, and what is collected late. */
const memoryShare = 0.6
/** Redis, the log, listeners, files of batches. */
const otherFiles = 200
const most = 10_000
/** A process that has hardly anything still works. */
const least = 16

/** How many calls a process makes at once at most, so that neither its memory nor its file descriptors run out. */
export const processBoundOf = ({ heapBytes, memoryBytes, files }: ProcessMeans): number => {
  const byMemory = (memoryShare * Math.min(heapBytes, memoryBytes)) / bytesACall
  // A call has a socket, and one that is closing beside it at times.
  const byFiles = files === null ? most : (files - otherFiles) / 1.25
  return Math.max(least, Math.floor(Math.min(most, byMemory, byFiles)))
}

/** Of this process. */
export const readMeans = (): ProcessMeans => ({
  heapBytes: getHeapStatistics().heap_size_limit,
  memoryBytes: process.constrainedMemory() || Number.POSITIVE_INFINITY,
  files: openFilesAllowed(),
})

const openFilesAllowed = (): number | null => {
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined || soft === 'unlimited' ? null : Number(soft)
  } catch {
    // Not Linux: the memory alone decides.
    return null
  }
}
