import type { Logger } from 'pino'
import type { Joined, SingleFlight } from '../cache/single-flight.ts'
import { jobDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import type { JobResult, JobStore } from '../jobs/store.ts'
import type { AddressedDoorbell, Doorbells } from '../queue/doorbells.ts'
import { dueDoorbell } from '../queue/sweeper.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import { type Execution, moveTo } from './execution.ts'

export interface ShareCallParts {
  readonly singleFlight: SingleFlight
  readonly store: Pick<JobStore, 'park'>
  /** See `createWake`. */
  readonly wake: (doorbells: readonly string[]) => Promise<void>
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
  readonly now: () => number
}

/**
 * What becomes of a claimed job before any call: `call` when it is to be made, `parked` when another makes it, else the end
 * that an answer from the cache gives it.
 */
export type ShareCall = (
  run: Execution,
) => Promise<'call' | 'parked' | Omit<JobResult, 'attempts' | 'costUsd'>>

export const createShareCall = ({
  singleFlight,
  store,
  wake,
  persist,
  log,
  now,
}: ShareCallParts): ShareCall => {
  const follow = async (run: Execution, { untilMs, follow }: Joined & { kind: 'follow' }): Promise<void> => {
    const { id, expiresAtMs } = run.claim
    const to = moveTo(run, run.current)
    const resumesAtMs = Math.min(untilMs, expiresAtMs)
    const { hop, target } = to
    const when = { at: now() / 1_000, until: resumesAtMs / 1_000 }
    const move = {
      ...to,
      note: { kind: 'parked', hop, ...target, reason: 'identical_request', ...when },
    } as const
    if (!(await persist(() => store.park(run.claim, move, resumesAtMs)))) return
    log.debug({ event: 'singleflight.joined', jobId: id }, 'job waits for the call of an identical request')
    const doorbell = jobDoorbell(id, move.hop, move.generation)
    // Only now that it is parked would it hear its doorbell, and by now the leader may have ended. Whatever fails here,
    // the schedule has the doorbell.
    await follow(doorbell)
      .then(isFollowing => (isFollowing ? undefined : wake([doorbell])))
      .catch(error =>
        log.debug(
          { event: 'singleflight.join_failed', err: error, jobId: id },
          'job not added to a shared call: it wakes by its timer',
        ),
      )
  }

  return async run => {
    const joined = await singleFlight.join(run.claim)?.catch(error => {
      log.debug({ event: 'cache.lookup_failed', err: error, jobId: run.claim.id }, 'cache lookup failed')
    })
    if (!joined) return 'call'
    if (joined.kind === 'hit') {
      const { statusCode, body, target } = joined.answer
      return {
        status: 'succeeded',
        response: { statusCode, body },
        error: null,
        refused: false,
        // Nobody was asked, so nothing was used.
        usage: { input_tokens: 0, output_tokens: 0 },
        cachedFrom: target,
      }
    }
    if (joined.kind === 'call') {
      run.flight = joined.flight
      return 'call'
    }
    await follow(run, joined)
    return 'parked'
  }
}

/**
 * Drops the call of a job that was cancelled, unless others wait for its answer: the job has its end, and the call goes on for
 * them. Where Redis cannot say so, it is dropped, and they ask again.
 */
export const createDropCall =
  (
    singleFlight: Pick<SingleFlight, 'continuesAfterCancel'>,
    calls: Pick<CallsInFlight, 'abort'>,
    log: Logger,
  ) =>
  (jobId: string): void => {
    const drop = (): void => calls.abort(jobId, 'cancelled')
    const asked = singleFlight.continuesAfterCancel(jobId)
    if (asked === null) {
      drop()
      return
    }
    asked
      .then(goesOn =>
        goesOn
          ? log.debug(
              { event: 'singleflight.call_kept', jobId },
              'call of a cancelled job goes on for the jobs that share it',
            )
          : drop(),
      )
      .catch(error => {
        log.debug(
          { event: 'singleflight.read_failed', err: error, jobId },
          'followers of a shared call not read',
        )
        drop()
      })
  }

/** Each as its record says; those of jobs that have moved on are passed over. */
const ringsOf = async (
  store: Pick<JobStore, 'readHeads'>,
  names: readonly string[],
): Promise<AddressedDoorbell[]> => {
  const records = await store.readHeads(names.map(name => parseDoorbell(name).jobId))
  const rings = names.map((name, i) => records[i] && dueDoorbell(parseDoorbell(name), name, records[i]))
  return rings.filter(ring => ring !== null && ring !== undefined)
}

/** Rings doorbells before the schedule does. */
export const createWake =
  (store: Pick<JobStore, 'readHeads'>, doorbells: Doorbells) =>
  async (names: readonly string[]): Promise<void> =>
    doorbells.ringAll(await ringsOf(store, names))

/** Whether some job still waits for one of these doorbells. */
export const createStillWaits =
  (store: Pick<JobStore, 'readHeads'>) =>
  async (names: readonly string[]): Promise<boolean> =>
    names.length > 0 && (await ringsOf(store, names)).length > 0
