import { createHash } from 'node:crypto'
import type { Endpoint } from '../domain/endpoint.ts'
import { BatonError } from '../domain/errors.ts'
import type { JobClass, Priority, WebhookTarget } from '../domain/job.ts'
import { placeOf } from '../domain/place.ts'
import { noHeaders, type RequestHeaders } from '../domain/request-headers.ts'
import type { Request } from '../domain/routing/eligible-targets.ts'
import { stateNamed } from '../domain/routing/kept-state.ts'
import { tokensOf } from '../domain/routing/strategy.ts'
import { canStream } from '../domain/streaming/answer-fold.ts'
import { wantsStream } from '../domain/streaming/stream-wishes.ts'
import { untried } from '../jobs/delivery.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import { isApart } from '../jobs/payloads.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { Created, JobResult, JobStore, NewJob } from '../jobs/types.ts'
import { isJsonObject } from '../json/json-object.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { StoreFullError } from '../redis/full-store.ts'
import { newJobId, shardCount } from '../redis/keys.ts'
import { attribute } from '../telemetry/span-names.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { inSpan, noteAttributes, traceOf } from '../telemetry/tracing.ts'
import type { AccountAffinity } from './account-affinity.ts'
import type { Continued, ContinueResponse } from './earlier-response.ts'
import type { ExpressLanes, ExpressPlace } from './express-lane.ts'
import { createFirstTarget, type FirstTargetDeps } from './first-target.ts'

export interface Submission {
  readonly tenant: string
  readonly endpoint: Endpoint
  readonly model: string
  /** The request body as JSON text, and the same parsed. */
  readonly body: string
  readonly parsedBody: unknown
  /** The client's headers that are forwarded to the provider. */
  readonly headers?: RequestHeaders
  readonly windowMs: number
  readonly webhook: WebhookTarget | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly priority: Priority
  /** Absent for the default one. */
  readonly class?: JobClass
  /** See `JobSpec`. */
  readonly background?: true
  /** Where its answer is to be streamed: the processes whose connections read it. Absent for none yet. */
  readonly stream?: readonly string[]
  /** See `JobRecord`. Means nothing where it is not streamed. */
  readonly restarts?: true
  readonly retryOf: string | null
  /** The client's Idempotency-Key, and a text that is the same exactly when the request is the same. */
  readonly idempotency: { readonly key: string; readonly request: string } | null
}

/** `replayed`: an earlier request with the same key made this job. */
export type Submitted =
  | {
      readonly id: string
      readonly replayed: false
      readonly record: JobRecord
      /** Of a job that is called for in this process: its record once it has succeeded; null where it has to be read. */
      readonly answered?: Promise<JobRecord | null>
    }
  | { readonly id: string; readonly replayed: true }

/**
 * Accepts a job: when this resolves, its record and the doorbell it is owed are in Redis.
 * Throws what `FirstTarget` does, BatonError `idempotency_key_reused`, and StoreFullError; Redis errors pass.
 */
export type SubmitJob = (submission: Submission) => Promise<Submitted>

export interface SubmitDeps extends FirstTargetDeps {
  readonly store: JobStore
  readonly doorbells: Doorbells
  readonly retentionMs: number
  readonly random: () => number
  readonly telemetry: Pick<Telemetry, 'emit'>
  /** Which accounts keep the states that requests name; without it, none is known. */
  readonly accountAffinity?: Pick<AccountAffinity, 'find'>
  /** Without it, a response in the background cannot be gone on from. */
  readonly continueResponse?: ContinueResponse
  /** Of this process; without it, every job goes through its queue. */
  readonly expressLanes?: Pick<ExpressLanes, 'of'>
}

/** By the request itself, whichever door it came by: also one that is submitted again. */
const isStreamed = ({ endpoint, parsedBody }: Submission): boolean =>
  canStream(endpoint) && isJsonObject(parsedBody) && wantsStream(parsedBody)

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Jobs without an idempotency key share a shard for this long, so that a script call can create, claim or
 * finalise many of them.
 */
const shardTurnMs = 100

