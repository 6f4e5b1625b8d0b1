import type { Logger } from 'pino'
import { isGivable, type JobErrorCode, jobErrorCodes } from '../domain/job.ts'
import { costOfAll } from '../domain/usage.ts'
import type { JobResult, JobStore } from '../jobs/types.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { AccountAffinity } from './account-affinity.ts'
import { type Ending, type Execution, type Result, unrecorded } from './execution.ts'
import { type FirstTargetDeps, noTargetError } from './first-target.ts'
import type { Leases } from './leases.ts'
import type { MirrorAnswer } from './mirror-fallback.ts'
import type { Transitions } from './transitions.ts'
import type { CallResult } from './upstream-caller.ts'

type Finished = Ending & { readonly kind: 'finished' }
type Judged = CallResult & { readonly kind: 'judged' }

export interface FinishDeps extends Pick<FirstTargetDeps, 'routes' | 'providers'> {
  /** Whose worker this is. */
  readonly provider: string
  readonly store: Pick<JobStore, 'finalise'>
  readonly leases: Pick<Leases, 'release'>
  readonly mirrors: Pick<Mirrors, 'ended'>
  readonly accountAffinity: Pick<AccountAffinity, 'remember'>
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  /** Tracks the write of a result: a stop waits for it, and a failure is logged. */
  readonly unfinished: (write: Promise<void>) => void
  readonly disown: Transitions['disown']
  readonly telemetry: Pick<Telemetry, 'emit'>
  readonly log: Logger
  readonly now: () => number
}

/** How a job finishes, and how its result is written. */
export interface Finish {
  /** By the answer of its own call. */
  byCall(run: Execution, judged: Judged): Finished
  /** By a call that readers have a part of, whatever it came to. */
  byStream(run: Execution, judged: Judged): Finished
  /** By the answer of the mirror that was asked beside it. */
  byMirror(answer: MirrorAnswer): Finished
  /** Without a good answer. */
  failed(run: Execution, code: JobErrorCode): Finished
  /**
   * Writes the result, then releases the lease. Resolves when the write is sent, not when it is acknowledged:
   * the slot is free a round trip sooner.
   */
  finalise(run: Execution, result: Result): Promise<void>
}

/** Whether a judged call finishes its job. */
export const finishes = ({ verdict, native }: Judged, { refusalHandsOver }: Execution): boolean =>
  verdict.kind === 'ok' ||
  (verdict.kind === 'refused' && !refusalHandsOver) ||
  // A caller's own mistake ends the job where the request was judged as it was written; a translated one
  // may be at fault through the translation.
  (verdict.kind === 'rejected' && native)

/** Failures for what a provider said: its last answer goes with them. */
const providerFailures: ReadonlySet<JobErrorCode> = new Set([
  'upstream_rejected',
  'refused',
  'malformed_answer',
  'untranslatable_answer',
])

/** Leaves out a 2xx answer where the code says that the providers failed. */
const lastResponseFor = (code: JobErrorCode, last: JobResult['response']): JobResult['response'] => {
  if (last === null || !providerFailures.has(code)) return null
  return last.statusCode < 300 && isGivable({ code, message: '' }) ? null : last
}

/** What a call used counts though it brought no whole answer. */
const withUsage = (finished: Finished, usage: Judged['usage']): Finished => ({
  ...finished,
  result: { ...finished.result, usage },
})

const errorOf = (code: JobErrorCode) => ({ code, message: jobErrorCodes[code] })

export const createFinish = (deps: FinishDeps): Finish => {
  const { provider, store, leases, accountAffinity, persist, disown, telemetry, log, now } = deps

  /** A job that went smoothly needs no line of its own. */
  const logFinished = (run: Execution, { status, error }: Result, written: boolean): void =>
    log[status === 'failed' || run.attempts.length > 1 ? 'info' : 'debug'](
      {
        event: 'job.finished',
        jobId: run.claim.id,
        status,
        provider: run.current.provider,
        model: run.current.model,
        code: error?.code,
        attempts: run.attempts.length,
        written,
      },
      'job finished',
    )

  const failed: Finish['failed'] = (run, code) => ({
    kind: 'finished',
    answer: null,
    result: {
      status: 'failed',
      response: lastResponseFor(code, run.lastResponse),
      error: code === 'no_usable_target' ? noTargetError(run.claim, deps) : errorOf(code),
      refused: false,
      usage: null,
    },
  })

  const byCall: Finish['byCall'] = (run, { verdict, attempt, response, usage, made }) => {
    const { tenant, endpoint } = run.claim
    const account = { provider: run.current.provider, key: made.key }
    accountAffinity.remember(tenant, endpoint, made.ids, account)
    // An identical request may get an answer to just what it asks.
    const isAdjusted = attempt.adjusted !== undefined
    const isShared = verdict.kind === 'ok' && response !== null && !isAdjusted
    // A refusal may come as an answer, or as an error.
    const succeeded = verdict.kind !== 'rejected' && response !== null && response.statusCode < 300
    return {
      kind: 'finished',
      answer: isShared ? { ...response, target: run.current } : null,
      result: {
        status: succeeded ? 'succeeded' : 'failed',
        response,
        error: succeeded ? null : errorOf(verdict.kind === 'refused' ? 'refused' : 'upstream_rejected'),
        refused: verdict.kind === 'refused',
        usage,
      },
    }
  }

  const byStream: Finish['byStream'] = (run, judged) => {
    const { verdict, response, usage } = judged
    if (verdict.kind === 'ok' || verdict.kind === 'refused') return byCall(run, judged)
    if (response === null) return withUsage(failed(run, 'stream_broken'), usage)
    run.lastResponse = response
    return withUsage(failed(run, 'malformed_answer'), usage)
  }

  return {
    byCall,
    byStream,
    byMirror: ({ response, usage }) => ({
      kind: 'finished',
      answer: null,
      result: { status: 'succeeded', response, error: null, refused: false, usage },
    }),
    failed,
    finalise: (run, result) => {
      const { claim, attempts } = run
      const whole = {
        ...result,
        attempts: unrecorded(run),
        costUsd: costOfAll(attempts) ?? (result.cachedFrom ? 0 : null),
      }
      return new Promise(sent => {
        const write = persist(() => store.finalise(claim, whole, sent)).then(written => {
          if (written) {
            const tookMs = now() - claim.createdAtMs
            telemetry.emit({
              kind: 'job.finished',
              tenant: claim.tenant,
              provider,
              route: claim.model,
              status: result.status,
              tookMs,
            })
          }
          logFinished(run, result, written)
          return written
        })
        run.written = write.then(
          written => (written ? { ...whole, attempts } : null),
          () => null,
        )
        // A request that waits for the end does not wait for the mirror.
        deps.unfinished(
          write.then(written => (written ? deps.mirrors.ended({ ...claim, attempts }, whole) : disown(run))),
        )
        const settled = (): void => {
          leases.release(claim)
          sent()
        }
        write.then(settled, settled)
      })
    },
  }
}
