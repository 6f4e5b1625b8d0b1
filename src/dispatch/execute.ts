import type { Verdict } from '../domain/classify/verdict.ts'
import type { Interrupt } from '../domain/interrupt.ts'
import { type JobErrorCode, jobErrorCodes } from '../domain/job.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { eligible, nextStep, type RoutingState, type Step, spends } from '../domain/routing/next-step.ts'
import { lossesOf } from '../domain/routing/worker-losses.ts'
import { costOfAll } from '../domain/usage.ts'
import type { Claim, JobResult } from '../jobs/store.ts'
import { isMirrorId } from '../redis/keys.ts'
import { type Execution, exactUntilOf, maxWaitMs, unrecorded } from './execution.ts'
import type { ExecutorDeps } from './executor-parts.ts'
import { noTargetError } from './first-target.ts'
import { endIfFutile, obstacleFor } from './futile-wait.ts'
import { createIsolated } from './isolated.ts'
import type { Seat } from './isolation.ts'
import { lastResponseFor } from './last-words.ts'
import type { Leases } from './leases.ts'
import { createMirrorFallback, type MirrorAnswer } from './mirror-fallback.ts'
import { isLastResort, lastResortsLast, targetsFor } from './request-targets.ts'
import { atAccount, requestOf, singleTargetRoute } from './routes.ts'
import { createTransitions } from './transitions.ts'
import type { CallResult, CallTerms } from './upstream-caller.ts'

/** A sample is worth one call: tried again it would tell of nothing but luck. */
const mirrorLimits = { retries: 0, maxAttempts: 1 }

/** `taken` is called once the record says that this worker runs the job, or that it has not to. */
export type ExecuteJob = (jobId: string, hop: number, generation: number, taken: () => void) => Promise<void>

interface Doorbell {
  readonly jobId: string
  readonly hop: number
  readonly generation: number
}

