import type { Attempt, JobClass, Priority } from '../domain/job.ts'
import { noHeaders, type RequestHeaders } from '../domain/request-headers.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import { lineNumberOf } from '../redis/keys.ts'
import { listEntryOf } from './list-entry.ts'
import { isApart } from './payloads.ts'
import {
  formatMove,
  formatSpec,
  formatTarget,
  parseAttempts,
  parseSpec,
  parseTarget,
  type StoredResult,
} from './record.ts'
import type { Claim, ClaimRefusal, JobResult, Move, NewJob } from './types.ts'
import { encodeBill } from './usage.ts'

// How jobs are encoded for the scripts, and read back from their replies.

/**
 * A request body up to this length stands in the record itself: a key of its own would take 150 bytes more, and a
 * command more at each step. A longer one would turn the record from a compact listpack into a table.
 */
const inlineBodyBytes = 1_000

/** Deadlines further away than this get their timer from the reconciler: most jobs end long before. */
export const timerHorizonMs = 15 * 60_000

export interface ClaimRequest {
  readonly id: string
  readonly hop: number
  readonly generation: number
  readonly token: string
}

export const isInline = ({ body }: { readonly body: string }): boolean =>
  Buffer.byteLength(body) <= inlineBodyBytes

/** A run that has a job from the beginning. */
interface FirstRun {
  readonly token: string
  /** Unix ms. */
  readonly sinceMs: number
}

export const jobFields = (job: NewJob, run: FirstRun | null = null): string[] => {
  const state = run === null ? ['queued'] : ['running', 'holder', `${run.sinceMs} ${run.token}`]
  const fields = ['state', ...state, 'target', formatTarget(job.target), 'spec', formatSpec(job)]
  // Only what differs from the default is written: a waiting job is kept small.
  fields.push('tokens', String(job.tokens))
  if (job.tenant !== 'default') fields.push('tenant', job.tenant)
  if (job.urgent) fields.push('urgent', '1')
  if (job.background) fields.push('background', '1')
  if (job.stream) fields.push('stream', job.stream.join(' '))
  if (job.trace) fields.push('trace', job.trace)
  if (job.restarts) fields.push('restarts', '1')
  if (job.priority !== 'default') fields.push('priority', job.priority)
  if (job.webhook) fields.push('webhook', JSON.stringify(job.webhook))
  if (job.metadata && Object.keys(job.metadata).length > 0)
    fields.push('metadata', JSON.stringify(job.metadata))
  if (job.moves?.length) fields.push('moves', job.moves.map(formatMove).join('\n'))
  if (job.headers && Object.keys(job.headers).length > 0) fields.push('headers', JSON.stringify(job.headers))
  if (job.home) fields.push('home', JSON.stringify(job.home))
  if (job.retryOf) fields.push('retry_of', job.retryOf)
  if (job.class === 'interactive') {
    fields.push('class', job.class)
    // Such a job may have to set its key free.
    if (job.idempotency) fields.push('key', job.idempotency.keyHash)
  }
  if (isInline(job)) fields.push('request', job.body)
  return fields
}

/** Every field of a record but the request and the response. */
export const headFields = [
  'state',
  'target',
  'spec',
  'hop',
  'generation',
  'tenant',
  'priority',
  'class',
  'tokens',
  'urgent',
  'background',
  'stream',
  'restarts',
  'log',
  'streamed',
  'webhook',
  'metadata',
  'headers',
  'home',
  'retry_of',
  'custom_id',
  'holder',
  'resumes',
  'attempts',
  'moves',
  'why',
  'result',
  'delivery',
  'deliveries',
  'delivery_reason',
  'delivery_due',
  'delivery_log',
  'held',
  'deliveries_before',
]

const storedResultOf = (final: JobResult, nowMs: number): StoredResult => {
  const { attempts, response, error, refused, usage, costUsd, cachedFrom } = final
  return {
    at: nowMs,
    ...(attempts.length > 0 && { attempts }),
    ...(response && { code: response.statusCode }),
    ...(response && isApart(response.body) && { bytes: Buffer.byteLength(response.body) }),
    ...(error && { error }),
    ...(refused && { refused }),
    ...(usage && { usage }),
    ...(costUsd !== null && { cost: costUsd }),
    ...(cachedFrom && { cached: formatTarget(cachedFrom) }),
  }
}

/** What stands for a job's body in a script: nothing where the record has it, `true` where it was written before. */
export const encodeBody = (job: { readonly body: string }): string | true =>
  isInline(job) ? '' : isApart(job.body) || job.body

export interface CreateRequest {
  readonly job: NewJob
  /** Names the run that has it at once; '' for a job that waits for its doorbell. */
  readonly token: string
}

/** What `create` takes of a job. `indexed`: see `MetadataIndex`. */
export const encodeNewJob = (
  { job, token }: CreateRequest,
  indexed: string,
  nowMs: number,
  leaseMs: number,
): (string | true)[] => {
  const { idempotency } = job
  const timer = job.expiresAtMs - job.createdAtMs <= timerHorizonMs ? job.expiresAtMs : 0
  return [
    job.id,
    encodeBody(job),
    idempotency?.keyHash ?? '',
    idempotency?.fingerprint ?? '',
    String(idempotency?.ttlMs ?? 0),
    String(timer),
    token,
    String(leaseMs),
    listEntryOf(job, indexed),
    ...jobFields(job, token === '' ? null : { token, sinceMs: nowMs }),
    ...(indexed === '' ? [] : ['indexed', indexed]),
  ]
}

