import type { Endpoint } from '../domain/endpoint.ts'
import type {
  Attempt,
  JobClass,
  JobError,
  JobMove,
  JobStatus,
  LastError,
  Priority,
  Target,
  Usage,
  WebhookTarget,
} from '../domain/job.ts'
import { explainError, lastErrorAmong } from '../domain/job-failure.ts'
import type { Obstacle } from '../domain/obstacle.ts'
import { noHeaders, type RequestHeaders } from '../domain/request-headers.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import { costOfAll } from '../domain/usage.ts'
import { lineNumberOf } from '../redis/keys.ts'
import { type Delivery, deliveryOf } from './delivery.ts'

/** A job as its record holds it. Times are Unix ms. */
export interface JobRecord {
  readonly id: string
  readonly tenant: string
  readonly status: JobStatus
  readonly endpoint: Endpoint
  readonly model: string
  readonly headers: RequestHeaders
  /** The account that it depends on; absent where any will do. */
  readonly home?: Home
  readonly target: Target
  readonly hop: number
  readonly generation: number
  readonly createdAtMs: number
  readonly startedAtMs: number | null
  readonly finishedAtMs: number | null
  readonly expiresAtMs: number
  readonly resumesAtMs: number | null
  readonly attempts: readonly Attempt[]
  /** The latest of those that no call explains. */
  readonly moves: readonly JobMove[]
  readonly response: { readonly statusCode: number; readonly body: string } | null
  readonly error: JobError | null
  /** The target that failed it last, or keeps it waiting; null where none has. */
  readonly lastError: LastError | null
  readonly standing: Standing | null
  readonly refused: boolean
  readonly usage: Usage | null
  readonly costUsd: number | null
  /** Who gave the answer, where it came from the cache of the route. */
  readonly cachedFrom: Target | null
  readonly webhook: WebhookTarget | null
  readonly delivery: Delivery | null
  /** Deliveries made before the dead letter was last sent again. */
  readonly deliveriesBefore: number
  readonly metadata: Readonly<Record<string, string>>
  readonly retryOf: string | null
  /** What its batch calls it; null for a job of its own. */
  readonly customId: string | null
  readonly priority: Priority
  readonly class: JobClass
  /** What it is estimated to take. */
  readonly tokens: number
  /** Which request of its batch it is, from 1; absent for a job of its own. */
  readonly line?: number
  readonly urgent?: boolean
  /** See `JobSpec`. */
  readonly background?: true
  /** Whether its answer is streamed. */
  readonly isStreamed: boolean
  /** Whether its stream begins anew at another run where one breaks off: its client asked for that. */
  readonly restarts?: true
  /** The run whose answer readers have, and its bytes once it has come to its end; null before the first. */
  readonly log: { readonly run: string; readonly bytes: number | null } | null
  /** The latest time in the record itself. */
  readonly lastChangeAtMs: number
}

export type RecordFields = Readonly<Record<string, string>>

/** `provider/model`; a provider's name has no slash, a model's may. */
export const formatTarget = (target: Target): string => `${target.provider}/${target.model}`

export const parseTarget = (text: string): Target => {
  const slash = text.indexOf('/')
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) }
}

/** What never changes of a job, in one field: fewer fields make the record smaller, and each step faster. */
export interface Spec {
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly endpoint: Endpoint
  readonly model: string
}

/** Words with a space between; the model stands last because it may hold spaces itself. */
export const formatSpec = ({ createdAtMs, expiresAtMs, endpoint, model }: Spec): string =>
  `${createdAtMs} ${expiresAtMs} ${endpoint} ${model}`

export const parseSpec = (text: string): Spec => {
  const [created, expires, endpoint] = text.split(' ', 3) as [string, string, string]
  return {
    createdAtMs: Number(created),
    expiresAtMs: Number(expires),
    endpoint: endpoint as Endpoint,
    model: text.slice(created.length + expires.length + endpoint.length + 3),
  }
}

