import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Api, bodyOf } from '../../harness/api.ts'
import { hasEnded } from '../../src/batches/record.ts'
import type { BatchView } from '../../src/batches/view.ts'
import { isTerminal } from '../../src/domain/job.ts'
import type { JobView } from '../../src/jobs/view.ts'
import type { Random } from '../random.ts'
import type { BatchEntry, JobEntry, Ledger } from './ledger.ts'

/** What must be the same for ever, from the first time it was seen. */
export interface Sighting {
  readonly id: string
  /** A fingerprint of a job's whole result, or of a batch's counts and the output that could be read then. */
  readonly fingerprint: string
  /** Bytes of the output that the fingerprint is of; null for what is no output. */
  readonly bytes: number | null
  readonly atMs: number
}

export interface Watch {
  /** First sights of final results, and of outputs on the way. */
  readonly sightings: readonly Sighting[]
  /** Jobs and lines that are known to have ended, for progress. */
  readonly jobsEnded: number
  readonly linesEnded: number
  /** When the lines of batches that can be read were seen to be more. */
  readonly linesAtMs: readonly number[]
  /** Whether all that was accepted was seen to have ended. */
  sawAllEnd(): boolean
  /** How an accepted job ended; undefined when it was not seen to. */
  statusOf(jobId: string): string | undefined
  /** From when a batch was accepted until it was seen to have ended. */
  batchesOpen(): { fromMs: number; untilMs: number }[]
  /** Looks at everything again and again, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
}

const roundMs = 300
/** So many at once that the load stays small beside the one that is tested. */
const jobsARound = 15
/** Final jobs that are looked at once more: what had changed could change back until the end. */
const finalsARound = 3
/** Batches are looked at every second round, and what is in their outputs every eighth: that is long. */
const looksApart = 2
const outputLooksApart = 8

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

/**
 * All of a job that its end fixes. How its webhook fares goes on to change, and so does the bill: a worker
 * that lost its job, or whose job ended meanwhile, reports its call afterwards.
 */
export const jobFingerprint = (job: JobView): string => {
  const { webhook: _, attempts: __, cost_usd: ___, started_at: ____, ...rest } = job
  return digest(JSON.stringify(rest))
}

export const batchFingerprint = (batch: BatchView): string => {
  const { webhook: _, ...rest } = batch
  return digest(JSON.stringify(rest))
}

export const createWatch = (api: Api, ledger: Ledger, random: Random): Watch => {
  const sightings: Sighting[] = []
  const linesAtMs: number[] = []
  const finalJobs = new Set<JobEntry>()
  const statuses = new Map<string, string>()
  const finalBatches = new Map<BatchEntry, number>()
  const linesOf = new Map<string, number>()
  let turn = 0

  const lookAtJob = async (entry: JobEntry): Promise<void> => {
    const answer = await api.try(`/v1/jobs/${entry.id}`)
    if (answer?.status !== 200) return
    const job = bodyOf<JobView>(answer)
    if (!isTerminal(job.status)) return
    finalJobs.add(entry)
    statuses.set(job.id, job.status)
    sightings.push({ id: job.id, fingerprint: jobFingerprint(job), bytes: null, atMs: Date.now() })
  }

  const lookAtBatch = async (entry: BatchEntry): Promise<void> => {
    const answer = await api.try(`/v1/batches/${entry.id}`)
    if (answer?.status !== 200) return
    const batch = bodyOf<BatchView>(answer)
    const { completed, failed } = batch.request_counts
    if (completed + failed > (linesOf.get(batch.id) ?? 0)) linesAtMs.push(Date.now())
    linesOf.set(batch.id, completed + failed)
    if (hasEnded(batch.status)) {
      finalBatches.set(entry, Date.now())
      sightings.push({ id: batch.id, fingerprint: batchFingerprint(batch), bytes: null, atMs: Date.now() })
    } else if (turn % outputLooksApart === 0) await lookAtOutput(batch.id)
  }

  /** What can be read of an output while it grows must be how it begins in the end. */
  const lookAtOutput = async (id: string): Promise<void> => {
    const answer = await api.try(`/v1/batches/${id}/content`)
    if (answer?.status !== 200 || answer.text === '') return
    sightings.push({
      id,
      fingerprint: digest(answer.text),
      bytes: Buffer.byteLength(answer.text),
      atMs: Date.now(),
    })
  }

  const round = async (): Promise<void> => {
    const open = ledger.jobs.filter(entry => entry.id !== null && !finalJobs.has(entry))
    const at = open.length === 0 ? 0 : (turn * jobsARound) % open.length
    turn++
    const again = [...finalJobs]
    const finals = Array.from({ length: Math.min(finalsARound, again.length) }, () => random.pick(again))
    const batches = ledger.batches.filter(entry => entry.id !== null && !finalBatches.has(entry))
    await Promise.all([
      ...[...open.slice(at, at + jobsARound), ...finals].map(lookAtJob),
      ...(turn % looksApart === 0 ? batches.map(lookAtBatch) : []),
    ])
  }

  return {
    sightings,
    linesAtMs,
    get jobsEnded() {
      return finalJobs.size
    },
    get linesEnded() {
      return [...linesOf.values()].reduce((sum, lines) => sum + lines, 0)
    },
    sawAllEnd: () =>
      ledger.jobs.every(entry => entry.id === null || finalJobs.has(entry)) &&
      ledger.batches.every(entry => entry.id === null || finalBatches.has(entry)),
    batchesOpen: () =>
      [...finalBatches].map(([{ acceptedAtMs }, untilMs]) => ({ fromMs: acceptedAtMs!, untilMs })),
    statusOf: jobId => statuses.get(jobId),
    run: async signal => {
      while (!signal.aborted) {
        await round().catch(error => {
          if (!signal.aborted) throw error
        })
        await delay(roundMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}
