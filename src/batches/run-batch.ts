import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { FirstTarget } from '../dispatch/first-target.ts'
import { isNearDeadline } from '../domain/planning/completion.ts'
import { BlobNotFoundError, BlobStoreError } from '../files/blobs/blob-store.ts'
import type { FileRecord } from '../files/record.ts'
import { type CollectorDeps, collectBatch } from './collector.ts'
import { type FeederDeps, feedBatch } from './feeder.ts'
import { type ForecastDeps, forecastBatch, outlookOf } from './forecast.ts'
import { createPlanLine } from './plan-line.ts'
import { LeaseLost, OutOfDate, type Progress, resume } from './progress.ts'
import { createReadInput } from './read-lines.ts'
import type { BatchFault, BatchRecord } from './record.ts'
import type { BatchLease, EndedFiles } from './steps.ts'
import { type SupervisionDeps, superviseJobs } from './supervise-jobs.ts'
import { type ValidationDeps, validateInput } from './validate-input.ts'
import type { Validation } from './validator.ts'
import { sayLate } from './view.ts'
import { createWakeSignal } from './wake-signal.ts'
import { type BlockedDeps, watchBlocked } from './watch-blocked.ts'
import { createWindow, type WindowLimits } from './window.ts'

export interface BatchRunDeps
  extends CollectorDeps,
    FeederDeps,
    ValidationDeps,
    SupervisionDeps,
    Omit<ForecastDeps, 'work' | 'doorbells'>,
    Omit<BlockedDeps, 'work' | 'store'> {
  readonly firstTarget: FirstTarget
  readonly window: WindowLimits
  /** Whether a batch is refused that will not be done in its window, or only warned of. */
  readonly admission: 'strict' | 'warn'
  /** How long output files live when the batch does not say. */
  readonly outputRetentionMs: number
  /** A feeder silent for this long is taken for dead and its batches are given to others. */
  readonly leaseMs: number
  readonly log: Logger
  readonly now: () => number
}

const inputLost: BatchFault = {
  code: 'input_lost',
  message: 'The bytes of the input were gone until the deadline; lines that were read have their result.',
  param: null,
  line: null,
}

const unreachable = (estimateMs: number): BatchFault => ({
  code: 'deadline_unreachable',
  message: sayLate(estimateMs),
  param: 'completion_window',
  line: null,
})

/** A drive that failed is begun again after this, here or elsewhere. */
const retryMs = 5_000
/** Renewed this often within the lease, so that one slow answer does not lose it. */
const renewals = 5

/**
 * Takes a batch whose lease was just taken as far as it goes: validates, feeds and collects it, and ends it.
 * Every step is in Redis or in the blob store before the next, and fenced by the lease: when a feeder dies,
 * the next one goes on from there. Returns when the batch has ended, when `stop` aborts (then another may
 * have it at once), or when this drive failed. Never throws.
 */
export const runBatch = async (parts: BatchRunDeps, lease: BatchLease, stop: AbortSignal): Promise<void> => {
  const { work, now } = parts
  const log = parts.log.child({ batchId: lease.id })
  const over = new AbortController()
  const end = (): void => over.abort(stop.reason)
  stop.addEventListener('abort', end, { once: true })
  if (stop.aborted) end()
  const seen: { progress: Progress | null } = { progress: null }
  const keeping = keepLease(parts, lease, over, seen)
  const release = (dueAtMs: number): Promise<void> =>
    work
      .release(lease, dueAtMs)
      .catch(error =>
        log.debug(
          { event: 'batch_lease.release_failed', err: error },
          'batch lease not released: it will expire',
        ),
      )

  try {
    await runToEnd({ ...parts, log }, lease, over.signal, seen)
  } catch (error) {
    if (stop.aborted) await release(now())
    else if (error instanceof LeaseLost)
      log.info({ event: 'batch_lease.lost' }, 'batch is run by another process')
    else if (error instanceof OutOfDate) {
      log.warn({ event: 'batch.rewound' }, 'batch resumes from an earlier state: Redis lost its last writes')
      await release(now())
    } else {
      // Trouble of the blob store is the same for all batches, and is reported once, elsewhere.
      log[error instanceof BlobStoreError ? 'debug' : 'error'](
        { event: 'batch.delayed', err: error },
        'batch delayed, will be tried again',
      )
      await release(now() + retryMs)
    }
  } finally {
    over.abort()
    stop.removeEventListener('abort', end)
    await keeping
  }
}

/** Renews the lease until the drive is over, and ends the drive when the lease is lost. What it learns of a cancel it passes on. */
const keepLease = async (
  { work, leaseMs, now, log }: BatchRunDeps,
  lease: BatchLease,
  over: AbortController,
  seen: { readonly progress: Progress | null },
): Promise<void> => {
  while (!over.signal.aborted) {
    await delay(leaseMs / renewals, undefined, { signal: over.signal }).catch(() => undefined)
    if (over.signal.aborted) return
    try {
      const status = await work.renew(lease, now() + leaseMs)
      if (status === null) over.abort(new LeaseLost('the lease of the batch is lost'))
      else if (seen.progress) seen.progress.status = status
    } catch (error) {
      log.debug(
        { event: 'batch_lease.renew_failed', err: error, batchId: lease.id },
        'batch lease not renewed',
      )
    }
  }
}

