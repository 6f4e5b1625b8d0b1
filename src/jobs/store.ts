import type { Cluster, Redis } from 'ioredis'
import type { Endpoint } from '../domain/endpoint.ts'
import type {
  Attempt,
  JobClass,
  JobError,
  JobMove,
  JobStatus,
  Target,
  TerminalStatus,
  Usage,
} from '../domain/job.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import { coalesce } from '../redis/coalesce.ts'
import { type Keys, shardOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import {
  type ClaimReply,
  type ClaimRequest,
  encodeAttempts,
  encodeClaim,
  encodeMove,
  encodeNewJob,
  encodeResult,
  headFields,
  type MoveRequest,
  parseClaim,
} from './codec.ts'
import type { NewJob } from './new-job.ts'
import { apartBytes, createPayloads } from './payloads.ts'
import {
  formatMove,
  formatTarget,
  type JobRecord,
  parseRecord,
  type Standing,
  type StoredResult,
} from './record.ts'
import { outboxGraceMs } from './schedule.ts'
import { jobScripts } from './scripts.ts'
import { createWholeJobs } from './whole-jobs.ts'

/** `replayed`: the key named this earlier job. `conflict`: it named one with another body. `full`: there is no room for a new one. */
export type Created =
  | { readonly kind: 'created' }
  | { readonly kind: 'replayed'; readonly id: string }
  | { readonly kind: 'conflict' | 'full' }

/** A claimed job: what its worker needs to call, judge and move it. */
export interface Claim {
  readonly id: string
  readonly token: string
  readonly tenant: string
  readonly class: JobClass
  readonly endpoint: Endpoint
  readonly model: string
  readonly target: Target
  readonly hop: number
  readonly generation: number
  readonly expiresAtMs: number
  readonly attemptsSpent: number
  readonly attempts: readonly Attempt[]
  readonly body: string
  /** Bytes of a long body that is not there yet: `withBody` reads it. */
  readonly unread?: number
  readonly headers: RequestHeaders
  readonly home: Home | null
}

/** Why a doorbell led nowhere. All are harmless. */
export type ClaimRefusal = 'gone' | 'stale' | 'busy' | TerminalStatus

export interface Move {
  readonly hop: number
  readonly generation: number
  readonly target: Target
  readonly attemptsSpent: number
  /** Calls made since the claim and not yet logged. */
  readonly attempts: readonly Attempt[]
  /** Why it moves, where those calls do not tell. */
  readonly note?: JobMove
  /** What a job that parks waits for. */
  readonly standing?: Standing
}

export interface JobResult {
  readonly status: 'succeeded' | 'failed'
  readonly attempts: readonly Attempt[]
  readonly response: { readonly statusCode: number; readonly body: string } | null
  readonly error: JobError | null
  readonly refused: boolean
  readonly usage: Usage | null
  readonly costUsd: number | null
  /** Who gave the answer, where it was to another job and no call was made. */
  readonly cachedFrom?: Target
  /** Whether its Idempotency-Key may name another job from now on. */
  readonly freesKey?: boolean
}

export interface JobStore {
  create(job: NewJob): Promise<Created>
  /** Takes the job for `leaseMs`; unless the lease is renewed by then, its worker counts as lost. */
  claim(id: string, hop: number, generation: number, token: string): Promise<Claim | ClaimRefusal>
  /** The claim with its body. */
  withBody(claim: Claim): Promise<Claim>
  /** Holds the job for another `leaseMs`. False when the token no longer holds it. */
  renew(claim: Pick<Claim, 'id' | 'token'>): Promise<boolean>
  /** False when the token no longer holds the job: another worker has it, or it has ended. */
  advance(claim: Claim, move: Move, nowMs: number): Promise<boolean>
  park(claim: Claim, move: Move, resumesAtMs: number): Promise<boolean>
  retry(claim: Claim, spent: number, attempts: readonly Attempt[], nextCallAtMs: number): Promise<boolean>
  /** Notes that nothing runs beside it from now on: whoever loses this worker loses it by this job. */
  isolate(claim: Claim): Promise<boolean>
  /** `sent` is called when the command is on its way: whatever this connection is given after it, Redis does after it. */
  finalise(claim: Claim, final: JobResult, sent?: () => void): Promise<boolean>
  /**
   * Calls of a run that the job was taken from, or that had its end from elsewhere: each is in the log once, as its worker knows it
   * best. False where the log has no entry that stands for them.
   */
  account(claim: Pick<Claim, 'id' | 'token'>, attempts: readonly Attempt[]): Promise<boolean>
  /** The state the job was in; a final one or `gone` means that nothing was done. */
  cancel(id: string): Promise<string>
  expire(id: string, deferRunningUntilMs: number): Promise<string>
  /**
   * Puts back the doorbell that a live job is owed; a running one is taken from its worker. False when it moved on
   * meanwhile, or its worker has renewed its lease: `takenUntilMs` is the time to which a sweeper moved that.
   */
  recover(record: JobRecord, takenUntilMs?: number): Promise<boolean>
  /** Moves a job that waits where nobody attends to it. False when it moved on meanwhile. */
  passOn(
    record: Pick<JobRecord, 'id' | 'hop' | 'generation'>,
    target: Target,
    note: JobMove,
  ): Promise<boolean>
  read(id: string): Promise<JobRecord | null>
  /** Asks `admit` first where the answer is long, with its bytes. */
  readWhen(id: string, admit: (bytes: number) => Promise<unknown>): Promise<JobRecord | null>
  /** Records without their responses, which a list has no room for. */
  readHeads(ids: readonly string[]): Promise<readonly (JobRecord | null)[]>
  /** The request's body; null once the job has succeeded. */
  readBody(id: string): Promise<string | null>
}

export interface JobStoreOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly leaseMs: number
  readonly retentionMs: number
  readonly now: () => number
  /** See `StoreClock`. */
  readonly aheadMs: () => number
  readonly telemetry: Pick<Telemetry, 'emit'>
}

