import type { Logger } from 'pino'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { claimOf } from '../jobs/codec.ts'
import { isApart } from '../jobs/payloads.ts'
import type { JobResult, NewJob } from '../jobs/types.ts'
import type { Admission } from '../rate-limits/admission.ts'
import type { JobExecutor } from './execute.ts'
import type { Isolation, Seat } from './isolation.ts'

/**
 * The way of a job whose connection waits past its queue, where a worker of the same process would call for it at once anyway:
 * the job is made and claimed in one script, and its result is handed over in memory. All else is as for a job that came
 * by its doorbell: record, lease, limits, circuits, handover, parking, recovery.
 */
export interface ExpressLane {
  /** A place for a job that is made now; null where it has to queue. */
  enter(job: NewJob): ExpressPlace | null
}

export interface ExpressPlace {
  /** Names the run that the job is claimed for. */
  readonly token: string
  /** Runs the job that was claimed. Resolves with its result once that is in Redis; with null when it left this worker without. */
  run(): Promise<JobResult | null>
  /** The job was not claimed, so the place is free. */
  leave(): void
  /** It is not known whether the job was claimed. If it was, it goes to its queue. */
  giveUp(): void
}

export interface ExpressLaneOptions {
  /** See `Consumer.seize`. */
  readonly seize: () => (() => void) | null
  readonly admission: Pick<Admission, 'reserve' | 'hasRoom'>
  readonly isolation: Isolation
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  readonly executor: Pick<JobExecutor, 'run' | 'handBack'>
  readonly newToken: () => string
  readonly log: Logger
  readonly now: () => number
}

export const createExpressLane = (options: ExpressLaneOptions): ExpressLane => {
  const { seize, admission, isolation, availableAt, executor, newToken, log, now } = options

  /** A job that had to wait here would hold a slot that others need. */
  const goesAtOnce = ({ model: route, target, home, body }: NewJob): boolean =>
    isolation.isOpen &&
    home === undefined &&
    !isApart(body) &&
    availableAt({ route, ...target }) <= now() &&
    admission.hasRoom(target.model)

  /** Never rejects: a worker that fails leaves the job to whoever finds its lease run out. */
  const seenThrough = async <T>({ id }: NewJob, work: Promise<T>, leave: () => void): Promise<T | null> => {
    try {
      return await work
    } catch (error) {
      log.error({ event: 'express.failed', err: error, jobId: id }, 'express job failed')
      return null
    } finally {
      leave()
    }
  }

  return {
    enter: job => {
      const release = goesAtOnce(job) ? seize() : null
      if (release === null) return null
      const arrived = admission.reserve()
      const seat = isolation.enter() as Seat
      const token = newToken()
      const leave = (): void => {
        arrived()
        seat.leave()
        release()
      }
      return {
        token,
        leave,
        run: async () => {
          arrived()
          const run = await seenThrough(job, executor.run(claimOf(job, token), seat), leave)
          return (await run?.written) ?? null
        },
        giveUp: () => void seenThrough(job, executor.handBack(claimOf(job, token)), leave),
      }
    },
  }
}

/** The lanes of the workers of this process, by provider. */
export interface ExpressLanes {
  readonly of: (provider: string) => ExpressLane | undefined
  readonly open: (provider: string, lane: ExpressLane) => void
}

export const createExpressLanes = (): ExpressLanes => {
  const lanes = new Map<string, ExpressLane>()
  return { of: provider => lanes.get(provider), open: (provider, lane) => void lanes.set(provider, lane) }
}