type Checked = Omit<Validation, 'faults'> & { readonly faults: readonly BatchFault[] }

/** Bytes that are away may come back until the deadline. */
const orInputLost =
  (isPastDeadline: boolean) =>
  (error: unknown): Checked => {
    if (!(error instanceof BlobNotFoundError) || !isPastDeadline) throw error
    return { total: 0, faults: [inputLost], model: null }
  }

const runToEnd = async (
  parts: BatchRunDeps,
  lease: BatchLease,
  signal: AbortSignal,
  seen: { progress: Progress | null },
): Promise<void> => {
  const { work, log } = parts
  const batch = await work.read(lease.id)
  if (batch === null) return
  let faults: readonly BatchFault[] = []
  let validated = batch
  if (batch.total === null) {
    const validation = await validateInput(parts, batch, signal).catch(
      orInputLost(batch.expiresAtMs <= parts.now()),
    )
    faults = validation.faults
    if (faults.length === 0) faults = await refusal(parts, batch, validation)
    if (faults.length === 0) {
      const { total, model } = validation
      const status = await work.validated(lease, total, model)
      if (status === 'lost') throw new LeaseLost('the lease of the batch is lost')
      log.info({ event: 'batch.validated', lines: total }, 'batch validated')
      validated = (await work.read(lease.id))!
    }
  }
  if (faults.length === 0) {
    const progress = await resume(work, validated, createWindow(parts.window))
    seen.progress = progress
    await runLines(parts, validated, lease, progress, signal)
    if (progress.inputLost) faults = [inputLost]
  }
  await endBatch(parts, lease, faults)
}

/** Where the config says so, a batch is refused that cannot be done in its window at the speed that its queue has now. */
const refusal = async (
  parts: BatchRunDeps,
  batch: BatchRecord,
  { total, model }: Pick<Validation, 'total' | 'model'>,
): Promise<readonly BatchFault[]> => {
  if (parts.admission !== 'strict' || batch.status !== 'validating') return []
  const estimateMs = await outlookOf(parts, { ...batch, model }, total)
  return estimateMs === null || estimateMs <= batch.expiresAtMs ? [] : [unreachable(estimateMs)]
}

const runLines = async (
  parts: BatchRunDeps,
  batch: BatchRecord,
  lease: BatchLease,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> => {
  const failed = new AbortController()
  const collected = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const whileOpen = AbortSignal.any([either, collected.signal])
  const room = createWakeSignal()
  const fail = (error: unknown): never => {
    failed.abort(error)
    throw error
  }
  const run = { batch, lease, progress, room, signal: either }
  const readInput = createReadInput(parts.blobs, batch.input, parts.maxLineBytes)
  const planLine = createPlanLine(batch, {
    ...parts,
    isUrgent: () => progress.isLate || isNearDeadline(batch, parts.now()),
  })
  const ends = await Promise.allSettled([
    feedBatch(parts, { ...run, readInput, planLine }).catch(fail),
    collectBatch(parts, run)
      .finally(() => collected.abort())
      .catch(fail),
    superviseJobs(parts, { ...run, signal: whileOpen }).catch(fail),
    watchBlocked(parts, { ...run, signal: whileOpen }).catch(fail),
    forecastBatch(parts, { ...run, signal: whileOpen }).catch(fail),
  ])
  signal.throwIfAborted()
  // The first to fail made the others stop.
  failed.signal.throwIfAborted()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

const endBatch = async (
  { work, outputRetentionMs, telemetry, now, log }: BatchRunDeps,
  lease: BatchLease,
  faults: readonly BatchFault[],
): Promise<void> => {
  const batch = await work.read(lease.id)
  if (batch === null) return
  const createdAtMs = now()
  const fileOf = (id: string, name: string, bytes: number): FileRecord | null =>
    bytes === 0
      ? null
      : {
          id,
          tenant: batch.tenant,
          purpose: 'batch_output',
          filename: `${batch.id}_${name}.jsonl`,
          bytes,
          createdAtMs,
          expiresAtMs: createdAtMs + (batch.outputExpiresAfterMs ?? outputRetentionMs),
        }
  const files: EndedFiles = {
    output: fileOf(batch.outputFileId, 'output', batch.outputBytes),
    error: fileOf(batch.errorFileId, 'error', batch.errorBytes),
  }
  const status = await work.end(lease, batch, files, faults)
  if (status === 'lost') throw new LeaseLost('the lease of the batch is lost')
  if (status === 'changed') throw new OutOfDate('the batch is not as it was left')
  telemetry.emit({ kind: 'batch.ended', status, tookMs: now() - batch.createdAtMs })
  log.info({ event: 'batch.ended', status, lines: batch.total ?? 0, ...batch.counts }, 'batch ended')
}
