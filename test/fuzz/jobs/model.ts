import type { JobErrorCode, JobStatus, TerminalStatus } from '../../../src/domain/job.ts'

/**
 * What must hold of a job, told a second time and in a few lines: the store's scripts are held against it, reply by reply
 * and record by record.
 */
export interface ModelJob {
  readonly id: string
  readonly expiresAtMs: number
  /** Its request has a key of its own. */
  readonly isLong: boolean
  readonly hasWebhook: boolean
  /** Its deadline is near enough to stand in the schedule from the beginning. */
  readonly hasTimer: boolean
  state: JobStatus
  hop: number
  generation: number
  provider: string
  /** Who runs it, until when that counts, and when its present call begins. */
  holder: string | null
  leaseUntilMs: number
  calledAtMs: number
  resumesAtMs: number
  /** Calls against the budget, and calls in the log. */
  spent: number
  calls: number
  /** Runs whose calls an entry of the log stands for. */
  readonly standIns: Set<string>
  end: { readonly atMs: number; readonly body: string | null; readonly code: JobErrorCode | null } | null
  delivery: {
    status: 'pending' | 'delivered' | 'dead'
    attempts: number
    before: number
    /** When the dead letter was last taken back. */
    againAtMs?: number
  } | null
  /** A fault took from it what would wake it, and only the reconciler can put that back. */
  isAdrift: boolean
}

export type Model = ReturnType<typeof createModel>

export const isOver = ({ end }: ModelJob): boolean => end !== null

const leaseMs = 15_000

export const createModel = (now: () => number) => {
  const jobs = new Map<string, ModelJob>()
  const keys = new Map<string, { readonly id: string; readonly fingerprint: string }>()

  const finish = (
    job: ModelJob,
    status: TerminalStatus,
    body: string | null,
    code: JobErrorCode | null,
    calls: number,
  ): void => {
    job.state = status
    job.holder = null
    job.isAdrift = false
    job.calls += calls
    job.end = { atMs: now(), body, code }
    if (job.hasWebhook) job.delivery = { status: 'pending', attempts: 0, before: 0 }
  }

  /** The log has one entry for all that the holder has called. */
  const standIn = (job: ModelJob): void => {
    job.standIns.add(job.holder!)
    job.calls += 1
  }

  const account = (job: ModelJob, token: string, calls: number): boolean => {
    if (!job.standIns.delete(token)) return false
    job.calls += calls - 1
    return true
  }

  const isHeldBy = (job: ModelJob, token: string): boolean => job.state === 'running' && job.holder === token

  return {
    leaseMs,
    jobs,
    all: (): readonly ModelJob[] => [...jobs.values()],

    create: (
      job: Pick<ModelJob, 'id' | 'expiresAtMs' | 'isLong' | 'hasWebhook' | 'hasTimer' | 'provider'>,
      key: { readonly keyHash: string; readonly fingerprint: string } | null,
      token: string,
    ) => {
      const standing = jobs.get(job.id)
      const kind = token !== '' && (!standing || isHeldBy(standing, token)) ? 'claimed' : 'created'
      const first = key && keys.get(key.keyHash)
      if (key && first) {
        if (first.fingerprint !== key.fingerprint) return { kind: 'conflict' }
        return first.id === job.id ? { kind } : { kind: 'replayed', id: first.id }
      }
      if (key) keys.set(key.keyHash, { id: job.id, fingerprint: key.fingerprint })
      if (standing) return { kind }
      const isClaimed = token !== ''
      jobs.set(job.id, {
        ...job,
        state: isClaimed ? 'running' : 'queued',
        hop: 0,
        generation: 0,
        holder: isClaimed ? token : null,
        leaseUntilMs: isClaimed ? now() + leaseMs : 0,
        calledAtMs: isClaimed ? now() : 0,
        resumesAtMs: 0,
        spent: 0,
        calls: 0,
        standIns: new Set(),
        end: null,
        delivery: null,
        isAdrift: false,
      })
      return { kind }
    },

    /** Why a doorbell leads nowhere, or what its worker is told. */
    claim: (job: ModelJob, hop: number, generation: number, token: string) => {
      if (isOver(job)) return job.state
      if (job.hop !== hop || job.generation !== generation) return 'stale'
      if (job.state === 'running' && job.holder !== token) return 'busy'
      job.state = 'running'
      job.holder = token
      job.calledAtMs = now()
      job.leaseUntilMs = now() + leaseMs
      job.isAdrift = false
      return { hop, generation, spent: job.spent, calls: job.calls, provider: job.provider }
    },

    account,

    renew: (job: ModelJob, token: string): boolean => {
      if (!isHeldBy(job, token)) return false
      job.leaseUntilMs = now() + leaseMs
      return true
    },

    move: (
      job: ModelJob,
      token: string,
      to: Pick<ModelJob, 'hop' | 'generation' | 'provider' | 'spent'>,
      calls: number,
      resumesAtMs: number | null,
    ): boolean => {
      if (!isHeldBy(job, token)) return false
      Object.assign(job, to)
      job.state = resumesAtMs === null ? 'queued' : 'parked'
      job.resumesAtMs = resumesAtMs ?? 0
      job.holder = null
      job.calls += calls
      return true
    },

    retry: (job: ModelJob, token: string, spent: number, nextCallAtMs: number): boolean => {
      if (!isHeldBy(job, token)) return false
      // Sent again after its reply was lost.
      if (job.calledAtMs === nextCallAtMs) return true
      job.spent = spent
      job.calls += 1
      job.calledAtMs = nextCallAtMs
      return true
    },

    /** A good answer counts whoever brings it; a failure only from who runs the job. */
    finalise: (
      job: ModelJob,
      token: string,
      end: { status: 'succeeded' | 'failed'; body: string | null; code: JobErrorCode | null; calls: number },
    ): boolean => {
      if (isOver(job) || (end.status === 'failed' && !isHeldBy(job, token))) return false
      if (!isHeldBy(job, token)) {
        if (job.state === 'running' && job.calledAtMs <= now()) standIn(job)
        account(job, token, 0)
      }
      finish(job, end.status, end.body, end.code, end.calls)
      return true
    },

    endWithoutAnswer: (job: ModelJob, status: 'cancelled' | 'expired', deferUntilMs: number): string => {
      const was = job.state
      if (isOver(job)) return was
      if (was === 'running' && now() < deferUntilMs) return 'deferred'
      if (was === 'running' && job.calledAtMs <= now()) standIn(job)
      finish(job, status, null, status, 0)
      return was
    },

    recover: (job: ModelJob, hop: number, generation: number): boolean => {
      if (isOver(job) || job.hop !== hop || job.generation !== generation) return false
      if (job.state === 'running') {
        if (job.leaseUntilMs > now()) return false
        job.state = 'queued'
        job.generation += 1
        standIn(job)
        job.holder = null
      }
      job.isAdrift = false
      return true
    },

    recordDelivery: (
      job: ModelJob,
      attemptsBefore: number,
      status: 'pending' | 'delivered' | 'dead',
    ): boolean => {
      const { delivery } = job
      if (delivery?.status !== 'pending' || delivery.attempts !== attemptsBefore) return false
      job.delivery = { ...delivery, status, attempts: attemptsBefore + 1 }
      job.isAdrift = false
      return true
    },

    redeliver: (job: ModelJob): boolean => {
      const { delivery } = job
      if (delivery?.status !== 'dead') return delivery?.againAtMs === now()
      job.delivery = { ...delivery, status: 'pending', before: delivery.attempts, againAtMs: now() }
      return true
    },
  }
}
