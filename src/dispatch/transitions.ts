import type { Logger } from 'pino'
import type { Obstacle } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import type { JobStore, Move } from '../jobs/store.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { type Execution, moveTo, unrecorded } from './execution.ts'
import type { MoveReasons } from './move-reasons.ts'
import { pause } from './pause.ts'

export interface TransitionDeps {
  readonly store: Pick<JobStore, 'advance' | 'park' | 'retry' | 'expire' | 'account'>
  readonly doorbells: Doorbells
  readonly moveReasons: MoveReasons
  /** Whether the process is about to end: then jobs do not wait here. */
  readonly isStopping: () => boolean
  /** Writes what must not be lost: tries again while Redis refuses. */
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

const holdMs = 100

/** What a worker does with a running job that it neither calls for nor ends. */
export interface Transitions {
  handOver(run: Execution, target: RouteTarget): Promise<void>
  /** `obstacle`: what it waits for, where that is known. */
  park(run: Execution, target: RouteTarget, untilMs: number, obstacle: Obstacle | null): Promise<void>
  /** Logs the failed call and waits; false when the job is no longer ours or is to be handed back. */
  retry(run: Execution, delayMs: number): Promise<boolean>
  /**
   * Waits a moment in its place, until there is room to go on: those behind it wait in the queue meanwhile, and nothing is
   * written. False when the job is no longer ours or was handed back.
   */
  waitInSlot(run: Execution): Promise<boolean>
  /** Does what the reason of an interruption asks for: `cancelled`, `expired`, or anything else to hand the job back. */
  interrupted(run: Execution, reason: unknown): Promise<void>
  /** Tells of the calls for a job that is another's by now, or has its end: what they cost is on its bill all the same. */
  disown(run: Execution): Promise<void>
}

export const createTransitions = (parts: TransitionDeps): Transitions => {
  const { store, doorbells, moveReasons, persist, log, now, random } = parts

  const disown = async (run: Execution): Promise<void> => {
    await persist(() => store.account(run.claim, unrecorded(run)))
  }

  const handOver = async (run: Execution, target: RouteTarget): Promise<void> => {
    const called = run.attempts.length > run.claim.attempts.length
    const note = called ? {} : { note: moveReasons.skipped(run.claim.hop, run.current, run.attempts) }
    const move = { ...moveTo(run, target), ...note }
    const reason = run.attempts.at(-1)?.reason ?? 'unavailable'
    if (!(await persist(() => store.advance(run.claim, move, now())))) return disown(run)
    const from = run.current.provider
    log.info(
      {
        event: 'job.handed_over',
        jobId: run.claim.id,
        hop: move.hop,
        from,
        provider: target.provider,
        reason,
      },
      'job handed over',
    )
    ring(run.claim.id, move)
  }

  const park: Transitions['park'] = async (run, target, untilMs, obstacle) => {
    run.flight?.ended(true)
    const to = moveTo(run, target)
    const resumesAtMs = Math.min(untilMs, run.claim.expiresAtMs)
    const note = moveReasons.parked(to.hop, target, run.attempts, resumesAtMs)
    const move = { ...to, note, ...(obstacle && { standing: { at: now(), ...obstacle } }) }
    if (!(await persist(() => store.park(run.claim, move, resumesAtMs)))) return disown(run)
    log.info(
      {
        event: 'job.parked',
        jobId: run.claim.id,
        provider: target.provider,
        resumesInMs: resumesAtMs - now(),
      },
      'job parked',
    )
  }

  const retry = async (run: Execution, delayMs: number): Promise<boolean> => {
    const nextCallAtMs = now() + delayMs
    // More than one where a call followed another at once.
    const calls = unrecorded(run)
    if (!(await persist(() => store.retry(run.claim, run.attemptsSpent, calls, nextCallAtMs)))) {
      await disown(run)
      return false
    }
    run.recorded = run.attempts.length
    await pause(delayMs, run.interrupt)
    if (!run.interrupt.aborted) return true
    await interrupted(run, run.interrupt.reason)
    return false
  }

  const hold = async (run: Execution): Promise<boolean> => {
    await pause(holdMs * (0.5 + random()), run.interrupt)
    if (!run.interrupt.aborted && !parts.isStopping()) return true
    await interrupted(run, run.interrupt.aborted ? run.interrupt.reason : 'shutdown')
    return false
  }

  const interrupted = async (run: Execution, reason: unknown): Promise<void> => {
    if (reason !== 'shutdown') run.flight?.ended(false)
    // Whoever cancelled it has written its end, and whoever has it now goes on with it.
    if (reason === 'cancelled' || reason === 'superseded') return disown(run)
    if (reason === 'expired') {
      await persist(() => store.expire(run.claim.id, 0))
      return disown(run)
    }
    const move = moveTo(run, run.current)
    if (!(await persist(() => store.advance(run.claim, move, now())))) return disown(run)
    ring(run.claim.id, move)
    log.info({ event: 'job.returned', jobId: run.claim.id }, 'job returned to its queue')
  }

  /** The schedule holds the doorbell already: a failure here only delays it. */
  const ring = (jobId: string, { hop, generation, target }: Move): void => {
    doorbells
      .ring({ queue: providerQueue(target.provider), doorbell: jobDoorbell(jobId, hop, generation) })
      .catch(error =>
        log.debug({ event: 'doorbell.deferred', err: error, jobId }, 'doorbell left to the sweeper'),
      )
  }

  return { handOver, park, retry, waitInSlot: hold, interrupted, disown }
}