/** What a job was that the script ended; any other answer means that it did nothing. */
const live: ReadonlySet<string> = new Set<JobStatus>(['queued', 'running', 'parked'])

/** The only way a job's state changes: every method that writes is one Lua script. */
export const createJobStore = ({
  redis,
  run,
  keys,
  leaseMs,
  retentionMs,
  now,
  aheadMs,
  telemetry,
}: JobStoreOptions): JobStore => {
  const endWithoutAnswer = async (
    id: string,
    status: 'cancelled' | 'expired',
    error: JobError,
    deferUntilMs: number,
  ) => {
    const at = now()
    const end: StoredResult = { at, error }
    const was = (await run(jobScripts.endWithoutAnswer, [
      keys.record(id),
      keys.payload(id),
      keys.schedule(shardOf(id)),
      id,
      status,
      at,
      retentionMs,
      JSON.stringify(end),
      deferUntilMs,
    ])) as string
    // An end whose reply is lost is not counted: asked again, the job has ended already.
    if (live.has(was)) telemetry.emit({ kind: 'job.ended_without_answer', status })
    return was
  }

  const readHead = async (id: string): Promise<JobRecord | null> => {
    const values = await redis.hmget(keys.record(id), ...headFields)
    const fields: Record<string, string> = {}
    for (const [i, value] of values.entries()) if (value !== null) fields[headFields[i]!] = value
    return parseRecord(id, fields)
  }

  const create = coalesce<NewJob, Created | { readonly kind: 'no_body' }>(
    job => shardOf(job.id),
    async (shard, jobs) => {
      const words = [String(now() + outboxGraceMs), ...jobs.map(encodeNewJob)]
      const replies = (await run.packed(jobScripts.create, keys.schedule(shard), words)) as string[]
      return replies.map(reply =>
        reply === 'created' || reply === 'conflict' || reply === 'full' || reply === 'no_body'
          ? { kind: reply }
          : { kind: 'replayed', id: reply },
      )
    },
  )

  const claim = coalesce<ClaimRequest, Claim | ClaimRefusal>(
    request => shardOf(request.id),
    async (shard, requests) => {
      const words = [String(now()), String(leaseMs), String(apartBytes), ...requests.map(encodeClaim)]
      const replies = (await run.packed(jobScripts.claim, keys.schedule(shard), words)) as ClaimReply[]
      return replies.map((reply, i) => parseClaim(requests[i]!, reply))
    },
  )

  const renew = coalesce<Pick<Claim, 'id' | 'token'>, boolean>(
    ({ id }) => shardOf(id),
    async (shard, claims) => {
      const words = [String(now()), String(leaseMs), ...claims.map(({ id, token }) => [id, token])]
      const replies = (await run.packed(jobScripts.renew, keys.schedule(shard), words)) as number[]
      return replies.map(reply => reply === 1)
    },
  )

  const move = coalesce<MoveRequest, boolean>(
    ({ claim }) => shardOf(claim.id),
    async (shard, moves) => {
      const replies = (await run.packed(
        jobScripts.move,
        keys.schedule(shard),
        moves.map(encodeMove),
      )) as number[]
      return replies.map(reply => reply === 1)
    },
  )

  const finalise = coalesce<{ claim: Claim; final: JobResult }, number>(
    ({ claim }) => shardOf(claim.id),
    async (shard, ends) => {
      const nowMs = now()
      const words = [String(nowMs), String(retentionMs), ...ends.map(encodeResult(nowMs))]
      return (await run.packed(jobScripts.finalise, keys.schedule(shard), words)) as number[]
    },
  )

  const whole = createWholeJobs({
    ...{ redis, keys, payloads: createPayloads(redis, keys), create },
    finalise: (claim, final, sent) => finalise({ claim, final }, sent),
  })

  return {
    ...whole,
    claim: (id, hop, generation, token) => claim({ id, hop, generation, token }),
    renew: claim => renew(claim),
    // Its doorbell is about to be rung by whoever moves it: a sweeper gives it the time.
    advance: (claim, to, atMs) =>
      move({ claim, to, state: 'queued', resumesAtMs: atMs, dueAtMs: atMs + outboxGraceMs }),
    park: (claim, to, resumesAtMs) => move({ claim, to, state: 'parked', resumesAtMs, dueAtMs: resumesAtMs }),

    retry: async (claim, spent, attempts, nextCallAtMs) =>
      (await run(jobScripts.retry, [
        keys.record(claim.id),
        claim.token,
        nextCallAtMs,
        spent,
        encodeAttempts(attempts),
      ])) === 1,

    isolate: async ({ id, token }) => (await run(jobScripts.isolate, [keys.record(id), token, now()])) === 1,

    account: async ({ id, token }, attempts) =>
      (await run(jobScripts.account, [keys.record(id), token, encodeAttempts(attempts)])) === 1,

    cancel: id =>
      endWithoutAnswer(id, 'cancelled', { code: 'cancelled', message: 'The job was cancelled.' }, 0),

    expire: (id, deferRunningUntilMs) =>
      endWithoutAnswer(
        id,
        'expired',
        { code: 'expired', message: 'The completion window ended before an answer was there.' },
        deferRunningUntilMs,
      ),

    recover: async ({ id, hop, generation }, takenUntilMs = 0) =>
      (await run(jobScripts.recover, [
        keys.record(id),
        keys.schedule(shardOf(id)),
        id,
        hop,
        generation,
        now(),
        takenUntilMs,
        aheadMs(),
      ])) === 1,

    passOn: async ({ id, hop, generation }, target, note) => {
      const nowMs = now()
      const to = [formatTarget(target), nowMs, nowMs + outboxGraceMs, formatMove(note)]
      return (
        (await run(jobScripts.passOn, [
          keys.record(id),
          keys.schedule(shardOf(id)),
          id,
          hop,
          generation,
          ...to,
        ])) === 1
      )
    },

    readHeads: ids => Promise.all(ids.map(readHead)),
  }
}
