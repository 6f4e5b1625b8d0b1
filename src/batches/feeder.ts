import type { Logger } from 'pino'
import { placeOf } from '../domain/place.ts'
import { BlobNotFoundError } from '../files/blobs/blob-store.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { StoreFullError } from '../redis/full-store.ts'
import { lineNumberOf } from '../redis/keys.ts'
import { linesWithin } from './budget.ts'
import type { SkipReason } from './finished-line.ts'
import type { PlanLine } from './plan-line.ts'
import { type Progress, statusOf } from './progress.ts'
import type { QueueRooms } from './queue-rooms.ts'
import type { ReadInput } from './read-lines.ts'
import type { BatchRecord } from './record.ts'
import { linesWithRoom } from './room.ts'
import { createRunningLines } from './running-lines.ts'
import type { BatchJob, BatchLease } from './steps.ts'
import { createUpcoming, type UpcomingLine } from './upcoming.ts'
import type { WakeSignal } from './wake-signal.ts'
import type { BatchWork } from './work.ts'

export interface FeederDeps {
  readonly work: BatchWork
  readonly doorbells: Doorbells
  /** Shared by all batches of the process. */
  readonly rooms: QueueRooms
  readonly log: Logger
  readonly now: () => number
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
/** Room is looked for again after this, should no signal come. */
const lookAgainMs = 20
/** So many lines of each batch are fed whatever else waits: a small one is with the workers at once. */
const leastLines = 16

/** Makes jobs of the input's lines as there is room, in the batch's window and in the queues that they go to, until all are fed. */
export const feedBatch = async (parts: FeederDeps, run: FeederRun): Promise<void> => {
  const { work, doorbells, rooms, log, now } = parts
  const { batch, lease, progress, readInput, planLine, signal } = run
  const { fed: from, total } = progress
  const upcoming = createUpcoming({ readInput, planLine, from: { ...progress, fed: from }, total, now })
  const running = createRunningLines(work, batch.id, progress, now)
  let ringing: Promise<unknown> = Promise.resolve()

  /** See `linesWithin`. */
  const affordable = (): number | 'spent' =>
    linesWithin(batch.maxCostUsd, { cost: progress.cost, ended: progress.ended, open: progress.open.size })

  /** Why lines no longer become jobs. */
  const insteadOfJobs = (): SkipReason | null => {
    if (progress.status === 'cancelling') return 'cancelled'
    if (batch.expiresAtMs <= now()) return 'expired'
    return affordable() === 'spent' ? 'cost_limit_reached' : null
  }

  /** As many of the lines as the window has room for, in lines and bytes. A line larger than that goes alone. */
  const inWindow = (lines: readonly UpcomingLine[]): number => {
    const { window, fed, collected, done, openBytes } = progress
    const room = window.room({ uncollected: fed - collected, done, openBytes, running: running.now() })
    let bytes = 0
    const upTo = lines.slice(0, room.lines)
    const tooMuch = upTo.findIndex(({ line }, i) => {
      bytes += line.bytes?.length ?? 0
      return bytes > room.bytes && !(i === 0 && room.alone)
    })
    return tooMuch === -1 ? upTo.length : tooMuch
  }

  /** As many as their queues have room for. */
  const inQueues = (lines: readonly UpcomingLine[], queues: readonly (string | null)[]): number => {
    const { tenant, id: batchId } = batch
    const first = lines.find(({ plan }) => 'job' in plan)?.plan
    if (!first || !('job' in first)) return lines.length
    const asker = { batchId, tenant, dueMs: placeOf(first.job).dueMs }
    const left = new Map(namesIn(queues).map(queue => [queue, rooms.left(queue, asker)]))
    const count = linesWithRoom(queues, left)
    const lacking = queues[count]
    if (count < lines.length && lacking) rooms.want(lacking, asker)
    const live = progress.fed - progress.collected - progress.done
    return Math.max(count, Math.min(leastLines - live, lines.length))
  }

  const lookForRoom = async (lines: readonly UpcomingLine[]): Promise<void> => {
    if (inWindow(lines) < lines.length) await running.count()
    await rooms.look(namesIn(lines.map(queueOf)), batch.tenant)
  }

  /** Without an await: what is found is used before another batch looks. */
  const roomFor = (lines: readonly UpcomingLine[]): number => {
    const queues = lines.map(queueOf)
    const becomeJobs = queues.some(queue => queue !== null)
    if (becomeJobs && parts.isFull()) return 0
    const within = affordable()
    // Lines that become no jobs cost nothing. Those that were to become some wait to be planned anew, where the limit was reached since.
    const most = !becomeJobs ? lines.length : within === 'spent' ? 0 : within
    const upTo = Math.min(most, inWindow(lines))
    return inQueues(lines.slice(0, upTo), queues.slice(0, upTo))
  }

  const ring = async (jobs: readonly BatchJob[], allWait: () => void): Promise<void> => {
    // One after the other: what cannot be rung is owed by the schedule, and must not pile up here.
    await ringing
    const rings = jobs.map(job => ({
      queue: queueOfJob(job),
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
      .finally(allWait)
  }

  /** Counts them as waiting from now on. */
  const takeRoom = (jobs: readonly BatchJob[]): (() => void) => {
    const groups = [...Map.groupBy(jobs, queueOfJob)]
    const taken = groups.map(([queue, some]) => rooms.add(queue, batch.tenant, some.length))
    return () => {
      for (const waits of taken) waits()
    }
  }

  const feed = async (lines: readonly UpcomingLine[], instead: SkipReason | null): Promise<void> => {
    const from = progress.fed
    const to = from + lines.length
    const jobs = lines.flatMap(({ plan }) => ('job' in plan ? [plan.job] : []))
    const skipped = lines.flatMap(({ plan }) => ('skipped' in plan ? [plan.skipped] : []))
    const { end: offset, number: line } = lines.at(-1)!.line
    const allWait = takeRoom(jobs)
    const written = work.feed(lease, { from, to, offset, line, jobs, skipped }).catch((error: unknown) => {
      allWait()
      throw error
    })
    // While Redis writes these.
    upcoming.prepare(lines.length, feedLines, instead)
    progress.status = statusOf(await written)
    Object.assign(progress, { fed: to, offset, line, done: progress.done + skipped.length })
    for (const { id, bytes } of jobs) {
      progress.open.add(lineNumberOf(id))
      progress.openBytes += bytes
    }
    upcoming.drop(lines.length)
    if (jobs.length > 0) await ring(jobs, allWait)
  }

  /** Bytes that are away may come back; past the deadline what was fed is collected, and the batch ends without the rest. */
  const orInputLost = (error: unknown): readonly UpcomingLine[] => {
    if (!(error instanceof BlobNotFoundError) || now() < batch.expiresAtMs) throw error
    log.error(
      { event: 'batch.input_missing', batchId: batch.id, fed: progress.fed },
      'input file of the batch is missing',
    )
    Object.assign(progress, { inputLost: true, total: progress.fed })
    return []
  }

  while (progress.fed < progress.total) {
    signal.throwIfAborted()
    const instead = insteadOfJobs()
    const lines = await upcoming.next(feedLines, instead).catch(orInputLost)
    if (progress.inputLost) break
    if (lines.length === 0) throw new Error(`the input ends after ${progress.fed} of ${progress.total} lines`)
    await lookForRoom(lines)
    const count = roomFor(lines)
    const fed = count > 0 && (await feed(lines.slice(0, count), instead).then(() => true, falseWhenFull))
    if (!fed) await run.room.wait(lookAgainMs)
  }
  await ringing
}

const queueOfJob = (job: BatchJob): string => providerQueue(job.target.provider)
const queueOf = ({ plan }: UpcomingLine): string | null => ('job' in plan ? queueOfJob(plan.job) : null)
const namesIn = (queues: readonly (string | null)[]): string[] => [
  ...new Set(queues.filter(queue => queue !== null)),
]

/** Then nothing of it was written, and the lines come again. */
const falseWhenFull = (error: unknown): false => {
  if (error instanceof StoreFullError) return false
  throw error
}
