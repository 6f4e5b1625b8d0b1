import type { Logger } from 'pino'
import type { RouteConfig } from '../config/schema.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { Target } from '../domain/job.ts'
import type { Permit } from '../domain/permit.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { asksForUsage } from '../domain/streaming/stream-wishes.ts'
import { createRepeating, type Repeating, renewalsPerLease } from '../lifecycle/repeating.ts'
import type { AnswerCache, KeptAnswer, LeadStream, StreamForm } from './answer-cache.ts'
import { isCacheable } from './cacheable-answer.ts'
import { requestKey } from './request-key.ts'

/** A route whose answers are kept. */
export interface CachedRoute {
  readonly ttlMs: number
  /** The largest answer that is kept. */
  readonly maxBytes: number
  readonly maxTotalBytes: number
  /** Whether answers that came to a limit of length are kept as well. */
  readonly cachesTruncated: boolean
  /** The same as long as the route leads to the same models. */
  readonly chain: string
}

/** By the name of the route; others have no cache. */
export type CachedRoutes = ReadonlyMap<string, CachedRoute>

/** As much of a claimed job as its flight needs. */
export interface SharedRequest {
  readonly id: string
  readonly tenant: string
  readonly model: string
  readonly endpoint: Endpoint
  readonly body: string
  readonly headers: RequestHeaders
  /** There when its answer is streamed. */
  readonly stream?: readonly string[]
}

/** A good answer as its provider gave it. */
export interface GivenAnswer {
  readonly statusCode: number
  readonly body: string
  readonly target: Target
}

/**
 * How a job left the worker that called for it. `answered`: the answer is kept where the route's terms allow
 * it, and the followers continue. `ended`: it ended or parked without an answer that others could use.
 * `left`: it moves to another worker and leads there if it arrives within the lease; a cancelled job arrives
 * nowhere, and its followers continue.
 */
export type SharedCallEnd =
  | { readonly kind: 'answered'; readonly answer: GivenAnswer }
  | { readonly kind: 'ended'; readonly mayRecur: boolean }
  | { readonly kind: 'left' }

/**
 * One job's part in the call that all identical requests share. Its settling may get lost with Redis or with
 * the process: followers wake when the leader's lease is over, so nothing here is ever waited for.
 */
export interface SharedCall extends Permit<SharedCallEnd> {
  /** This run of the job has begun its stream: followers that stream may read along. */
  streams(run: string): void
}

export type Joined =
  | { readonly kind: 'hit'; readonly answer: KeptAnswer }
  | {
      readonly kind: 'follow'
      /** Unix ms at which to look again, should nothing wake the job. */
      readonly untilMs: number
      /** The leader's stream, where it has begun and the job may read it. */
      readonly stream: LeadStream | null
      /**
       * Call it once the job is parked, with the doorbell that it waits for. False: ring the doorbell at
       * once. It is woken when the leader ends, or begins a stream that it may read, other than `stream`.
       */
      readonly follow: (doorbell: string) => Promise<boolean>
    }
  | { readonly kind: 'call'; readonly call: SharedCall }

export interface SingleFlight extends Repeating {
  /** Null where nothing is cached: the job is called as any other. */
  join(job: SharedRequest): Promise<Joined> | null
  /**
   * Whether a cancelled job's call continues, because other jobs wait for its answer; null where the job
   * leads no call here that could: the log of a stream takes nothing of a job that has ended. Jobs that come
   * while it continues follow it as well. It continues even when all of them end before it.
   */
  continuesAfterCancel(jobId: string): Promise<boolean> | null
}