/** The claim of a job that a run has from the beginning: nothing is read back. */
export const claimOf = (job: NewJob, token: string): Claim => ({
  id: job.id,
  token,
  tenant: job.tenant,
  class: job.class ?? 'default',
  priority: job.priority,
  tokens: job.tokens,
  createdAtMs: job.createdAtMs,
  endpoint: job.endpoint,
  model: job.model,
  target: job.target,
  hop: 0,
  generation: 0,
  expiresAtMs: job.expiresAtMs,
  attemptsSpent: 0,
  attempts: [],
  body: job.body,
  headers: job.headers ?? noHeaders,
  home: job.home ?? null,
  ...(job.stream && { stream: job.stream }),
  ...(job.trace && { trace: job.trace }),
  ...(job.restarts && { restarts: true }),
})

/** What `claim` takes of a doorbell. */
export const encodeClaim = ({ id, hop, generation, token }: ClaimRequest): string[] => [
  id,
  String(hop),
  String(generation),
  token,
]

export interface MoveRequest {
  readonly claim: Claim
  readonly to: Move
  readonly state: 'queued' | 'parked'
  /** When the job goes on, in Unix ms: at once, or when its doorbell rings. */
  readonly resumesAtMs: number
  /** When a sweeper rings its doorbell. */
  readonly dueAtMs: number
}

/** What `move` takes of a move. */
export const encodeMove = ({ claim, to, state, resumesAtMs, dueAtMs }: MoveRequest): string[] => [
  claim.id,
  claim.token,
  state,
  String(to.hop),
  String(to.generation),
  formatTarget(to.target),
  String(to.attemptsSpent),
  String(resumesAtMs),
  String(dueAtMs),
  encodeAttempts(to.attempts),
  to.note === undefined ? '' : formatMove(to.note),
  to.standing === undefined ? '' : JSON.stringify(to.standing),
]

/** What `finalise` takes of an end. */
export const encodeResult =
  (nowMs: number) =>
  ({ claim, final }: { claim: Claim; final: JobResult }): unknown[] => {
    const inline = !claim.unread && isInline(claim)
    const succeeded = final.status === 'succeeded'
    const frees = final.freesKey ?? false
    const apart = final.response !== null && isApart(final.response.body)
    const words: unknown[] = [claim.id, claim.token, final.status, !inline, frees, apart ? claim.token : '']
    words.push(encodeBill({ ...final, target: claim.target }))
    words.push('result', JSON.stringify(storedResultOf(final, nowMs)))
    // In place of a short request, as `parseResult` knows. The script looks for it behind the result.
    if (apart) words.push('apart', claim.token)
    else if (final.response) words.push(inline && succeeded ? 'request' : 'body', final.response.body)
    if (final.streamed) words.push('streamed', String(final.streamed.bytes))
    return words
  }

export type ClaimReply =
  | readonly [reason: ClaimRefusal]
  | readonly [
      'ok',
      target: string,
      spec: string,
      spent: string,
      attempts: string,
      // The length of a long one, which is read apart.
      body: string | number,
      // False for the default ones.
      tenant: string | false,
      headers: string | false,
      jobClass: JobClass | false,
      home: string | false,
      priority: Priority | false,
      tokens: string | false,
      customId: string | false,
      urgent: string | false,
      stream: string | false,
      trace: string | false,
      restarts: string | false,
    ]

export const parseClaim = (
  { id, token, hop, generation }: ClaimRequest,
  reply: ClaimReply,
): Claim | ClaimRefusal => {
  const [outcome, target, spec, spent, attempts, body, tenant, headers, jobClass, home, ...standing] = reply
  if (outcome !== 'ok') return outcome
  const [priority, tokens, customId, urgent, stream, trace, restarts] = standing
  const { createdAtMs, endpoint, model, expiresAtMs } = parseSpec(spec!)
  return {
    id,
    token,
    tenant: tenant || 'default',
    class: jobClass || 'default',
    priority: priority || 'default',
    tokens: Number(tokens || 0),
    // The text of a `custom_id` may be empty.
    ...(typeof customId === 'string' && { line: lineNumberOf(id) }),
    ...(urgent && { urgent: true }),
    ...(typeof stream === 'string' && { stream: stream.split(' ').filter(Boolean) }),
    ...(trace && { trace }),
    ...(restarts && { restarts: true }),
    createdAtMs,
    hop,
    generation,
    endpoint,
    model,
    target: parseTarget(target!),
    expiresAtMs,
    attemptsSpent: Number(spent),
    attempts: parseAttempts(attempts),
    ...(typeof body === 'number' ? { body: '', unread: body } : { body: body! }),
    home: home ? (JSON.parse(home) as Home) : null,
    headers: headers ? (JSON.parse(headers) as RequestHeaders) : noHeaders,
  }
}

export const encodeAttempts = (attempts: readonly Attempt[]): string =>
  attempts.map(a => JSON.stringify(a)).join(',')
