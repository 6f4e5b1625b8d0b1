import type { Endpoint } from '../domain/endpoint.ts'
import type {
  Attempt,
  JobClass,
  JobError,
  JobMove,
  JobSpec,
  Priority,
  Target,
  TerminalStatus,
  Usage,
} from '../domain/job.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import type { JobRecord, Standing } from './record.ts'

/** A job as it is accepted. */
export interface NewJob extends JobSpec {
  readonly createdAtMs: number
  readonly target: Target
  /** Why that is not the first of its route. */
  readonly moves?: readonly JobMove[]
  readonly priority: Priority
  /** What it is estimated to take, see `tokensOf`. */
  readonly tokens: number
  /** See `Placed`. */
  readonly urgent?: boolean
  /** Its answer is streamed: the processes whose connections read it. */
  readonly stream?: readonly string[]
  /** Where it was submitted, as `traceparent`; absent where nobody traces. */
  readonly trace?: string
  /** See `JobRecord`. */
  readonly restarts?: true
  /** Present when the client sent an Idempotency-Key. */
  readonly idempotency: {
    readonly keyHash: string
    readonly fingerprint: string
    readonly ttlMs: number
  } | null
}

/**
 * `claimed`: the run that was named has it. `replayed`: the key named this earlier job. `conflict`: it named one
 * with another body. `full`: Redis is full.
 */
export type Created =
  | { readonly kind: 'created' | 'claimed' }
  | { readonly kind: 'replayed'; readonly id: string }
  | { readonly kind: 'conflict' | 'full' }

/** A claimed job: what its worker needs to call, judge and move it. */
export interface Claim {
  readonly id: string
  readonly token: string
  readonly tenant: string
  readonly class: JobClass
  readonly priority: Priority
  readonly tokens: number
  /** Which request of its batch it is, from 1; absent for a job of its own. */
  readonly line?: number
  readonly urgent?: boolean
  /** Its answer is streamed: the processes whose connections read it. */
  readonly stream?: readonly string[]
  /** See `NewJob`. */
  readonly trace?: string
  /** See `JobRecord`. */
  readonly restarts?: true
  readonly createdAtMs: number
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
  /** Why it moves, where those calls do not show it. */
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
  /** Its stream, where that came to its end: the run as its log names it, and the bytes. */
  readonly streamed?: { readonly run: string; readonly bytes: number }
  /** Whether its Idempotency-Key may name another job from now on. */
  readonly freesKey?: boolean
}

/**
 * Rings the first doorbell of a webhook that has become due, of a job or a batch, from the process that ended it. It never
 * throws: the schedule has that doorbell for a sweeper, at `dueAtMs`.
 */
export type Announce = (id: string, tenant: string, dueAtMs: number) => void

export interface JobStore {
  /** `token`: the run that has the job at once, with a lease as by `claim`; without one it is owed its doorbell. */
  create(job: NewJob, token?: string): Promise<Created>
  /** Takes the job for `leaseMs`; unless the lease is renewed by then, its worker counts as lost. */
  claim(id: string, hop: number, generation: number, token: string): Promise<Claim | ClaimRefusal>
  /** The claim with its body. */
  withBody(claim: Claim): Promise<Claim>
  /** Holds the job for another `leaseMs`, one that streams for another `streamLeaseMs`. False when the token no longer holds it. */
  renew(claim: Pick<Claim, 'id' | 'token' | 'stream'>): Promise<boolean>
  /** False when the token no longer holds the job: another worker has it, or it has ended. */
  advance(claim: Claim, move: Move, nowMs: number): Promise<boolean>
  park(claim: Claim, move: Move, resumesAtMs: number): Promise<boolean>
  retry(claim: Claim, spent: number, attempts: readonly Attempt[], nextCallAtMs: number): Promise<boolean>
  /**
   * Notes that it waits for all others to leave, or that nothing runs beside it from now on: if this worker is lost, it is lost by
   * others, or by this job. False when the token no longer holds it.
   */
  isolate(claim: Claim, turn: 'waits' | 'alone'): Promise<boolean>
  /**
   * `sent` is called when the command is on its way: Redis does later commands of this connection after it.
   */
  finalise(claim: Claim, final: JobResult, sent?: () => void): Promise<boolean>
  /**
   * Calls of a run that the job was taken from, or that had its end from elsewhere: each is in the log once, as its worker knows it
   * best. False where the log has no entry that stands for them.
   */
  account(claim: Pick<Claim, 'id' | 'token'>, attempts: readonly Attempt[]): Promise<boolean>
  /** Removes a job in the background that has ended. False where there is none, or it has not. */
  remove(id: string): Promise<boolean>
  /** The state the job was in; a final one or `gone` means that nothing was done. */
  cancel(id: string): Promise<string>
  expire(id: string, deferRunningUntilMs: number): Promise<string>
  /**
   * Puts back the doorbell that a live job is owed; a running one is taken from its worker, and fails if readers have a part of
   * an answer that must not begin anew. False when it moved on
   * meanwhile, or its worker has renewed its lease: `takenUntilMs` is the time to which a sweeper moved that.
   */
  recover(record: JobRecord, takenUntilMs?: number): Promise<boolean>
  /** Moves a job that waits where no worker attends to it. False when it moved on meanwhile. */
  passOn(
    record: Pick<JobRecord, 'id' | 'hop' | 'generation'>,
    target: Target,
    note: JobMove,
  ): Promise<boolean>
  read(id: string): Promise<JobRecord | null>
  /** Asks `admit` first where the answer is long, with its bytes. */
  readWhen(id: string, admit: (bytes: number) => Promise<unknown>): Promise<JobRecord | null>
  /** Records without their responses, which are too long for a list. */
  readHeads(ids: readonly string[]): Promise<readonly (JobRecord | null)[]>
  /** The request's body; null once the job has succeeded, unless it is in the background. */
  readBody(id: string): Promise<string | null>
}
