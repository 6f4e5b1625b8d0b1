import type { Logger } from 'pino'
import type { Endpoint } from '../domain/endpoint.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import { chanceOf, tokensOf } from '../domain/routing/strategy.ts'
import type { JobResult, NewJob } from '../jobs/types.ts'
import { isMirrorId, mirrorIdOf, newMirrorId, shardCount } from '../redis/keys.ts'
import { type ComparedCall, comparedCallOf, type SampledJob } from './compared-call.ts'
import { type Counts, compared, failed } from './comparison.ts'
import type { MirrorStore } from './mirror-store.ts'
import type { MirroredRoute, MirroredRoutes } from './mirrored-routes.ts'
import { type Pair, pairOf } from './pairs.ts'

export interface MirroredJob {
  readonly id: string
  readonly endpoint: Endpoint
  /** The route. */
  readonly model: string
  readonly body: string
  readonly headers: RequestHeaders
  /** The account that the job depended on. */
  readonly home: Home | null
}

/** A job that has its end. */
export interface EndedJob extends MirroredJob, SampledJob {}

type Result = Pick<JobResult, 'status' | 'response' | 'refused' | 'cachedFrom'>

export interface Mirrors {
  /** Whether a job is a sample: it is called once, along no chain, and has no client. */
  isSample(jobId: string): boolean
  /** Where samples of a route are asked; undefined without a mirror. */
  targetOf(route: string): RouteTarget | undefined
  /**
   * Asks the mirror beside a job's first call, where the route has a parallel one and the job is drawn; else
   * null. Whether it is asked. Never rejects.
   */
  begin(job: MirroredJob): Promise<boolean> | null
  /**
   * Call it when a job's end is in Redis: makes a sample of the job, or counts what a sample showed. Never
   * rejects: a sample may get lost, and nothing else depends on it.
   */
  ended(job: EndedJob, result: Result): Promise<void>
}

