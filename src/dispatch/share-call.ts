import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createAnswerCache } from '../cache/answer-cache.ts'
import type { Joined, SharedCallEnd, SingleFlight } from '../cache/single-flight.ts'
import { type CachedRoutes, createSingleFlight } from '../cache/single-flight.ts'
import type { Permit } from '../domain/permit.ts'
import { jobDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { AddressedDoorbell, Doorbells } from '../queue/doorbells.ts'
import { dueDoorbell } from '../queue/sweeper.ts'
import type { Keys } from '../redis/keys.ts'
import { type CacheLookupDeps, createNoteLookup } from './cache-lookups.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import { type Ending, type Execution, moveTo } from './execution.ts'
import { createFollowStream, type FollowStream, type FollowStreamDeps } from './follow-stream.ts'

export interface ShareCallDeps extends CacheLookupDeps {
  readonly singleFlight: SingleFlight
  readonly store: Pick<JobStore, 'park'>
  readonly followStream: FollowStream
  /** See `createWake`. */
  readonly wake: (doorbells: readonly string[]) => Promise<void>
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
  readonly now: () => number
}

/**
 * Before any call of a claimed job: a permit to make it, alone or for all identical requests, or the job's
 * ending where another makes it or the cache has the answer. Settled with null where the job's ending is not
 * known.
 */
export type ShareCall = (
  run: Execution,
) => Promise<(Permit<Ending | null> & { readonly kind: 'permit' }) | Ending>

const unshared = { kind: 'permit', settle: async () => undefined } as const

const sharedEndOf = (ending: Ending | null): SharedCallEnd => {
  switch (ending?.kind) {
    case 'finished':
      return ending.answer ? { kind: 'answered', answer: ending.answer } : { kind: 'ended', mayRecur: true }
    case 'parked':
      return { kind: 'ended', mayRecur: true }
    case 'interrupted':
      return ending.reason === 'shutdown' ? { kind: 'left' } : { kind: 'ended', mayRecur: false }
    default:
      return { kind: 'left' }
  }
}

export const createShareCall = (deps: ShareCallDeps): ShareCall => {
  const { singleFlight, store, followStream, wake, persist, log, now } = deps
  const noteLookup = createNoteLookup(deps)
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
    // A doorbell reaches the job only now that it is parked, and the leader may have ended by now. If this
    // fails, the schedule still has the doorbell.
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
    if (!run.mayShareCall) return unshared
    const joined = await singleFlight.join(run.claim)?.catch(error => {
      log.debug({ event: 'cache.lookup_failed', err: error, jobId: run.claim.id }, 'cache lookup failed')
    })
    if (!joined) return unshared
    noteLookup(run.claim.model, joined)
    if (joined.kind === 'hit') {
      const { statusCode, body, target } = joined.answer
      return {
        kind: 'finished',
        answer: null,
        result: {
          ...{ status: 'succeeded', error: null, refused: false },
          response: { statusCode, body },
          // No provider was asked, so nothing was used.
          usage: { input_tokens: 0, output_tokens: 0 },
          cachedFrom: target,
        },
      }
    }
    if (joined.kind === 'follow') {
      const followed = joined.stream ? await followStream(run, joined.stream) : null
      if (followed !== null) return followed
      await follow(run, joined)
      return { kind: 'written' }
    }
    const { call } = joined
    void run.stream?.begun.then(() => call.streams(run.claim.token))
    return { kind: 'permit', settle: ending => call.settle(sharedEndOf(ending)) }
  }
}

/**
 * Drops the call of a cancelled job, unless other jobs wait for its answer: then the job ends and the call
 * continues for them. If Redis cannot be asked, the call is dropped, and they call again.
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

interface ShareCallSite extends CacheLookupDeps {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly store: JobStore
  readonly doorbells: Doorbells
  readonly cachedRoutes: CachedRoutes
  readonly memory: { readonly isFull: () => boolean }
  readonly calls: Pick<CallsInFlight, 'abort'>
  readonly leaseMs: number
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly streams: Pick<FollowStreamDeps, 'hub' | 'logs' | 'leavers'>
  readonly log: Logger
  readonly now: () => number
}

interface OpenShareCall {
  readonly shareCall: ShareCall
  /** Call it for each job that was cancelled, in whichever process it runs. */
  readonly dropCall: (jobId: string) => void
}

/** Caches and shared calls, as one worker takes part in them until it stops. */
export const openShareCall = async (life: Lifecycle, site: ShareCallSite): Promise<OpenShareCall> => {
  const { store, doorbells, cachedRoutes } = site
  const wake = createWake(store, doorbells)
  const singleFlight = createSingleFlight({
    ...site,
    cache: createAnswerCache(site),
    isFull: site.memory.isFull,
    routes: cachedRoutes,
    wake,
    stillWaits: createStillWaits(store),
    random: Math.random,
  })
  if (cachedRoutes.size > 0) {
    await life.open(
      'cache leads',
      () => singleFlight.start(),
      () => singleFlight.stop(),
    )
  }
  return {
    shareCall: createShareCall({
      ...{ ...site, singleFlight, wake },
      followStream: createFollowStream({ ...site, ...site.streams }),
    }),
    dropCall: createDropCall(singleFlight, site.calls, site.log),
  }
}
