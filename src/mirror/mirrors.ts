import type { Logger } from 'pino'
import type { RouteTarget } from '../domain/chain.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { Attempt } from '../domain/job.ts'
import type { Home } from '../domain/kept-state.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { Final } from '../store/job-store.ts'
import { isMirrorId, newMirrorId, shardCount } from '../store/keys.ts'
import { compared, failed } from './comparison.ts'
import { likenessOf } from './likeness.ts'
import type { MirrorStore, Side } from './mirror-store.ts'
import type { MirroredRoute, MirroredRoutes } from './mirrored-routes.ts'

/** A job that has its end. */
export interface EndedJob {
  readonly id: string
  readonly endpoint: Endpoint
  /** The route. */
  readonly model: string
  readonly body: string
  readonly headers: RequestHeaders
  /** The account that the job depended on. */
  readonly home: Home | null
  readonly attempts: readonly Attempt[]
}

type Result = Pick<Final, 'status' | 'response' | 'refused' | 'cachedFrom'>

export interface Mirrors {
  /** Where samples of a route are asked; undefined without a mirror. */
  targetOf(route: string): RouteTarget | undefined
  /**
   * To be told when a job has its end and that stands in Redis: makes a sample of it, or counts what a sample showed. Never
   * rejects: a sample may get lost, and nothing else depends on it.
   */
  ended(job: EndedJob, result: Result): Promise<void>
}

export interface MirrorParts {
  readonly routes: MirroredRoutes
  readonly store: MirrorStore
  /** Whether the mirror can be asked this at all. */
  readonly canCarry: (mirror: MirroredRoute, job: EndedJob) => boolean
  readonly ring: (provider: string, jobId: string) => Promise<void>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/** A sample that has found no time by then is given up: it would tell of another hour than its original. */
const windowMs = 10 * 60_000
/** Between the deadline of a sample and the end of its place: its worker may be about to count it. */
const graceMs = 15_000
/** How long a sample that was counted can be looked at in Redis. */
const retentionMs = 3_600_000

/**
 * Asks a second target some of what a route was asked, and counts how alike the answers are.
 *
 * A sample is made when the original has its good answer, and its end is in Redis: so there is something to compare with,
 * the job is never touched, and one that is given to another worker or ends twice is sampled once. A sample is a job, in
 * the queue of its target's provider behind all others; it is called once, along no chain, and has no client.
 */
export const createMirrors = ({ routes, store, canCarry, ring, log, now, random }: MirrorParts): Mirrors => {
  const sample = async (job: EndedJob, result: Result, mirror: MirroredRoute): Promise<void> => {
    const original = sideOf(job, result)
    if (original === null || !canCarry(mirror, job)) return
    const nowMs = now()
    const { provider, model } = mirror.to
    const id = newMirrorId(Math.floor(random() * shardCount), nowMs)
    const expiresAtMs = nowMs + windowMs
    const to = { route: job.model, to: mirror.to }
    if (!(await store.reserve(to, id, expiresAtMs + graceMs, mirror.maxWaiting))) return
    await store.create(
      {
        ...{
          id,
          endpoint: job.endpoint,
          model: job.model,
          body: job.body,
          headers: job.headers,
          expiresAtMs,
        },
        ...{ createdAtMs: nowMs, target: { provider, model }, priority: 'low', tenant: 'default' },
        ...{ webhook: null, metadata: null, retryOf: null, idempotency: null },
      },
      original,
    )
    await ring(provider, id)
  }

  const conclude = async (job: EndedJob, result: Result, mirror: MirroredRoute): Promise<void> => {
    const [original, mirrored] = [await store.original(job.id), sideOf(job, result)]
    const counts = original && mirrored ? compared(original, mirrored) : failed
    await store.tally({ route: job.model, to: mirror.to }, job.id, counts)
    await store.retire(job.id, retentionMs)
  }

  return {
    targetOf: route => routes.get(route)?.to,
    ended: async (job, result) => {
      const mirror = routes.get(job.model)
      if (mirror === undefined) return
      try {
        if (isMirrorId(job.id)) await conclude(job, result, mirror)
        else if (isComparable(result) && random() < mirror.sample) await sample(job, result, mirror)
      } catch (error) {
        log.debug({ err: error, jobId: job.id }, 'sample lost')
      }
    },
  }
}

const isComparable = ({ status, refused, cachedFrom }: Result): boolean =>
  status === 'succeeded' && !refused && cachedFrom === undefined

/** Null for a job without a good answer. */
const sideOf = ({ endpoint, attempts }: EndedJob, { response }: Result): Side | null => {
  const call = attempts.findLast(({ verdict }) => verdict === 'ok')
  const likeness = response && call && likenessOf(endpoint, response.body)
  if (!likeness) return null
  return { likeness, latencyMs: call.duration_ms ?? 0, costUsd: call.cost_usd ?? null }
}
