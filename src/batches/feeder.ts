import type { Logger } from 'pino'
import { placeOf } from '../domain/place.ts'
import { BlobNotFoundError } from '../files/blobs/blob-store.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { StoreFullError } from '../redis/full-store.ts'
import { lineNumberOf } from '../redis/keys.ts'
import type { SkipReason } from './finished-line.ts'
import type { PlanLine } from './plan-line.ts'
import { type Progress, statusOf } from './progress.ts'
import type { InputLine, ReadInput } from './read-lines.ts'
import type { BatchRecord } from './record.ts'
import type { BatchJob, BatchLease } from './steps.ts'
import type { WakeSignal } from './wake-signal.ts'
import { linesWithin } from './window.ts'
import type { BatchWork } from './work.ts'

export interface FeederDeps {
  readonly work: BatchWork
  readonly doorbells: Doorbells
  readonly log: Logger
  readonly now: () => number
  /** Bytes of requests that may be in Redis at once. */
  readonly windowBytes: number
  /** Whether no more jobs are to be made now: Redis is nearly full. */
  readonly isFull: () => boolean
}

export interface FeederRun {
  readonly batch: BatchRecord
  readonly lease: BatchLease
  readonly progress: Progress
  readonly readInput: ReadInput
  readonly planLine: PlanLine
  /** Wakes when the collector made room in the window. */
  readonly room: WakeSignal
  readonly signal: AbortSignal
}

/** Lines in one script: more would hold Redis up for others. */
const feedLines = 200
/** The window is looked at again after this, should no signal come. */
const lookAgainMs = 250

/** Makes jobs of the input's lines as the window has room, until all are fed. */
export const feedBatch = async (parts: FeederDeps, run: FeederRun): Promise<void> => {
  const { work, doorbells, log } = parts
  const { batch, lease, progress, signal } = run
  let pending: readonly InputLine[] = []
  let ringing: Promise<unknown> = Promise.resolve()

  /** See `linesWithin`. */
  const affordable = (): number | 'spent' =>
    linesWithin(batch.maxCostUsd, { cost: progress.cost, ended: progress.ended, open: progress.open.size })

  const roomForLines = (): number => {
    const { window, fed, collected, done } = progress
    const uncollected = fed - collected
    const within = affordable()
    // Lines that become no jobs cost nothing.
    const becomeJobs = within !== 'spent' && insteadOfJobs() === null
    if (becomeJobs && parts.isFull()) return 0
    const lines = becomeJobs ? within : feedLines
    return Math.min(feedLines, lines, window.uncollected - uncollected, window.jobs - (uncollected - done))
  }

  /**
   * As many of the pending lines as the window has room for, in lines and bytes. A line larger than that goes
   * alone.
   */
  const fitting = (): readonly InputLine[] => {
    let bytes = progress.openBytes
    const upTo = pending.slice(0, Math.max(0, roomForLines()))
    const tooMuch = upTo.findIndex(line => {
      const first = bytes === 0
      bytes += line.bytes?.length ?? 0
      return bytes > parts.windowBytes && !first
    })
    return tooMuch === -1 ? upTo : upTo.slice(0, tooMuch)
  }

  /** Why lines no longer become jobs. */
  const insteadOfJobs = (): SkipReason | null => {
    if (progress.status === 'cancelling') return 'cancelled'
    if (batch.expiresAtMs <= parts.now()) return 'expired'
    return affordable() === 'spent' ? 'cost_limit_reached' : null
  }

  const ring = async (jobs: readonly BatchJob[]): Promise<void> => {
    // One after the other: what cannot be rung is owed by the schedule, and must not pile up here.
    await ringing
    const rings = jobs.map(job => ({
      queue: providerQueue(job.target.provider),
      doorbell: jobDoorbell(job.id, 0, 0),
      place: placeOf(job),
    }))
    ringing = doorbells
      .ringAll(rings)
      .catch(error =>
        log.debug(
          { event: 'doorbells.deferred', err: error, batchId: batch.id },
          'doorbells left to the sweeper',
        ),
      )
  }

  const feed = async (lines: readonly InputLine[]): Promise<void> => {
    const from = progress.fed
    const to = from + lines.length
    const instead = insteadOfJobs()
    const planned = lines.map((line, i) => run.planLine(line, from + i + 1, instead))
    const jobs = planned.flatMap(each => ('job' in each ? [each.job] : []))
    const skipped = planned.flatMap(each => ('skipped' in each ? [each.skipped] : []))
    const { end: offset, number: line } = lines.at(-1)!
    progress.status = statusOf(await work.feed(lease, { from, to, offset, line, jobs, skipped }))
    Object.assign(progress, { fed: to, offset, line, done: progress.done + skipped.length })
    for (const { id, bytes } of jobs) {
      progress.open.add(lineNumberOf(id))
      progress.openBytes += bytes
    }
    pending = pending.slice(lines.length)
    if (jobs.length > 0) await ring(jobs)
  }

  /** Bytes that are away may come back; past the deadline what was fed is collected, and the batch ends without the rest. */
  const readNext = (): Promise<readonly InputLine[]> =>
    run.readInput(progress).catch((error: unknown) => {
      if (!(error instanceof BlobNotFoundError) || parts.now() < batch.expiresAtMs) throw error
      log.error(
        { event: 'batch.input_missing', batchId: batch.id, fed: progress.fed },
        'input file of the batch is missing',
      )
      Object.assign(progress, { inputLost: true, total: progress.fed })
      return []
    })

  while (progress.fed < progress.total) {
    signal.throwIfAborted()
    if (pending.length === 0) pending = await readNext()
    if (progress.inputLost) break
    if (pending.length === 0)
      throw new Error(`the input ends after ${progress.fed} of ${progress.total} lines`)
    const lines = fitting()
    const fed = lines.length > 0 && (await feed(lines).then(() => true, falseWhenFull))
    if (!fed) await run.room.wait(lookAgainMs)
  }
  await ringing
}

/** Then nothing of it was written, and the lines come again. */
const falseWhenFull = (error: unknown): false => {
  if (error instanceof StoreFullError) return false
  throw error
}
