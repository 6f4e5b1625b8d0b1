import type { Attempt, Usage } from '../domain/job.ts'
import { isTerminal } from '../domain/job.ts'
import type { Step } from '../domain/routing/next-step.ts'
import type { JobResult, JobStore } from '../jobs/types.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import { mirrorIdOf } from '../redis/keys.ts'
import type { Ending, Execution } from './execution.ts'
import type { Transitions } from './transitions.ts'

export interface MirrorAnswer {
  readonly kind: 'answered'
  readonly response: NonNullable<JobResult['response']>
  readonly usage: Usage | null
}

export interface MirrorFallback {
  /** Call it before a job's first call: asks the mirror beside it, where the route says so. Never waits. */
  begin(run: Execution): void
  /**
   * What the mirror answered, with its calls in the job's log: before another try where the job stands if it
   * is there, and before the job leaves or ends after a wait for as long as the mirror is called. An ending
   * when the job was interrupted meanwhile.
   */
  answer(run: Execution, step: Step): Promise<MirrorAnswer | Ending | null>
  /** The job ends or continues without the mirror's answer: its log records that the mirror was asked. */
  note(run: Execution): void
}

export interface MirrorFallbackDeps {
  readonly mirrors: Mirrors
  readonly store: Pick<JobStore, 'read'>
  readonly waitInSlot: Transitions['waitInSlot']
  readonly now: () => number
}

/** Behind others in its queue, a mirror is no faster than the next target. */
const queuedPatienceMs = 2_000

/**
 * Uses the answer of a parallel mirror as the fallback of the job. The sample has the job's id with another
 * prefix, so a worker that takes the job over finds the same sample and does not ask twice. The sample is a
 * job with a record of its own, so its answer can be read by any worker.
 */
export const createMirrorFallback = ({
  mirrors,
  store,
  waitInSlot,
  now,
}: MirrorFallbackDeps): MirrorFallback => {
  const read = (run: Execution) => store.read(mirrorIdOf(run.claim.id))

  /** Before the call that the job makes itself, which stays the last. */
  const log = (run: Execution, attempts: readonly Attempt[]): void => {
    const own = run.attempts.length > run.recorded ? run.attempts.length - 1 : run.attempts.length
    run.attempts.splice(
      own,
      0,
      ...attempts.map(attempt => ({ ...attempt, hop: run.claim.hop, mirror: true as const })),
    )
    run.beside = null
  }

  const note = (run: Execution): void => {
    const to = mirrors.targetOf(run.claim.model)
    if (!run.beside || run.beside.isAsked === false || to === undefined) return
    const { provider, model } = to
    log(run, [
      {
        ...{ hop: run.claim.hop, provider, model, started_at: run.beside.startedAtMs / 1_000 },
        ...{ duration_ms: null, status_code: null, verdict: null, reason: 'mirror', possibly_billed: true },
      },
    ])
  }

  /** `pending` while it has no end. */
  const look = async (
    run: Execution,
    notesFailures: boolean,
  ): Promise<MirrorAnswer | null | 'queued' | 'running'> => {
    const sample = await read(run)
    // There is no such sample: it is just being made, or was dropped because the mirror was full.
    if (sample === null) return run.beside?.isAsked === null ? 'queued' : null
    if (!isTerminal(sample.status)) return sample.status === 'running' ? 'running' : 'queued'
    const isGood = sample.status === 'succeeded' && !sample.refused && sample.response !== null
    if (isGood || notesFailures) log(run, sample.attempts)
    return isGood ? { kind: 'answered', response: sample.response!, usage: sample.usage } : null
  }

  const answered = async (run: Execution): Promise<MirrorAnswer | null> => {
    const seen = await look(run, false)
    return typeof seen === 'string' ? null : seen
  }

  const awaited = async (run: Execution): Promise<MirrorAnswer | Ending | null> => {
    const sinceMs = now()
    while (run.beside) {
      const seen = await look(run, true)
      if (typeof seen !== 'string') return seen
      if (seen === 'queued' && now() - sinceMs > queuedPatienceMs) break
      const ending = await waitInSlot(run)
      if (ending) return ending
    }
    note(run)
    return null
  }

  return {
    note,
    begin: run => {
      if (run.beside !== undefined) return
      // One that the log has was asked before the job was parked.
      const mayAsk = run.claim.hop === 0 && !run.claim.attempts.some(({ mirror }) => mirror)
      const asked = mayAsk ? mirrors.begin(run.claim) : null
      run.beside = asked && { startedAtMs: now(), isAsked: null }
      const { beside } = run
      void asked?.then(isAsked => {
        beside!.isAsked = isAsked
      })
    },
    answer: async (run, step) => {
      if (!run.beside || step.kind === 'wait') return null
      if (step.kind === 'retry') return answered(run)
      return step.kind === 'call' && step.target === run.current ? null : awaited(run)
    },
  }
}
