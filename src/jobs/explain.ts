import type { VerdictKind } from '../domain/classify/verdict.ts'
import { type Attempt, isTerminal, type JobMove, type Target } from '../domain/job.ts'
import type { AdjustmentAction } from '../domain/routing/adjustments.ts'
import { renderCount, renderDuration } from '../terminal/format.ts'
import { clock, fullTime, type Sentence, say } from './explain-parts.ts'
import type { JobView } from './view.ts'

/** What is said of the provider of a job's next call. */
export interface ExplainedProvider {
  readonly name: string
  readonly state: string
  /** Unix seconds. */
  readonly until: number | null
  readonly reason: string | null
  readonly queue: { readonly waiting: number }
  readonly workers: readonly unknown[]
}

export interface ExplainedStep {
  /** Unix seconds, with milliseconds as the fraction where they are known. */
  readonly at: number
  readonly parts: Sentence
  /** The attempt or move that it tells of, by its place in the job's `attempts` or `moves`. */
  readonly of: { readonly attempt: number } | { readonly move: number } | null
}

export interface Explanation {
  /** What happened, in its order. */
  readonly steps: readonly ExplainedStep[]
  /** What a live job waits for; null of one that has ended. */
  readonly waits: Sentence | null
}

/** Tells from a job's own log why it went where it went. `provider` is that of its next call, where it is known. */
export const explainJob = (job: JobView, provider: ExplainedProvider | null, nowMs: number): Explanation => {
  const events = eventsOf(job)
  return {
    steps: [
      { at: job.created_at, parts: describeStart(job), of: null },
      ...events.map((event, i) => ({
        ...{ at: timeOf(event), parts: describeEvent(event, events[i + 1], job), of: placeIn(job, event) },
      })),
      ...describeEnd(job),
    ],
    waits: isTerminal(job.status) ? null : describeWait(job, provider, nowMs),
  }
}

type Event = Attempt | JobMove

const isMove = (event: Event): event is JobMove => 'kind' in event
const timeOf = (event: Event): number => (isMove(event) ? event.at : event.started_at)
const endedAt = (event: Event): number =>
  isMove(event) ? event.at : event.started_at + (event.duration_ms ?? 0) / 1_000