/**
 * How a job ended, but for the answer's body. One field of the record again: each that is written costs Redis a search
 * through the record and a copy of it, a finalise of seven took twice as long.
 */
export interface StoredResult {
  /** Unix ms. */
  readonly at: number
  /** The calls of the worker that ended it; earlier ones stand in the log. */
  readonly attempts?: readonly Attempt[]
  readonly code?: number
  /** The length of an answer that is kept apart, see `Payloads`. */
  readonly bytes?: number
  readonly error?: JobError
  readonly refused?: true
  readonly usage?: Usage
  readonly cost?: number
  /** Who gave the answer that was found in the cache, as `formatTarget` words it. */
  readonly cached?: string
}

/** What kept a job from going on when it was last parked. */
export interface Standing extends Obstacle {
  /** Unix ms. */
  readonly at: number
}

/** The later one of its own last failure and what it was parked for. */
const newer = (attempts: readonly Attempt[], known: Standing | null): LastError | null => {
  const last = attempts.findLast(({ error }) => error !== undefined)
  if (known !== null && known.at >= (last?.started_at ?? 0) * 1_000) return known.error
  return lastErrorAmong(attempts)
}

/** An entry that stands for the calls of a run bears its token, which views leave out. */
type LoggedAttempt = Attempt & { readonly run?: string }

export const parseAttempts = (log: string | undefined): readonly Attempt[] => {
  if (!log) return []
  const attempts = JSON.parse(`[${log}]`) as LoggedAttempt[]
  return log.includes('"run":') ? attempts.map(({ run: _, ...attempt }) => attempt) : attempts
}

/** A line of the record: `<at ms> <hop> <until ms, or 0> <reason> <target>`. */
export const formatMove = ({ at, hop, until = 0, reason, fields, provider, model }: JobMove): string => {
  const why = fields === undefined ? reason : `${reason}:${wordsOf(fields)}`
  return `${Math.round(at * 1_000)} ${hop} ${Math.round(until * 1_000)} ${why} ${formatTarget({ provider, model })}`
}

/** Names of parameters as one word, and no more of them than a record has room for. */
const wordsOf = (fields: readonly string[]): string =>
  fields
    .slice(0, 8)
    .map(field => encodeURIComponent(field.slice(0, 60)))
    .join(',')

const parseMove = (line: string): JobMove => {
  const [at, hop, until, reason] = line.split(' ', 4) as [string, string, string, string]
  const target = line.slice(at.length + hop.length + until.length + reason.length + 4)
  const [word = '', fields] = reason.split(':')
  const facts = {
    ...{ at: Number(at) / 1_000, hop: Number(hop), ...parseTarget(target), reason: word },
    ...(fields !== undefined && { fields: fields.split(',').map(decodeURIComponent) }),
  }
  return until === '0'
    ? { kind: 'skipped', ...facts }
    : { kind: 'parked', ...facts, until: Number(until) / 1_000 }
}

const parseMoves = (lines: string | undefined): readonly JobMove[] =>
  lines ? lines.split('\n').map(parseMove) : []

type Text = string | null | undefined

/** The fields of a record that say how its job went. */
interface ResultFields {
  readonly result?: Text
  readonly attempts?: Text
  readonly body?: Text
  readonly request?: Text
  readonly why?: Text
}

/** Reads how a job went: the calls so far, and the result of one that has ended. */
export const parseResult = (
  status: JobStatus,
  { result: text, attempts, body, request, why }: ResultFields,
) => {
  const end = text ? (JSON.parse(text) as StoredResult) : null
  // A good answer replaces a short request, which is not needed any more.
  const answer = body ?? (status === 'succeeded' ? request : null) ?? null
  const known = why ? (JSON.parse(why) as Standing) : null
  const calls = [...parseAttempts(attempts ?? undefined), ...(end?.attempts ?? [])]
  return {
    finishedAtMs: end?.at ?? null,
    attempts: calls,
    response: end?.code === undefined || answer === null ? null : { statusCode: end.code, body: answer },
    error: end?.error ? explainError(end.error, calls, known?.error ?? null) : null,
    lastError: newer(calls, known),
    standing: known,
    refused: end?.refused ?? false,
    usage: end?.usage ?? null,
    costUsd: greater(end?.cost, costOfAll(calls)),
    cachedFrom: end?.cached === undefined ? null : parseTarget(end.cached),
  }
}