export interface MirrorDeps {
  readonly routes: MirroredRoutes
  readonly store: MirrorStore
  /** Whether the mirror can be asked this at all. */
  readonly canCarry: (mirror: MirroredRoute, job: MirroredJob) => boolean
  readonly ring: (job: NewJob) => Promise<void>
  /** Whether Redis is too full for optional data. */
  readonly isFull: () => boolean
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/**
 * A sample that was not served by then is given up: it would be compared with an original of another hour.
 */
const windowMs = 10 * 60_000
/** Between the deadline of a sample and the end of its place: its worker may be about to count it. */
const graceMs = 15_000
/** How long a sample that was counted can be looked at in Redis. */
const retentionMs = 3_600_000

/**
 * Asks a second target some of what a route was asked, and counts how alike the answers are.
 *
 * A sample is made when the original has its good answer, and its end is in Redis: so there is something to
 * compare with, the job is never touched, and one that is given to another worker or ends twice is sampled
 * once. A sample is a job, in the queue of its target's provider behind all others; it is called once, along
 * no chain, and has no client. One of a parallel mirror is made beside the original's first call, waits like
 * any job, and is counted by whichever of the two ends last.
 */
export const createMirrors = (parts: MirrorDeps): Mirrors => {
  const { routes, store, canCarry, ring, log, now, random } = parts

  const ask = async (
    job: MirroredJob,
    mirror: MirroredRoute,
    id: string,
    original: ComparedCall | null,
  ): Promise<boolean> => {
    if (parts.isFull()) return false
    const nowMs = now()
    const { provider, model } = mirror.to
    const expiresAtMs = nowMs + windowMs
    const to = { route: job.model, to: mirror.to }
    if (!(await store.reserve(to, id, expiresAtMs + graceMs, mirror.maxWaiting))) return false
    const { endpoint, body, headers } = job
    // A parallel sample is the fallback of a job that waits for it.
    const priority = mirror.parallel ? 'default' : 'low'
    const asked: NewJob = {
      ...{ id, endpoint, model: job.model, body, headers, expiresAtMs, tokens: tokensOf(endpoint, body) },
      ...{ createdAtMs: nowMs, target: { provider, model }, priority, tenant: 'default' },
      ...{ webhook: null, metadata: null, retryOf: null, idempotency: null },
    }
    await store.create(asked, original)
    await ring(asked)
    return true
  }

  const sample = async (job: EndedJob, result: Result, mirror: MirroredRoute): Promise<void> => {
    if (!isComparable(result) || random() >= mirror.sample) return
    const original = comparedCallOf(job, result, keeps(mirror))
    if (original === null || !canCarry(mirror, job)) return
    await ask(job, mirror, newMirrorId(Math.floor(random() * shardCount), now()), original)
  }

  const count = async (
    job: EndedJob,
    mirror: MirroredRoute,
    id: string,
    counts: Counts,
    pair: Pair | null = null,
  ): Promise<void> => {
    const kept = pair && { pair, places: mirror.keepPairs }
    await store.tally({ route: job.model, to: mirror.to }, id, counts, kept)
    await store.retire(id, retentionMs)
  }

  const compare = (
    job: EndedJob,
    mirror: MirroredRoute,
    id: string,
    original: ComparedCall,
    mirrored: ComparedCall,
  ): Promise<void> => {
    const pair = keeps(mirror) ? pairOf(original, mirrored, job.endpoint, now()) : null
    return count(job, mirror, id, compared(original, mirrored), pair)
  }

  const conclude = async (job: EndedJob, result: Result, mirror: MirroredRoute): Promise<void> => {
    const mirrored = comparedCallOf(job, result, keeps(mirror))
    if (mirrored === null) return count(job, mirror, job.id, failed)
    const original = await store.meet(job.id, 'mirrored', mirrored)
    if (original) return compare(job, mirror, job.id, original, mirrored)
    // The original of a parallel sample is still under way.
    if (!mirror.parallel) await count(job, mirror, job.id, failed)
  }

  /** The original of a sample that was asked beside it has its end. */
  const concludeBeside = async (job: EndedJob, result: Result, mirror: MirroredRoute): Promise<void> => {
    const id = mirrorIdOf(job.id)
    const answer = job.attempts.findLast(({ verdict }) => verdict === 'ok')
    if (answer?.mirror) return count(job, mirror, id, { fallback: 1 })
    const original = isComparable(result) ? comparedCallOf(job, result, keeps(mirror)) : null
    if (original === null) return
    const mirrored = await store.meet(id, 'original', original)
    if (mirrored) await compare(job, mirror, id, original, mirrored)
  }

  /** A sample may get lost, and nothing else depends on it. */
  const lost = (jobId: string) => (error: unknown) => {
    log.debug({ event: 'mirror.sample_lost', err: error, jobId }, 'mirror sample lost')
    return false
  }
  const isDrawn = (jobId: string, mirror: MirroredRoute): boolean => chanceOf(jobId)('mirror') < mirror.sample

  return {
    isSample: isMirrorId,
    targetOf: route => routes.get(route)?.to,
    begin: job => {
      const mirror = isMirrorId(job.id) ? undefined : routes.get(job.model)
      if (!mirror?.parallel || !isDrawn(job.id, mirror) || !canCarry(mirror, job)) return null
      return ask(job, mirror, mirrorIdOf(job.id), null).catch(lost(job.id))
    },
    ended: async (job, result) => {
      const mirror = routes.get(job.model)
      if (mirror === undefined) return
      const isBeside = mirror.parallel && isDrawn(job.id, mirror)
      const end = isMirrorId(job.id) ? conclude : isBeside ? concludeBeside : mirror.parallel ? null : sample
      await end?.(job, result, mirror).catch(lost(job.id))
    },
  }
}

const isComparable = ({ status, refused, cachedFrom }: Result): boolean =>
  status === 'succeeded' && !refused && cachedFrom === undefined

/** Whether answers that differ are kept for operators to read. */
const keeps = ({ keepPairs }: MirroredRoute): boolean => keepPairs > 0