const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`
const targetOf = (target: Target) => ({ target: nameOf(target) })
const placeIn = ({ attempts, moves = [] }: JobView, event: Event): ExplainedStep['of'] =>
  isMove(event) ? { move: moves.indexOf(event) } : { attempt: attempts.indexOf(event) }

/** Calls and moves, as they came about: a move that no call explains came after the calls of its hop. */
const eventsOf = ({ attempts, moves = [] }: JobView): readonly Event[] =>
  [...attempts, ...moves].sort((a, b) => timeOf(a) - timeOf(b))

const describeStart = ({ model, endpoint, expires_at, retry_of, batch_id }: JobView): Sentence => {
  const origin = batch_id ? `, a line of ${batch_id}` : retry_of ? `, a retry of ${retry_of}` : ''
  return say`accepted for ${model} (${endpoint})${origin}, to be answered by ${fullTime(expires_at)}`
}

const describeEvent = (event: Event, next: Event | undefined, job: JobView): Sentence => {
  const then = describeNext(event, next, job)
  if (!isMove(event)) return say`${describeCall(event)}${then}`
  if (event.reason === 'identical_request')
    return say`another job asks the same: parked until that is answered, or ${clock(event.until ?? event.at)}`
  if (event.reason === 'cannot_carry')
    return say`left out ${targetOf(event)}: it cannot be given ${(event.fields ?? []).join(', ')}`
  const why = away[event.reason] ?? event.reason
  return event.kind === 'parked'
    ? say`no target could serve: parked until ${clock(event.until ?? event.at)} for ${targetOf(event)}, ${why}`
    : say`passed over ${targetOf(event)} without a call, ${why}${then}`
}

const away: Readonly<Record<string, string>> = {
  down: 'which is down after failures',
  probing: 'which is down until a probe has shown that it is back',
  recovering: 'which is on its way back and takes a share of the traffic only',
  paused: 'which an operator has paused',
  throttled: 'which throttles',
  stopped: 'of which the key or the model is stopped',
  no_worker: 'which has no worker',
  backoff: 'which failed this job a moment ago',
  busy: 'which has no room within its limits',
}

const meanings: Readonly<Record<VerdictKind, string>> = {
  ok: 'it answered',
  transient: 'a failure that may pass',
  overloaded: 'it is overloaded',
  rate_limited: 'it throttles',
  out_of_quota: 'the account of the key is out of quota',
  bad_credentials: 'it does not take the key',
  unknown_model: 'it does not know the model',
  too_long: 'the prompt is too long for it',
  refused: 'it refused the content',
  rejected: 'it found fault with the request',
  unsupported: 'it cannot do what the request asks for',
  malformed: 'the model spoiled its answer',
  untranslatable: 'its answer does not fit the format of the request',
}

/** What the verdict did to others. A 429 that does not say how long cools for ten seconds. */
const effectOf = (attempt: Attempt): Sentence => {
  const { verdict, started_at, duration_ms, retry_after_ms } = attempt
  switch (verdict) {
    case 'rate_limited': {
      const until = started_at + ((duration_ms ?? 0) + (retry_after_ms ?? 10_000)) / 1_000
      return say`; its key is left alone there until ${clock(until)}`
    }
    case 'out_of_quota':
    case 'bad_credentials':
      return ['; the key is stopped']
    case 'unknown_model':
      return ['; the model is stopped there']
    default:
      return []
  }
}

const interruptions: Readonly<Record<string, string>> = {
  worker_lost: 'its worker fell silent, and the job was taken from it',
  worker_crashed: 'its worker fell silent while it ran nothing else',
  superseded: 'the call was dropped as a worker that had lost the job answered first',
  shutdown: 'its worker was stopped, and handed the job back',
  cancelled: 'the call was dropped as the job was cancelled',
  expired: 'the call was dropped as the job expired',
  mirror: 'the mirror of the route, side by side',
}

const describeCall = (attempt: Attempt): Sentence => {
  const { duration_ms, status_code, verdict, reason, possibly_billed, error } = attempt
  const said = error === undefined ? '' : `; it said: ${error.message}`
  const took = duration_ms === null ? '' : ` after ${describeMs(duration_ms)}`
  const billed = possibly_billed ? '; it may be billed all the same' : ''
  if (verdict === null)
    return say`asked ${targetOf(attempt)}: ${interruptions[reason] ?? reason}${took}${billed}`
  const why = verdict === 'ok' ? '' : ` (${verdict}: ${reason})`
  const outcome = `${status_code ?? 'no answer'}${took}, ${meanings[verdict]}${why}`
  return say`asked ${targetOf(attempt)}${describeAdjusted(attempt)}: ${outcome}${effectOf(attempt)}${billed}${said}`
}

const doings: Readonly<Record<AdjustmentAction, string>> = {
  left_out: 'without',
  lowered: 'with less',
  raised: 'with more',
}

const describeAdjusted = ({ adjusted = [] }: Attempt): string => {
  const words = adjusted.map(({ field, action }) => `${doings[action]} ${field}`)
  return words.length === 0 ? '' : ` (${words.join(', ')})`
}

export const describeMs = (ms: number): string =>
  ms < 1_000 ? `${ms} ms` : ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : renderDuration(ms)

/** Where the job went after an event. Parking has its own line, and the end too. */
const describeNext = (event: Event, next: Event | undefined, job: JobView): Sentence => {
  const following = next ?? (isTerminal(job.status) ? null : standing(job))
  if (following === null || ('kind' in following && following.kind === 'parked')) return []
  // Passed over at the door, one after the other: it was sent to none of them.
  if (next !== undefined && isMove(event) && isMove(next) && event.hop === next.hop) return []
  const sameTarget = nameOf(following) === nameOf(event)
  if (!sameTarget) return say`; ${isMove(event) ? 'sent on' : 'handed over'} to ${targetOf(following)}`
  if (isMove(event) || next === undefined || isMove(next)) return []
  return [event.verdict === 'transient' ? '; tried again there' : '; called again there']
}

const standing = ({ provider, upstream_model }: JobView): Target => ({ provider, model: upstream_model })

const describeEnd = (job: JobView): ExplainedStep[] => {
  const { status, finished_at, webhook } = job
  if (!isTerminal(status) || finished_at === null) return []
  const told =
    webhook === null
      ? []
      : [say`webhook ${webhook.status} after ${renderCount(webhook.attempts, 'attempt')}: ${webhook.url}`]
  // Whole seconds: the last call may seem to end later.
  const at = Math.max(finished_at, ...eventsOf(job).map(endedAt))
  return [endOf(job), ...told].map(parts => ({ at, parts, of: null }))
}

const endOf = (job: JobView): Sentence => {
  const { status, error, attempts, created_at, finished_at, cost_usd } = job
  const cost = cost_usd === null ? '' : `, for $${cost_usd}`
  const seconds = (finished_at ?? created_at) - created_at
  const took = seconds === 0 ? 'a moment' : renderDuration(seconds * 1_000)
  const sum = `${renderCount(attempts.length, 'call')} and ${took}${cost}`
  if (status === 'succeeded') {
    const how = job.refused ? 'with a refusal' : job.cache ? "with another job's answer, given" : 'answered'
    return say`succeeded, ${how} by ${targetOf(standing(job))}, after ${sum}`
  }
  return say`${status} after ${sum}: ${error?.message ?? 'no reason is known'} (${error?.code ?? status})`
}

const describeWait = (job: JobView, provider: ExplainedProvider | null, nowMs: number): Sentence => {
  const target = targetOf(standing(job))
  if (job.status === 'running') return say`a worker of ${job.provider} has it, for ${target}`
  const state = provider === null ? [] : describeState(provider)
  if (job.status === 'parked') {
    const resumes = job.resumes_at ?? job.expires_at
    const left = Math.max(0, resumes * 1_000 - nowMs)
    return say`parked until ${clock(resumes)} (in ${renderDuration(left)}) for ${target}${state}`
  }
  const waiting = provider === null ? '' : `, where ${renderCount(provider.queue.waiting, 'job')} waits`
  return say`in the queue of ${job.provider}${waiting.replace(/s waits$/, 's wait')}${state}`
}

const describeState = ({ name, state, until, reason, workers }: ExplainedProvider): Sentence => {
  const why = reason === null ? '' : ` (${reason})`
  const end = until === null ? [] : say` until ${clock(until)}`
  const health = state === 'healthy' ? [] : say`; ${name} is ${state}${end}${why}`
  return workers.length === 0 ? say`${health}; no worker of ${name} is running` : health
}
