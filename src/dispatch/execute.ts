import type { Verdict } from '../domain/classify/verdict.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { ObstacleOf } from '../domain/obstacle.ts'
import { placeOf } from '../domain/place.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { eligible, nextStep, type RoutingState, type Step, spends } from '../domain/routing/next-step.ts'
import type { Claim, JobStore } from '../jobs/types.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { StreamWriter } from '../streams/stream-writer.ts'
import { attribute } from '../telemetry/span-names.ts'
import { noteAttributes } from '../telemetry/tracing.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import type { HoldBody } from './claimed-bodies.ts'
import { type BeginDeps, createBegin, type Ending, type Execution, maxWaitMs } from './execution.ts'
import { createFinish, type FinishDeps, finishes } from './finish.ts'
import { endIfFutile, obstacleFor } from './futile-wait.ts'
import { createIsolate, type Isolation, type Seat } from './isolation.ts'
import type { Leases } from './leases.ts'
import { createMirrorFallback } from './mirror-fallback.ts'
import type { ShareCall } from './share-call.ts'
import { inRunSpan } from './spans.ts'
import { endsStream, isBoundToReaders, withStream } from './streamed-run.ts'
import { createTransitions, type TransitionDeps } from './transitions.ts'
import type { CallResult, CallTerms, UpstreamCaller } from './upstream-caller.ts'

export interface ExecutorDeps extends TransitionDeps, BeginDeps, Omit<FinishDeps, 'disown'> {
  readonly provider: string
  readonly store: JobStore
  readonly caller: UpstreamCaller
  readonly calls: CallsInFlight
  readonly holdBody: HoldBody
  /** The `nth` stream of this claim, from 1. `onLost` is called when another has the job by now. */
  readonly openStream: (claim: Claim, nth: number, onLost: () => void) => StreamWriter
  readonly leases: Leases
  readonly shareCall: ShareCall
  readonly mirrors: Mirrors
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  /** Unix ms until which the tier that this body asks for is full there; 0 for now. */
  readonly flexFullUntil: (target: RouteTarget, body: string) => number
  /** See `RoutingState.isReturning`. */
  readonly isReturning: (target: RouteTarget) => boolean
  readonly obstacleOf: ObstacleOf
  /**
   * Whether a job may be handed over to a provider now. Jobs that leave a target without a call are
   * throttled: they may go only while that provider's queue is short, and each counts against it.
   * `hasCalled`: the job was called at `from`.
   */
  readonly mayHandOver: (provider: string, from: RouteTarget, hasCalled: boolean) => boolean
  /** See `HandoverThrottle.whenRoom`. */
  readonly whenRoom: (provider: string) => Promise<void>
  readonly newToken: () => string
  readonly isolation: Isolation
}

/** `onClaimed` is called once the record says that this worker runs the job, or that it has not to. */
export type ExecuteJob = (
  jobId: string,
  hop: number,
  generation: number,
  onClaimed: () => void,
) => Promise<void>

/** Runs a provider's jobs, each until it is decided how it leaves this worker and that is written. */
export interface JobExecutor {
  /** Answers a doorbell: claims its job and runs it. */
  readonly answer: ExecuteJob
  /** Runs a job that is claimed already. Resolves when it has left this worker; its result may still be on its way. */
  run(claim: Claim, seat: Seat): Promise<Pick<Execution, 'written'>>
  /** Puts a job back into its queue, if this claim holds it. */
  handBack(claim: Claim): Promise<void>
}