export const createSubmitJob = (parts: SubmitDeps): SubmitJob => {
  const { store, doorbells, telemetry, now } = parts
  const firstTarget = createFirstTarget(parts)
  const shardOffset = parts.random() * shardCount

  const stateOf = async (
    { tenant, endpoint, parsedBody, body }: Submission,
    known: Continued | null,
  ): Promise<Request['state']> => {
    const state = stateNamed(endpoint, parsedBody, body)
    if (state === null) return undefined
    const found = await parts.accountAffinity?.find(tenant, state.id)
    return { ...state, at: found ?? known?.at ?? null }
  }

  const newJob = (submission: Submission, state: Request['state'], givenId?: string): NewJob => {
    const { idempotency, parsedBody, windowMs, restarts, ...spec } = submission
    const createdAtMs = now()
    const { model, endpoint, body } = submission
    const keyHash = idempotency && sha256(`${submission.tenant}\n${idempotency.key}`)
    // Jobs with a key live where the key does, so that one script sees both.
    const shard = keyHash
      ? keyHash[0]! % shardCount
      : Math.floor(shardOffset + createdAtMs / shardTurnMs) % shardCount
    const id = newJobId(shard, createdAtMs)
    const trace = traceOf()
    const place = firstTarget(
      model,
      {
        ...{ endpoint, text: body, headers: submission.headers ?? noHeaders, body: () => parsedBody },
        ...(state && { state }),
      },
      id,
    )
    return {
      ...(isStreamed(submission) && { stream: [], ...(restarts && { restarts }) }),
      ...(trace && { trace }),
      ...spec,
      id,
      ...place,
      ...(place.home && givenId !== undefined && { home: { ...place.home, givenId } }),
      tokens: tokensOf(endpoint, body),
      createdAtMs,
      expiresAtMs: createdAtMs + windowMs,
      idempotency: keyHash && {
        keyHash: keyHash.toString('base64url'),
        fingerprint: sha256(idempotency.request).toString('base64url'),
        ttlMs: windowMs + parts.retentionMs,
      },
    }
  }

  const createIn = async (place: ExpressPlace | null, job: NewJob): Promise<Created> => {
    try {
      return await store.create(job, place?.token)
    } catch (error) {
      place?.giveUp()
      throw error
    }
  }

  const submit: SubmitJob = async given => {
    const continued = (await parts.continueResponse?.(given)) ?? null
    const submission = continued === null ? given : { ...given, ...continued.asked }
    const job = newJob(submission, await stateOf(submission, continued), continued?.givenId)
    noteAttributes({ [attribute.jobId]: job.id, [attribute.queue]: providerQueue(job.target.provider) })
    const lane = job.class === 'interactive' ? parts.expressLanes?.of(job.target.provider) : undefined
    const place = lane?.enter(job) ?? null
    const created = await createIn(place, job)
    if (created.kind !== 'claimed') place?.leave()
    if (created.kind === 'conflict') {
      throw new BatonError(
        'idempotency_key_reused',
        'This Idempotency-Key was used before with another request.',
        {
          param: 'Idempotency-Key',
        },
      )
    }
    if (created.kind === 'full') throw new StoreFullError()
    if (created.kind === 'replayed') return { id: created.id, replayed: true }
    telemetry.emit({ kind: 'job.accepted' })
    const record = queuedRecord(job)
    if (place !== null && created.kind === 'claimed') {
      const answered = place.run().then(result => answeredRecord(record, result))
      return { id: job.id, replayed: false, record, answered }
    }
    const ring = {
      queue: providerQueue(job.target.provider),
      doorbell: jobDoorbell(job.id, 0, 0),
      place: placeOf(job),
    }
    // Not waited for: the schedule owes this doorbell already, and a sweeper rings it if this fails.
    doorbells.ring(ring).catch(() => undefined)
    return { id: job.id, replayed: false, record }
  }

  return given =>
    inSpan(
      'submit',
      () => ({
        kind: 'producer',
        attributes: {
          [attribute.route]: given.model,
          [attribute.messagingSystem]: 'baton',
          [attribute.messagingOperation]: 'send',
        },
      }),
      () => submit(given),
    )
}

/**
 * The record as `create` wrote it, to save reading it back. Without the body: a waiting connection must not
 * hold it in memory.
 */
const queuedRecord = ({ body: _, ...job }: NewJob): JobRecord => ({
  ...job,
  class: job.class ?? 'default',
  status: 'queued',
  hop: 0,
  generation: 0,
  startedAtMs: null,
  finishedAtMs: null,
  resumesAtMs: null,
  attempts: [],
  headers: job.headers ?? noHeaders,
  moves: job.moves ?? [],
  response: null,
  error: null,
  lastError: null,
  standing: null,
  refused: false,
  usage: null,
  costUsd: null,
  cachedFrom: null,
  delivery: job.webhook && untried,
  deliveriesBefore: 0,
  metadata: job.metadata ?? {},
  customId: null,
  isStreamed: job.stream !== undefined,
  log: null,
  lastChangeAtMs: job.createdAtMs,
})

/** The record of a job that succeeded at once, as it would be read back. A long answer, or a failure, is read. */
const answeredRecord = (record: JobRecord, result: JobResult | null): JobRecord | null => {
  if (result?.status !== 'succeeded' || result.response === null || isApart(result.response.body)) return null
  const { streamed = null, cachedFrom = null } = result
  return { ...record, ...result, cachedFrom, log: streamed }
}
