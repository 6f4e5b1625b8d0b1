import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { costUnits } from '../domain/usage.ts'
import type { BlobStore } from '../files/blobs/blob-store.ts'
import type { Segment } from '../files/record.ts'
import { ulidOf } from '../redis/keys.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { FinishedLine } from './finished-line.ts'
import { type Progress, statusOf } from './progress.ts'
import type { BatchRecord } from './record.ts'
import { renderChunk } from './render-chunk.ts'
import type { BatchLease } from './steps.ts'
import type { WakeSignal } from './wake-signal.ts'
import type { BatchWork } from './work.ts'

export interface CollectorDeps {
  readonly work: BatchWork
  readonly blobs: BlobStore
  readonly telemetry: Pick<Telemetry, 'emit'>
  readonly now: () => number
}

export interface CollectorRun {
  readonly batch: BatchRecord
  readonly lease: BatchLease
  readonly progress: Progress
  /** Wakes the feeder when the window has room. */
  readonly room: WakeSignal
  readonly signal: AbortSignal
}

/** A chunk is written when it has so many lines, or its first has waited so long: each costs a blob and an fsync. */
const chunkLines = 1_000
const chunkBytes = 1024 * 1024
const chunkAgeMs = 500
/** Read in one script: more would hold Redis up for others. */
const peekLines = 250

/** While something moves it looks often, so that a small batch is not held up. */
const busyPollMs = 10
const idlePollMs = 250
const pollGrowth = 1.3

/** Takes done lines out of Redis and into the output files, until every line of the batch is there. */
export const collectBatch = async (parts: CollectorDeps, run: CollectorRun): Promise<void> => {
  const { work, now } = parts
  const { batch, progress, signal, room } = run
  let firstSeenAtMs: number | null = null
  let pollMs = busyPollMs

  const look = async (): Promise<void> => {
    const before = progress.done
    progress.done = await work.finishedCount(batch.id)
    pollMs = progress.done === before ? Math.min(pollMs * pollGrowth, idlePollMs) : busyPollMs
    if (progress.done > 0) firstSeenAtMs ??= now()
    room.wake()
  }

  const isDue = (): boolean => {
    const { done, fed, collected, total, window } = progress
    if (done === 0) return false
    const uncollected = fed - collected
    const isLast = fed === total && done >= uncollected
    // Lines that are done hold up the feeder when they fill a good part of what may be there at all.
    const isCrowded = done * 4 >= window.done
    return isLast || isCrowded || done >= chunkLines || now() - firstSeenAtMs! >= chunkAgeMs
  }

  while (progress.collected < progress.total) {
    signal.throwIfAborted()
    await look()
    if (isDue()) {
      await collectChunk(parts, run)
      firstSeenAtMs = null
      pollMs = busyPollMs
      room.wake()
    } else await delay(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

const peekChunk = async ({ work }: CollectorDeps, { batch }: CollectorRun): Promise<FinishedLine[]> => {
  const lines: FinishedLine[] = []
  for (let bytes = 0; lines.length < chunkLines && bytes < chunkBytes; ) {
    const peeked = await work.peek(batch.id, lines.length, peekLines, chunkBytes - bytes)
    lines.push(...peeked)
    if (peeked.length < peekLines) break
    for (const line of peeked) bytes += answerBytes(line)
  }
  return lines
}

const collectChunk = async (parts: CollectorDeps, run: CollectorRun): Promise<void> => {
  const { work } = parts
  const { batch, lease, progress } = run
  const lines = await peekChunk(parts, run)
  const { fed, collected, total } = progress
  if (fed === total && collected + lines.length === total && progress.status === 'in_progress') {
    progress.status = statusOf(await work.finalizing(lease))
  }
  const { output, error, ...rest } = renderChunk(batch.dialect, batch.id, lines)
  // Never the name of another try's blob: that of a feeder taken for dead may be half there.
  const name = `${collected}-${randomBytes(6).toString('hex')}`
  const [outputSegment, errorSegment] = await Promise.all([
    writeSegment(parts, batch.outputFileId, name, output),
    writeSegment(parts, batch.errorFileId, name, error),
  ])
  const status = await work.collect(lease, batch, {
    ...rest,
    name,
    entries: lines.map(line => line.entry),
    lowWatermark: lowWatermarkWithout(progress, new Set(lines.map(line => line.number))),
    output: outputSegment,
    error: errorSegment,
  })
  progress.status = statusOf(status)
  parts.telemetry.emit({ kind: 'batch.lines_collected', counts: { ...rest.counts } })
  progress.collected += lines.length
  progress.done = Math.max(0, progress.done - lines.length)
  progress.openBytes -= rest.bytes
  progress.cost += (rest.cost ?? 0) / costUnits
  for (const line of lines) {
    progress.open.delete(line.number)
    if (line.kind !== 'job') continue
    progress.ended += 1
    if (line.status === 'succeeded' || line.status === 'failed') progress.answered += 1
    progress.window.note(answerBytes(line))
  }
}

const writeSegment = async (
  { blobs }: CollectorDeps,
  fileId: string,
  name: string,
  text: string,
): Promise<Segment | null> => {
  if (text === '') return null
  const key = `${ulidOf(fileId)}/${name}`
  const { bytes } = await blobs.write(key, onePiece(Buffer.from(text)))
  return { key, bytes }
}

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes
}

const answerBytes = (line: FinishedLine): number =>
  line.kind === 'job' ? (line.response?.body.length ?? 0) : line.entry.length

/**
 * The number up to which no job is open, once these are collected. Open numbers rise, so the first one left
 * decides.
 */
const lowWatermarkWithout = ({ open, fed }: Progress, collected: ReadonlySet<number>): number => {
  for (const number of open) if (!collected.has(number)) return number - 1
  return fed
}