export interface SingleFlightDeps {
  readonly cache: AnswerCache
  readonly routes: CachedRoutes
  readonly leaseMs: number
  /** Whether Redis is too full to keep answers. */
  readonly isFull: () => boolean
  /** Rings what the cache answered. */
  readonly wake: (doorbells: readonly string[]) => Promise<void>
  /** Whether some job still waits for one of these. */
  readonly stillWaits: (doorbells: readonly string[]) => Promise<boolean>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/**
 * Followers of a leader that died come back over this part of a lease: one of them leads, and the others see
 * it.
 */
const spread = 0.2

const unshared: SharedCall = { settle: async () => undefined, streams: () => undefined }

/** The form of the stream that a job's client reads; null where it is not streamed. */
const formOf = ({ stream, body }: SharedRequest): StreamForm | null => {
  if (stream === undefined) return null
  return asksForUsage(body) ? 'usage' : 'plain'
}

interface Lead {
  readonly key: string
  readonly form: StreamForm | null
}

/**
 * Lets identical requests share one call and its answer.
 *
 * A worker looks after it has claimed a job and before it calls. So all jobs enter and end as they do without
 * a cache, a route without one pays nothing, and a route with one pays a round trip. The first job leads: it
 * holds a lease on the request, as workers do on jobs. Later jobs are parked, as jobs are that no target can
 * serve now: they hold no slot in a worker, and end, expire and are cancelled like any parked job.
 * Those that stream are woken when the leader's stream begins, and read its log from then on.
 *
 * A `kill -9` of the leader's worker at any point costs its followers the rest of the lease at most: their
 * doorbells are in the schedule. The answer and the job's own end are written in either order. If only the
 * answer was written, the job is taken up again and finds it. If only the end was, the next job makes the
 * call once more.
 */
export const createSingleFlight = (parts: SingleFlightDeps): SingleFlight => {
  const { cache, routes, leaseMs, wake, log, now } = parts
  /** Leads of jobs under way here, by the job. */
  const leads = new Map<string, Lead>()
  /** The leading jobs that were cancelled, and whose call continues. */
  const continued = new Set<string>()

  const renewal = createRepeating(
    'cache leads',
    leaseMs / renewalsPerLease,
    async () => {
      for (const [jobId, { key }] of leads) {
        cache
          .renewLead(key, jobId)
          .catch(error =>
            log.debug(
              { event: 'singleflight.renew_failed', err: error, jobId },
              'lead of a shared call not renewed',
            ),
          )
      }
    },
    log,
  )

  const tell = (jobId: string, end: Promise<readonly string[]>): void => {
    end
      .then(doorbells => (doorbells.length > 0 ? wake(doorbells) : undefined))
      .catch(error =>
        log.debug(
          { event: 'singleflight.wake_failed', err: error, jobId },
          'followers of a shared call not woken: they wake by their timers',
        ),
      )
  }

  const release = (jobId: string): void => {
    leads.delete(jobId)
    continued.delete(jobId)
  }

  const outlives = async (jobId: string, key: string): Promise<boolean> => {
    const goesOn = (await parts.stillWaits(await cache.someFollowers(key))) && leads.has(jobId)
    if (goesOn) continued.add(jobId)
    return goesOn
  }

  const keep = (job: SharedRequest, key: string, route: CachedRoute, answer: GivenAnswer): void => {
    const isKept =
      !parts.isFull() &&
      Buffer.byteLength(answer.body) <= route.maxBytes &&
      isKeepable(job.endpoint, route, answer)
    const end = (): Promise<readonly string[]> => cache.endLead(key, job.id, true)
    // Where the answer cannot be kept, the followers should not wait for the end of the lease.
    tell(job.id, isKept ? cache.put(key, job.id, { route: job.model, ...route }, answer).catch(end) : end())
  }

  const sharedCallOf = (job: SharedRequest, key: string, route: CachedRoute): SharedCall => ({
    streams: run => {
      const form = formOf(job)
      if (form !== null) tell(job.id, cache.leadStreams(key, { jobId: job.id, run, form }))
    },
    settle: async end => {
      const isCancelled = continued.has(job.id)
      release(job.id)
      if (end.kind === 'answered') keep(job, key, route, end.answer)
      else if (end.kind === 'ended') tell(job.id, cache.endLead(key, job.id, end.mayRecur))
      else if (isCancelled) tell(job.id, cache.endLead(key, job.id, false))
    },
  })

  const isKeepable = (
    endpoint: Endpoint,
    { cachesTruncated: keepsCut }: CachedRoute,
    { statusCode, body }: GivenAnswer,
  ) => statusCode === 200 && isCacheable(endpoint, body, keepsCut)

  const board = async (job: SharedRequest, route: CachedRoute): Promise<Joined> => {
    const key = requestKey({ ...job, route: job.model, chain: route.chain })
    if (key === null) return { kind: 'call', call: unshared }
    const entered = await cache.enter(key, job.id)
    if (entered.kind === 'hit') return entered
    if (entered.kind === 'follow') {
      const untilMs = now() + entered.forMs + Math.ceil(leaseMs * spread * parts.random())
      const form = formOf(job)
      const stream = entered.stream?.form === form ? entered.stream : null
      const reads = form === null ? undefined : { form, exceptRun: stream?.run ?? '' }
      return {
        kind: 'follow',
        untilMs,
        stream,
        follow: doorbell => cache.follow(key, job.id, doorbell, reads),
      }
    }
    if (entered.kind === 'lead') leads.set(job.id, { key, form: formOf(job) })
    return { kind: 'call', call: sharedCallOf(job, key, route) }
  }

  return {
    ...renewal,
    join: job => {
      const route = routes.get(job.model)
      return route === undefined ? null : board(job, route)
    },
    continuesAfterCancel: jobId => {
      const lead = leads.get(jobId)
      return lead === undefined || lead.form !== null ? null : outlives(jobId, lead.key)
    },
  }
}

/** The routes of a config that have a cache. `chains`: each route's targets. */
export const cachedRoutesOf = (
  models: Readonly<Record<string, RouteConfig>>,
  chains: ReadonlyMap<string, readonly RouteTarget[]>,
): CachedRoutes =>
  new Map(
    Object.entries(models).flatMap(([name, { cache }]) => {
      if (cache === undefined) return []
      const chain = (chains.get(name) ?? []).map(({ provider, model }) => [provider, model])
      const terms = {
        ttlMs: cache.ttl,
        maxBytes: cache.max_bytes,
        maxTotalBytes: cache.max_total_bytes,
        cachesTruncated: cache.store_truncated,
        chain: JSON.stringify(chain),
      }
      return [[name, terms] as const]
    }),
  )
