import type { Progress } from './progress.ts'
import type { BatchWork } from './work.ts'

/** How many of a batch's lines workers have. No step of a job counts them: they are counted when it matters. */
export interface RunningLines {
  /** At most as many as there are, as far as was seen. */
  now(): { readonly lines: number; readonly bytes: number }
  /** Counts again, unless that was done just now. */
  count(): Promise<void>
}

/** Looked at in one script; of more open lines every second, third … is. */
const sampleSize = 500
/** Between two counts; more while they find the same. */
const countEveryMs = 50
const idleCountMs = 1_000
const growth = 1.5

export const createRunningLines = (
  work: Pick<BatchWork, 'running'>,
  batchId: string,
  progress: Pick<Progress, 'open' | 'collected' | 'done'>,
  now: () => number,
): RunningLines => {
  let seen = { lines: 0, bytes: 0, ended: 0 }
  let everyMs = countEveryMs
  let countedAtMs = Number.NEGATIVE_INFINITY

  return {
    now: () => {
      // Whatever ended since may have been one of them; who took its place is not known.
      const lines = Math.max(0, seen.lines - (progress.collected + progress.done - seen.ended))
      return { lines, bytes: lines === 0 ? 0 : (seen.bytes * lines) / seen.lines }
    },
    count: async () => {
      if (now() - countedAtMs < everyMs) return
      countedAtMs = now()
      const ended = progress.collected + progress.done
      const numbers = sampleOf([...progress.open], sampleSize)
      const found = await work.running(batchId, numbers)
      const scale = numbers.length === 0 ? 0 : progress.open.size / numbers.length
      const next = { lines: Math.floor(found.lines * scale), bytes: found.bytes * scale, ended }
      const moved = next.ended !== seen.ended || Math.abs(next.lines - seen.lines) > sampleSize / 100
      everyMs = moved ? countEveryMs : Math.min(everyMs * growth, idleCountMs)
      seen = next
    },
  }
}

/** Every so manyeth, from a place that differs each time. Lines run, by and large, in the order of their numbers. */
const sampleOf = (numbers: readonly number[], size: number): readonly number[] => {
  const stride = Math.ceil(numbers.length / size)
  if (stride <= 1) return numbers
  const from = Math.floor(Math.random() * stride)
  return numbers.filter((_, i) => i % stride === from)
}