/** Answers a provider's doorbell: claim the job, call, judge, and finish it, hand it over or park it. */
export const createJobExecutor = (parts: ExecutorDeps): ExecuteJob => {
  const { store, caller, calls, leases, routes, providers, log, now, random, persist } = parts
  const { handOver, park, retry, waitInSlot: hold, interrupted, disown } = createTransitions(parts)

  const isolated = createIsolated({ ...parts, hold })
  const mirrored = createMirrorFallback({ mirrors: parts.mirrors, store, waitInSlot: hold, now })

  const execute: ExecuteJob = async (jobId, hop, generation, taken) => {
    const seat = await parts.isolation.enter()
    await executeOn(seat, { jobId, hop, generation }, taken).finally(seat.leave)
  }

  const executeOn = async (
    seat: Seat,
    { jobId, hop, generation }: Doorbell,
    taken: () => void,
  ): Promise<void> => {
    const token = parts.newToken()
    const claimed = await persist(() => store.claim(jobId, hop, generation, token))
    taken()
    if (typeof claimed === 'string') {
      log.debug(
        { event: 'doorbell.stale', jobId, hop, generation, answer: claimed },
        'doorbell is stale: its job has ended or moved on',
      )
      return
    }
    const interrupt = calls.enter(jobId, claimed.expiresAtMs)
    leases.hold(claimed)
    const body = parts.holdBody(claimed)
    let run: Execution | null = null
    try {
      run = begin(await body.read(interrupt), interrupt)
      if (!(await isolated(run, seat))) return
      const shared = isMirrorId(jobId) ? 'call' : await parts.shareCall(run)
      if (shared === 'call') await walk(run)
      else if (shared !== 'parked') await finalise(run, shared)
    } finally {
      calls.leave(jobId, interrupt)
      run?.flight?.left()
      if (!run?.finalising) leases.release(claimed)
      body.release()
    }
  }

  const begin = (claim: Claim, interrupt: Interrupt): Execution => {
    const here: RouteTarget = { route: claim.model, ...claim.target }
    // A worker that has not heard of a new route yet can still do what it was sent.
    const isMirror = isMirrorId(claim.id)
    const route = isMirror
      ? singleTargetRoute(parts.mirrors.targetOf(claim.model) ?? here, 'always')
      : (routes.get(claim.model) ?? singleTargetRoute(here))
    const known = route.targets.find(t => t.provider === here.provider && t.model === here.model)
    const request = requestOf(claim.endpoint, claim.body, claim.headers)
    const eligible = targetsFor(atAccount(route, claim.home), providers, request)
    const { adjusted } = eligible
    const isLast = isLastResort(route, eligible)
    return {
      claim,
      targets: lastResortsLast(parts.order(route, eligible.targets, request, claim.id), isLast),
      current: known ?? here,
      adjusted,
      isLastResort: isLast,
      exactUntilMs: exactUntilOf(claim, now()),
      refusalHandsOver: route.refusalHandsOver,
      limits: {
        backoffOf: parts.backoffOf,
        ...(isMirror ? mirrorLimits : { retries: parts.retries, maxAttempts: parts.maxAttempts }),
      },
      interrupt,
      attempts: [...claim.attempts],
      recorded: claim.attempts.length,
      // A sample is not asked again because it was lost.
      attemptsSpent: claim.attemptsSpent + (isMirror ? lossesOf(claim.attempts) : 0),
      ...{ finalising: false, lastResponse: null, flight: null, beside: undefined },
    }
  }

  const walkOf = (run: Execution, shutUntilMs: number): RoutingState => ({
    seed: run.claim.id,
    expiresAtMs: run.claim.expiresAtMs,
    targets: run.targets,
    attempts: run.attempts,
    spent: run.attemptsSpent,
    hop: run.claim.hop,
    current: run.current,
    refusalHandsOver: run.refusalHandsOver,
    availableAt: t =>
      Math.max(
        t === run.current ? shutUntilMs : 0,
        parts.availableAt(t),
        parts.flexFullUntil(t, run.claim.body),
      ),
    isReturning: parts.isReturning,
    isLastResort: run.isLastResort,
    exactUntilMs: run.exactUntilMs,
  })

  const decide = (run: Execution, shutUntilMs: number): Step =>
    nextStep(walkOf(run, shutUntilMs), run.limits, now(), random)

  const walk = async (run: Execution): Promise<void> => {
    let shutUntilMs = 0
    for (;;) {
      const step = decide(run, shutUntilMs)
      const beside = await mirrored.answer(run, step)
      if (beside === 'left') return
      if (beside) return finishBeside(run, beside)
      if (step.kind === 'fail') return fail(run, step.code)
      if (step.kind === 'park') return stand(run, walkOf(run, shutUntilMs), step)
      if (step.kind === 'retry') {
        if (!(await retry(run, step.delayMs))) return
      } else if (step.kind === 'wait') {
        if (!(await hold(run))) return
        continue
      } else if (step.target !== run.current) {
        if (parts.mayHandOver(step.target.provider, run.current, hasCalled(run)))
          return handOver(run, step.target)
        if (!(await hold(run))) return
        continue
      }

      mirrored.begin(run)
      const result = await caller.call(run.claim, run.current, termsOf(run, leases), run.interrupt)
      if (result.kind === 'left') return interrupted(run, result.reason)
      if (result.kind === 'shut') {
        shutUntilMs = result.untilMs
        continue
      }
      run.attempts.push(result.attempt)
      if (spends(result.attempt)) run.attemptsSpent += 1
      if (result.kind === 'interrupted') return interrupted(run, result.reason)
      if (result.native || isSpoiled(result.verdict)) run.lastResponse = result.response
      if (endsTheJob(result, run)) return finish(run, result)
    }
  }

  /** Parks a job, or ends one whose connection would wait in vain. */
  const stand = (
    run: Execution,
    walk: RoutingState,
    { target, untilMs }: Step & { kind: 'park' },
  ): Promise<void> => {
    const { obstacleOf } = parts
    const hopeless = endIfFutile(run, walk, obstacleOf)
    if (hopeless === null) return park(run, target, untilMs, obstacleFor(eligible(walk), target, obstacleOf))
    run.flight?.ended(true)
    return finalise(run, hopeless)
  }

  const finishBeside = (run: Execution, { response, usage }: MirrorAnswer): Promise<void> => {
    run.flight?.ended(true)
    return finalise(run, { status: 'succeeded', response, error: null, refused: false, usage })
  }

  const hasCalled = ({ attempts, claim }: Execution): boolean => attempts.some(({ hop }) => hop === claim.hop)

  const endsTheJob = ({ verdict, native }: CallResult & { kind: 'judged' }, run: Execution): boolean =>
    verdict.kind === 'ok' ||
    (verdict.kind === 'refused' && !run.refusalHandsOver) ||
    // A caller's own mistake ends the job where the request was judged as it was written; a translated one
    // may be at fault through the translation.
    (verdict.kind === 'rejected' && native)

  const finish = async (run: Execution, result: CallResult & { kind: 'judged' }) => {
    const { verdict, attempt, response, usage, made } = result
    const { tenant, endpoint } = run.claim
    parts.accountAffinity.remember(tenant, endpoint, made.ids, {
      provider: run.current.provider,
      key: made.key,
    })
    // Whoever asks the same may get an answer to just that.
    const isAdjusted = attempt.adjusted !== undefined
    // A refusal may come as an answer, or as an error.
    const succeeded = verdict.kind !== 'rejected' && response !== null && response.statusCode < 300
    if (verdict.kind === 'ok' && response && !isAdjusted)
      run.flight?.answered({ ...response, target: run.current })
    else run.flight?.ended(true)
    await finalise(run, {
      status: succeeded ? 'succeeded' : 'failed',
      response,
      error: succeeded ? null : errorOf(verdict.kind === 'refused' ? 'refused' : 'upstream_rejected'),
      refused: verdict.kind === 'refused',
      usage,
    })
  }

  const fail = (run: Execution, code: JobErrorCode) => {
    run.flight?.ended(true)
    return finalise(run, {
      status: 'failed',
      response: lastResponseFor(code, run.lastResponse),
      error: code === 'no_usable_target' ? noTargetError(run.claim, parts) : errorOf(code),
      refused: false,
      usage: null,
    })
  }

  /**
   * Resolves when the result is on its way to Redis, not when it is there: a place is free a round trip sooner. Until it is
   * there the job's lease is kept.
   */
  const finalise = (run: Execution, final: Omit<JobResult, 'attempts' | 'costUsd'>): Promise<void> => {
    mirrored.note(run)
    const { claim, attempts } = run
    const whole = {
      ...final,
      attempts: unrecorded(run),
      costUsd: costOfAll(run.attempts) ?? (final.cachedFrom ? 0 : null),
    }
    run.finalising = true
    return new Promise(sent => {
      const write = persist(() => store.finalise(claim, whole, sent)).then(written => {
        // One that did not go smoothly is told of to its end.
        log[final.status === 'failed' || run.attempts.length > 1 ? 'info' : 'debug'](
          {
            event: 'job.finished',
            jobId: claim.id,
            status: final.status,
            provider: run.current.provider,
            model: run.current.model,
            code: final.error?.code,
            attempts: run.attempts.length,
            written,
          },
          'job finished',
        )
        return written
      })
      // Whoever waits for the end does not wait for the mirror.
      parts.unfinished(
        write.then(written => (written ? parts.mirrors.ended({ ...claim, attempts }, whole) : disown(run))),
      )
      const ended = (): void => {
        leases.release(claim)
        sent()
      }
      write.then(ended, ended)
    })
  }

  return execute
}

const isSpoiled = ({ kind }: Verdict): boolean => kind === 'malformed' || kind === 'untranslatable'

const termsOf = (run: Execution, leases: Pick<Leases, 'isOurs'>): CallTerms => ({
  patienceMs: maxWaitMs(run),
  adjustments: run.adjusted.get(run.current) ?? [],
  home: run.claim.home,
  isOurs: () => leases.isOurs(run.claim),
})

const errorOf = (code: JobErrorCode) => ({ code, message: jobErrorCodes[code] })
