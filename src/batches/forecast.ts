import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Routes } from '../dispatch/routes.ts'
import { completionAt, type Watch, watchDeadline } from '../domain/planning/completion.ts'
import { type Mark, rateOf } from '../domain/planning/queue-speed.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import type { QueueSpeeds } from '../queue/queue-speeds.ts'
import { LeaseLost, type Progress } from './progress.ts'
import type { BatchRecord } from './record.ts'
import type { BatchLease } from './steps.ts'
import type { BatchWork } from './work.ts'

export interface OutlookDeps {
  readonly routes: Routes
  readonly doorbells: Pick<Doorbells, 'around'>
  readonly speeds: Pick<QueueSpeeds, 'of'>
  readonly now: () => number
}

export interface ForecastDeps extends OutlookDeps {
  readonly work: Pick<BatchWork, 'warn' | 'foresee'>
  readonly log: Logger
}

export interface ForecastRun {
  readonly batch: BatchRecord
  readonly lease: BatchLease
  readonly progress: Progress
  readonly signal: AbortSignal
}

/**
 * When so many lines of a tenant's batch are done, in Unix ms, by what waits in the queue of its model's first target and the speed
 * that this has now; null where that is not known, or the lines name several models.
 */
export const outlookOf = async (
  { routes, doorbells, speeds, now }: OutlookDeps,
  { model, tenant, expiresAtMs }: Pick<BatchRecord, 'model' | 'tenant' | 'expiresAtMs'>,
  lines: number,
): Promise<number | null> => {
  const target = model === null ? undefined : routes.get(model)?.targets[0]
  if (target === undefined) return null
  const speed = speeds.of(target.provider)
  if (speed.perSecond === null) return null
  const place = { tenant, class: 'bulk', dueMs: expiresAtMs, tokens: 0 } as const
  const { depth, own, tenants } = await doorbells.around(providerQueue(target.provider), place)
  return completionAt(lines, { class: 'bulk', waiting: depth, own, tenants }, speed, now())
}

const roundMs = 2_000
/** The speed of the lines themselves counts from this long after the first: before, only the quick ones are done. */
const ownSpeedAfterMs = 10_000
const keptMarks = 60
/** A change of the estimate is written when it is more than this part of the time left, and than a round. */
const noticeable = 0.02

/**
 * Says again and again when a batch is likely to be done: by the queue's speed at first, then by the speed at which its own lines are
 * done. Warns where that is after its window, and takes the warning back; before the first line is fed at once, later when the
 * estimate has stayed so for a while.
 */
export const forecastBatch = async (parts: ForecastDeps, run: ForecastRun): Promise<void> => {
  const { work, log, now } = parts
  const { batch, lease, progress, signal } = run
  let marks: readonly Mark[] = []
  let { estimateMs: written, warning } = batch
  let watch: Watch = { isAtRisk: warning !== null, otherwiseSinceMs: null }

  const mustHold = (reply: string): void => {
    if (reply === 'lost') throw new LeaseLost('the lease of the batch is lost')
  }

  const estimate = async (): Promise<number | null> => {
    const done = progress.collected + progress.done
    if (done > 0) marks = [...marks, { atMs: now(), count: done, isBusy: true }].slice(-keptMarks)
    const left = progress.total - done
    const isKnown = marks.length > 1 && now() - marks[0]!.atMs >= ownSpeedAfterMs
    const own = isKnown ? rateOf(marks) : null
    if (own !== null && own > 0) return now() + (left / own) * 1_000
    return outlookOf(parts, batch, left)
  }

  const foresee = async (estimateMs: number): Promise<void> => {
    const least = Math.max(roundMs, Math.abs(estimateMs - now()) * noticeable)
    if (written !== null && Math.abs(estimateMs - written) < least) return
    mustHold(await work.foresee(lease, estimateMs))
    written = estimateMs
  }

  const warn = async (estimateMs: number): Promise<void> => {
    warning = { code: 'deadline_at_risk', sinceMs: now(), estimateMs: Math.round(estimateMs) }
    mustHold(await work.warn(lease, warning))
    const lateByMs = Math.round(estimateMs - batch.expiresAtMs)
    log.warn({ event: 'batch.at_risk', lateByMs }, 'batch is likely not to be done in its window')
  }

  const withdraw = async (): Promise<void> => {
    warning = null
    mustHold(await work.warn(lease, null))
    log.info({ event: 'batch.on_time' }, 'batch is likely to be done in its window again')
  }

  while (!signal.aborted) {
    const estimateMs = progress.status === 'cancelling' ? null : await estimate()
    if (estimateMs !== null) {
      await foresee(estimateMs)
      const isFirst = progress.fed === 0 && estimateMs > batch.expiresAtMs
      watch = isFirst
        ? { isAtRisk: true, otherwiseSinceMs: null }
        : watchDeadline(watch, estimateMs, batch.expiresAtMs, now())
      progress.isLate = watch.isAtRisk
      if (watch.isAtRisk && warning === null) await warn(estimateMs)
      if (!watch.isAtRisk && warning !== null) await withdraw()
    }
    await delay(roundMs, undefined, { signal }).catch(() => undefined)
  }
}
