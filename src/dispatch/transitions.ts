import type { Logger } from 'pino'
import { placeOf } from '../domain/place.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import { formatTarget } from '../jobs/record.ts'
import type { Claim, JobStore, Move } from '../jobs/types.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { attribute, event } from '../telemetry/span-names.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { noteEvent } from '../telemetry/tracing.ts'
import { type Ending, type Execution, moveTo, unrecorded } from './execution.ts'
import type { MoveReasons } from './move-reasons.ts'
import { pause } from './pause.ts'

export interface TransitionDeps {
  /** Whose worker this is. */
  readonly provider: string
  readonly store: Pick<JobStore, 'advance' | 'park' | 'retry' | 'expire' | 'account'>
  readonly doorbells: Doorbells
  readonly moveReasons: MoveReasons
  /** Whether the process is about to end: then jobs do not wait here. */
  readonly isStopping: () => boolean
  /** Writes what must not be lost: tries again while Redis refuses. */
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly telemetry: Pick<Telemetry, 'emit'>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

const slotWaitMs = 100

/** What a worker does with a running job that it neither calls for nor finishes. */
export interface Transitions {
  handOver(run: Execution, ending: Ending & { kind: 'handed_over' }): Promise<void>
  park(run: Execution, ending: Ending & { kind: 'parked' }): Promise<void>
  /** Records the failed call and waits; an ending when the job is no longer ours or is to be handed back. */
  retry(run: Execution, delayMs: number): Promise<Ending | null>
  /**
   * Waits a moment in its slot before it continues: the jobs behind it wait in the queue meanwhile, and
   * nothing is written. `sooner`: ends the wait before its time. An ending when the job is to be given up or handed back.
   */
  waitInSlot(run: Execution, sooner?: Promise<void>): Promise<Ending | null>
  /**
   * Does what the reason of an interruption asks for: `cancelled`, `expired`, or anything else to hand the
   * job back.
   */
  interrupt(run: Execution, reason: unknown): Promise<void>
  /**
   * Records the calls of a job that another worker has by now, or that has ended: their cost counts all the
   * same.
   */
  disown(run: Execution): Promise<void>
}

export const createTransitions = (deps: TransitionDeps): Transitions => {
  const { provider, store, doorbells, moveReasons, persist, telemetry, log, now, random } = deps

  const disown = async (run: Execution): Promise<void> => {
    await persist(() => store.account(run.claim, unrecorded(run)))
  }

  const handOver: Transitions['handOver'] = async (run, { target }) => {
    const hasCalled = run.attempts.length > run.claim.attempts.length
    const note = hasCalled ? {} : { note: moveReasons.skipped(run.claim.hop, run.current, run.attempts) }
    const move = { ...moveTo(run, target), ...note }
    const reason = run.attempts.at(-1)?.reason ?? 'unavailable'
    if (!(await persist(() => store.advance(run.claim, move, now())))) return disown(run)
    telemetry.emit({ kind: 'job.handed_over', provider })
    noteEvent(event.handover, {
      [attribute.fromTarget]: formatTarget(run.current),
      [attribute.target]: formatTarget(target),
      [attribute.hop]: move.hop,
      [attribute.errorType]: reason,
    })
    log.info(
      {
        event: 'job.handed_over',
        jobId: run.claim.id,
        hop: move.hop,
        from: run.current.provider,
        provider: target.provider,
        reason,
      },
      'job handed over',
    )
    ring(run.claim, move)
  }

  const park: Transitions['park'] = async (run, { target, untilMs, obstacle }) => {
    const to = moveTo(run, target)
    const resumesAtMs = Math.min(untilMs, run.claim.expiresAtMs)
    const note = moveReasons.parked(to.hop, target, run.attempts, resumesAtMs)
    const move = { ...to, note, ...(obstacle && { standing: { at: now(), ...obstacle } }) }
    if (!(await persist(() => store.park(run.claim, move, resumesAtMs)))) return disown(run)
    telemetry.emit({ kind: 'job.parked', provider })
    noteEvent(event.park, {
      [attribute.target]: formatTarget(target),
      [attribute.resumesInSeconds]: (resumesAtMs - now()) / 1_000,
    })
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

  const retry: Transitions['retry'] = async (run, delayMs) => {
    const nextCallAtMs = now() + delayMs
    // More than one where a call followed another at once.
    const calls = unrecorded(run)
    if (!(await persist(() => store.retry(run.claim, run.attemptsSpent, calls, nextCallAtMs))))
      return { kind: 'lost' }
    run.recorded = run.attempts.length
    await pause(delayMs, run.interrupt)
    return run.interrupt.aborted ? { kind: 'interrupted', reason: run.interrupt.reason } : null
  }

  const waitInSlot: Transitions['waitInSlot'] = async (run, sooner) => {
    await pause(slotWaitMs * (0.5 + random()), run.interrupt, sooner)
    if (run.interrupt.aborted) return { kind: 'interrupted', reason: run.interrupt.reason }
    return deps.isStopping() ? { kind: 'interrupted', reason: 'shutdown' } : null
  }

  const interrupt: Transitions['interrupt'] = async (run, reason) => {
    // A cancel has written the job's end; a superseded job is continued by the worker that took it over.
    if (reason === 'cancelled' || reason === 'superseded') return disown(run)
    if (reason === 'expired') {
      await persist(() => store.expire(run.claim.id, 0))
      return disown(run)
    }
    const move = moveTo(run, run.current)
    if (!(await persist(() => store.advance(run.claim, move, now())))) return disown(run)
    ring(run.claim, move)
    noteEvent(event.returned, {})
    log.info({ event: 'job.returned', jobId: run.claim.id }, 'job returned to its queue')
  }

  /** The schedule holds the doorbell already: a failure here only delays it. */
  const ring = (claim: Claim, { hop, generation, target }: Move): void => {
    doorbells
      .ring({
        queue: providerQueue(target.provider),
        doorbell: jobDoorbell(claim.id, hop, generation),
        place: placeOf(claim),
      })
      .catch(error =>
        log.debug(
          { event: 'doorbell.deferred', err: error, jobId: claim.id },
          'doorbell left to the sweeper',
        ),
      )
  }

  return { handOver, park, retry, waitInSlot, interrupt, disown }
}