export const createJobExecutor = (deps: ExecutorDeps): JobExecutor => {
  const { store, caller, calls, leases, log, now, random, persist, isolation } = deps
  const begin = createBegin(deps)
  const { handOver, park, retry, waitInSlot, interrupt, disown } = createTransitions(deps)
  const finish = createFinish({ ...deps, disown })
  const isolate = createIsolate({ store, waitInSlot, persist, log })
  const mirrored = createMirrorFallback({ mirrors: deps.mirrors, store, waitInSlot, now })

  const answer: ExecuteJob = async (jobId, hop, generation, onClaimed) => {
    const seat = await isolation.enter()
    try {
      // One for all tries: the reply to an earlier one may have been lost.
      const token = deps.newToken()
      const claim = await persist(() => store.claim(jobId, hop, generation, token))
      onClaimed()
      if (typeof claim !== 'string') return void (await executeClaimed(claim, seat))
      log.debug(
        { event: 'doorbell.stale', jobId, hop, generation, answer: claim },
        'doorbell is stale: its job has ended or moved on',
      )
    } finally {
      seat.leave()
    }
  }

  /** Later waits are not from its submission: it was called for, or was moved. */
  const noteWait = (claim: Claim): void => {
    if (claim.hop > 0 || claim.generation > 0) return
    const waitedMs = Math.max(0, now() - claim.createdAtMs)
    const { class: queueClass } = placeOf(claim)
    deps.telemetry.emit({ kind: 'job.claimed', provider: deps.provider, class: queueClass, waitedMs })
  }

  const executeClaimed = (claim: Claim, seat: Seat): Promise<Execution> =>
    inRunSpan(claim, () => runClaimed(claim, seat))

  const runClaimed = async (claim: Claim, seat: Seat): Promise<Execution> => {
    noteWait(claim)
    const interrupt = calls.enter(claim.id, claim.expiresAtMs)
    leases.hold(claim)
    const body = deps.holdBody(claim)
    let ending: Ending | null = null
    try {
      const stream = claim.stream ? openStream(claim, 1, interrupt) : null
      const run = begin(await body.read(interrupt), interrupt, stream)
      ending = await isolate(run, seat)
      if (ending === null) {
        const shared = await deps.shareCall(run)
        if (shared.kind !== 'permit') ending = shared
        else {
          try {
            ending = await callUntilDecided(run)
          } finally {
            await shared.settle(ending)
          }
        }
      }
      await write(run, ending)
      return run
    } finally {
      calls.leave(claim.id, interrupt)
      // The lease of a finished job is released once its result is in Redis.
      if (ending?.kind !== 'finished') leases.release(claim)
      body.release()
    }
  }

  const openStream = (claim: Claim, nth: number, interrupt: Interrupt): StreamWriter =>
    deps.openStream(claim, nth, () => interrupt.abort('superseded'))

  /** The next attempt has a log of its own, once that of the broken one is whole. An ending when another has the job. */
  const beginAnew = async (run: Execution, nth: number): Promise<Ending | null> => {
    if (!(await run.stream!.settled())) return { kind: 'lost' }
    run.stream = openStream(run.claim, nth, run.interrupt)
    return null
  }

  const stateOf = (run: Execution, shutUntilMs: number): RoutingState => ({
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
        deps.availableAt(t),
        deps.flexFullUntil(t, run.claim.body),
      ),
    isReturning: deps.isReturning,
    isLastResort: run.isLastResort,
    exactUntilMs: run.exactUntilMs,
  })

  const callUntilDecided = async (run: Execution): Promise<Ending> => {
    let shutUntilMs = 0
    let streams = 1
    for (;;) {
      const state = stateOf(run, shutUntilMs)
      const step = nextStep(state, run.limits, now(), random)
      const beside = await mirrored.answer(run, step)
      if (beside) return beside.kind === 'answered' ? finish.byMirror(beside) : beside
      const next = await take(step, run, state)
      if (next === 'again') continue
      if (next !== 'call') return next
      mirrored.begin(run)
      const result = await caller.call(run.claim, run.current, termsOf(run, leases), run.interrupt)
      if (result.kind === 'shut') shutUntilMs = result.untilMs
      const ending = result.kind === 'shut' ? null : learn(run, result)
      if (ending) return ending
      if (run.stream?.isCommitted) {
        streams += 1
        const lost = await beginAnew(run, streams)
        if (lost) return lost
      }
    }
  }

  /** `again`: the next step is to be decided anew. */
  const take = async (
    step: Step,
    run: Execution,
    state: RoutingState,
  ): Promise<Ending | 'call' | 'again'> => {
    switch (step.kind) {
      case 'fail':
        return finish.failed(run, step.code)
      case 'park':
        return parkOrFail(step, run, state)
      case 'retry':
        return (await retry(run, step.delayMs)) ?? 'call'
      case 'wait':
        return (await waitInSlot(run)) ?? 'again'
      case 'call': {
        const { target } = step
        if (target === run.current) return 'call'
        if (deps.mayHandOver(target.provider, run.current, hasCalled(run)))
          return { kind: 'handed_over', target }
        return (await waitInSlot(run, deps.whenRoom(target.provider))) ?? 'again'
      }
    }
  }

  /** Parks a job, or ends one whose connection would wait in vain. */
  const parkOrFail = (
    { target, untilMs }: Step & { kind: 'park' },
    run: Execution,
    state: RoutingState,
  ): Ending => {
    const result = endIfFutile(run, state, deps.obstacleOf)
    if (result) return { kind: 'finished', result, answer: null }
    return {
      kind: 'parked',
      target,
      untilMs,
      obstacle: obstacleFor(eligible(state), target, deps.obstacleOf),
    }
  }

  /** Takes a call's result into the execution; null where the job continues here. */
  const learn = (run: Execution, result: Exclude<CallResult, { kind: 'shut' }>): Ending | null => {
    if (result.kind === 'left') return { kind: 'interrupted', reason: result.reason }
    run.attempts.push(result.attempt)
    if (spends(result.attempt)) run.attemptsSpent += 1
    if (result.kind === 'interrupted') return { kind: 'interrupted', reason: result.reason }
    if (endsStream(run, result.verdict)) return finish.byStream(run, result)
    if (result.native || isSpoiled(result.verdict)) run.lastResponse = result.response
    return finishes(result, run) ? finish.byCall(run, result) : null
  }

  const write = async (run: Execution, ending: Ending): Promise<void> => {
    switch (ending.kind) {
      case 'finished':
        noteAttributes({ [attribute.jobStatus]: ending.result.status })
        mirrored.note(run)
        return finish.finalise(run, await withStream(run, ending.result))
      case 'handed_over':
        return handOver(run, ending)
      case 'parked':
        return park(run, ending)
      case 'interrupted':
        if (ending.reason === 'shutdown' && isBoundToReaders(run))
          return write(run, finish.failed(run, 'stream_broken'))
        return interrupt(run, ending.reason)
      case 'lost':
        return disown(run)
      case 'written':
        return
    }
  }

  return {
    answer,
    run: executeClaimed,
    handBack: claim => interrupt(begin(claim, new Interrupt()), 'shutdown'),
  }
}

const hasCalled = ({ attempts, claim }: Execution): boolean => attempts.some(({ hop }) => hop === claim.hop)

const isSpoiled = ({ kind }: Verdict): boolean => kind === 'malformed' || kind === 'untranslatable'

const termsOf = (run: Execution, leases: Pick<Leases, 'isOurs'>): CallTerms => ({
  patienceMs: maxWaitMs(run),
  adjustments: run.adjusted.get(run.current) ?? [],
  home: run.claim.home,
  stream: run.stream,
  isOurs: () => leases.isOurs(run.claim),
})