/**
 * The greater of the cost that the worker that ended the job knew, and that of its log. The log has more
 * where another worker reported calls later, and less where old calls had to leave it. An expired or
 * cancelled job has a cost, too.
 */
const greater = (cost: number | undefined, ofCalls: number | null): number | null =>
  cost === undefined || ofCalls === null ? (cost ?? ofCalls) : Math.max(cost, ofCalls)

/** When a worker first took the job, in Unix ms: by its first call, or by `holder` before that has ended. */
export const startOf = (attempts: readonly Attempt[], run: string | null | undefined): number | null => {
  if (attempts[0]) return Math.round(attempts[0].started_at * 1_000)
  return run ? Number.parseInt(run, 10) : null
}

const time = (text: string | undefined): number | null => (text ? Number(text) : null)
const json = <T>(text: string | undefined): T | null => (text ? (JSON.parse(text) as T) : null)

/** The log of a streamed answer, as the record names it. */
export const logOf = ({ log, streamed }: RecordFields): JobRecord['log'] =>
  log === undefined ? null : { run: log, bytes: streamed === undefined ? null : Number(streamed) }

/** Reads a record as Redis returns it; null when there is none. */
export const parseRecord = (id: string, fields: RecordFields): JobRecord | null => {
  if (!fields.state) return null
  const status = fields.state as JobStatus
  const spec = parseSpec(fields.spec!)
  const result = parseResult(status, fields)
  const calledAtMs = fields.holder ? Number.parseInt(fields.holder, 10) : null
  return {
    id,
    tenant: fields.tenant ?? 'default',
    status,
    endpoint: spec.endpoint,
    model: spec.model,
    headers: json<RequestHeaders>(fields.headers) ?? noHeaders,
    ...(fields.home && { home: JSON.parse(fields.home) as Home }),
    target: parseTarget(fields.target!),
    hop: Number(fields.hop ?? 0),
    generation: Number(fields.generation ?? 0),
    createdAtMs: spec.createdAtMs,
    startedAtMs: startOf(result.attempts, fields.holder),
    expiresAtMs: spec.expiresAtMs,
    resumesAtMs: status === 'parked' ? time(fields.resumes) : null,
    ...result,
    moves: parseMoves(fields.moves),
    webhook: json<WebhookTarget>(fields.webhook),
    delivery: deliveryOf(status, fields),
    deliveriesBefore: Number(fields.deliveries_before ?? 0),
    metadata: json<Record<string, string>>(fields.metadata) ?? {},
    retryOf: fields.retry_of ?? null,
    customId: fields.custom_id ?? null,
    priority: (fields.priority as Priority | undefined) ?? 'default',
    class: (fields.class as JobClass | undefined) ?? 'default',
    tokens: Number(fields.tokens ?? 0),
    ...(fields.custom_id !== undefined && { line: lineNumberOf(id) }),
    ...(fields.urgent !== undefined && { urgent: true }),
    ...(fields.background !== undefined && { background: true }),
    isStreamed: fields.stream !== undefined,
    ...(fields.restarts !== undefined && { restarts: true }),
    log: logOf(fields),
    lastChangeAtMs: Math.max(
      spec.createdAtMs,
      calledAtMs ?? 0,
      result.finishedAtMs ?? 0,
      // When the doorbell of its webhook was last due.
      time(fields.delivery_due) ?? 0,
      // When it was last moved.
      (status === 'queued' && time(fields.resumes)) || 0,
    ),
  }
}
