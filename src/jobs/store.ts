import type { Cluster, Redis } from 'ioredis'
import { type JobError, type JobStatus, jobErrorCodes } from '../domain/job.ts'
import { coalesce } from '../redis/coalesce.ts'
import { type Keys, shardOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import {
  type ClaimReply,
  type ClaimRequest,
  type CreateRequest,
  encodeAttempts,
  encodeClaim,
  encodeMove,
  encodeNewJob,
  encodeResult,
  headFields,
  type MoveRequest,
  parseClaim,
} from './codec.ts'
import type { MetadataIndex } from './list-entry.ts'
import { apartBytes, carriedBytes, createPayloads } from './payloads.ts'
import { formatMove, formatTarget, type JobRecord, parseRecord, type StoredResult } from './record.ts'
import { outboxGraceMs, streamLeaseMs, webhooksDueAt } from './schedule.ts'
import { jobScripts } from './scripts.ts'
import type { Announce, Claim, ClaimRefusal, Created, JobResult, JobStore } from './types.ts'
import { createWholeJobs } from './whole-jobs.ts'

export interface JobStoreOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly leaseMs: number
  readonly retentionMs: number
  readonly index: MetadataIndex
  readonly now: () => number
  /** See `StoreClock`. */
  readonly aheadMs: () => number
  readonly telemetry: Pick<Telemetry, 'emit'>
  /** Without it, a sweeper finds the webhooks that are owed. */
  readonly announce?: Announce
}

/** What a job was that the script ended; any other answer means that it did nothing. */
const live: ReadonlySet<string> = new Set<JobStatus>(['queued', 'running', 'parked'])

const createReplies = ['created', 'claimed', 'conflict', 'full', 'no_body'] as const
const isCreateReply = (reply: string): reply is (typeof createReplies)[number] =>
  (createReplies as readonly string[]).includes(reply)

/** The only way a job's state changes: every method that writes is one Lua script. */
export const createJobStore = ({
  redis,
  run,
  keys,
  leaseMs,
  retentionMs,
  index,
  now,
  aheadMs,
  telemetry,
  announce,
}: JobStoreOptions): JobStore => {
  const streamLease = Math.min(leaseMs, streamLeaseMs)
  const leaseOf = ({ stream }: Pick<Claim, 'stream'>): number => (stream ? streamLease : leaseMs)

  const endWithoutAnswer = async (
    id: string,
    status: 'cancelled' | 'expired',
    error: JobError,
    deferUntilMs: number,
  ) => {
    const at = now()
    const end: StoredResult = { at, error }
    const dueAtMs = webhooksDueAt(at, announce)
    const [was, tenant] = (await run(jobScripts.endWithoutAnswer, [
      keys.record(id),
      keys.payload(id),
      keys.schedule(shardOf(id)),
      id,
      status,
      at,
      retentionMs,
      JSON.stringify(end),
      deferUntilMs,
      dueAtMs,
    ])) as [string, string?]
    if (tenant !== undefined) announce?.(id, tenant || 'default', dueAtMs)

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

  const create = coalesce<CreateRequest, Created | { readonly kind: 'no_body' }>(
    ({ job }) => shardOf(job.id),
    async (shard, requests) => {
      const nowMs = now()
      const words = [
        ...[String(nowMs + outboxGraceMs), String(nowMs)],
        ...requests.map(request =>
          encodeNewJob(request, index.linesOf(request.job.metadata), nowMs, leaseOf(request.job)),
        ),
      ]
      const replies = (await run.packed(jobScripts.create, keys.schedule(shard), words)) as string[]
      return replies.map(reply => (isCreateReply(reply) ? { kind: reply } : { kind: 'replayed', id: reply }))
    },
    { bytesOf: ({ job }) => carriedBytes(job.body) },
  )

  const claim = coalesce<ClaimRequest, Claim | ClaimRefusal>(
    request => shardOf(request.id),
    async (shard, requests) => {
      const times = [String(now()), String(leaseMs), String(streamLease)]
      const words = [...times, String(apartBytes), ...requests.map(encodeClaim)]
      const replies = (await run.packed(jobScripts.claim, keys.schedule(shard), words)) as ClaimReply[]
      return replies.map((reply, i) => parseClaim(requests[i]!, reply))
    },
  )

  const renew = coalesce<Pick<Claim, 'id' | 'token' | 'stream'>, boolean>(
    ({ id }) => shardOf(id),
    async (shard, claims) => {
      const words = [String(now()), ...claims.map(claim => [claim.id, claim.token, leaseOf(claim)])]
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
      const due = webhooksDueAt(nowMs, announce)
      const words = [String(nowMs), String(retentionMs), String(due), ...ends.map(encodeResult(nowMs))]
      const replies = (await run.packed(jobScripts.finalise, keys.schedule(shard), words)) as number[]
      for (const [i, { claim }] of ends.entries())
        if (replies[i] === 2) announce?.(claim.id, claim.tenant, due)
      return replies
    },
    { bytesOf: ({ final }) => carriedBytes(final.response?.body ?? '') },
  )

  const whole = createWholeJobs({
    ...{ redis, keys, payloads: createPayloads(redis, keys) },
    create: (job, token = '') => create({ job, token }),
    finalise: (claim, final, sent) => finalise({ claim, final }, sent),
  })

  return {
    ...whole,
    claim: (id, hop, generation, token) => claim({ id, hop, generation, token }),
    renew: claim => renew(claim),
    // The process that moves the job is about to ring its doorbell: a sweeper leaves it the time.
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

    isolate: async ({ id, token }, turn) =>
      (await run(jobScripts.isolate, [keys.record(id), token, now(), turn])) === 1,

    account: async ({ id, token }, attempts) =>
      (await run(jobScripts.account, [keys.record(id), token, encodeAttempts(attempts)])) === 1,

    cancel: id =>
      endWithoutAnswer(id, 'cancelled', { code: 'cancelled', message: 'The job was cancelled.' }, 0),

    remove: async id => (await run(jobScripts.remove, [keys.record(id), keys.payload(id), id])) === 1,

    expire: (id, deferRunningUntilMs) =>
      endWithoutAnswer(
        id,
        'expired',
        { code: 'expired', message: 'The completion window ended before an answer was there.' },
        deferRunningUntilMs,
      ),

    recover: async ({ id, hop, generation, tenant, target, model, createdAtMs }, takenUntilMs = 0) => {
      const at = now()
      const dueAtMs = webhooksDueAt(at, announce)
      const end: StoredResult = { at, error: { code: 'stream_broken', message: jobErrorCodes.stream_broken } }
      const reply = (await run(jobScripts.recover, [
        ...[keys.record(id), keys.schedule(shardOf(id)), id, hop, generation],
        ...[at, takenUntilMs, aheadMs(), JSON.stringify(end), retentionMs, dueAtMs],
      ])) as number
      if (reply > 1) {
        const ended = { tenant, provider: target.provider, route: model, tookMs: at - createdAtMs } as const
        telemetry.emit({ kind: 'job.finished', status: 'failed', ...ended })
      }
      if (reply === 3) announce?.(id, tenant, dueAtMs)
      return reply > 0
    },

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
