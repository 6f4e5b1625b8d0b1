import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { Job, type JobState, type Queue } from 'bullmq'
import type { JobRow, OperatorJobView } from '../src/api/operator/job-view.ts'
import { renderSentence } from '../src/cli/explain-text.ts'
import type { JobStatus } from '../src/domain/job.ts'
import { parseDoorbell } from '../src/jobs/doorbell.ts'
import type { Doorbells } from '../src/queue/doorbells.ts'
import type { Entry } from '../src/queue/ready-list.ts'
import { isJobId, timeOf } from '../src/redis/keys.ts'
import { renderTime } from '../src/terminal/format.ts'
import type { BoardReads } from './bull-board-reads.ts'

type BoardStatus = Parameters<BullMQAdapter['getJobs']>[0][number]

/** BullMQ's word for each state of a job. */
const stateOf = {
  ...{ queued: 'waiting', running: 'active', parked: 'delayed', succeeded: 'completed' },
  ...{ failed: 'failed', cancelled: 'failed', expired: 'failed' },
} as const satisfies Record<JobStatus, BoardStatus>
const jobStatuses = Object.keys(stateOf) as JobStatus[]
const boardStatuses: readonly BoardStatus[] = ['active', 'waiting', 'delayed', 'completed', 'failed']

export interface BoardQueue {
  readonly bull: Queue
  /** `provider.<name>` or `webhooks`. */
  readonly name: string
  readonly doorbells: Doorbells
  /** Without it a board shows only what waits. */
  readonly reads?: BoardReads | undefined
}

/**
 * Shows a queue of Baton's on a bull-board. BullMQ's own lists are empty, as jobs are records of Baton's and what waits stands in
 * a ready list: so counts, jobs and their logs are asked of Baton. Read-only, since the board's buttons act on BullMQ's lists.
 */
export class BatonQueueAdapter extends BullMQAdapter {
  readonly #queue: BoardQueue
  /** Null for a queue that is of no provider. */
  readonly #provider: string | null

  constructor(queue: BoardQueue) {
    super(queue.bull, { readOnlyMode: true, displayName: queue.name, description: descriptionOf(queue) })
    this.#queue = queue
    this.#provider = /^provider\.(.+)$/.exec(queue.name)?.[1] ?? null
  }

  override getStatuses() {
    return this.#isShown() ? (['latest', ...boardStatuses] as const).slice() : super.getStatuses()
  }

  override getJobStatuses() {
    return this.#isShown() ? [...boardStatuses] : super.getJobStatuses()
  }

  override async getJobCounts() {
    const waiting = await this.#queue.doorbells.waiting(this.#queue.name)
    const { reads } = this.#queue
    if (this.#provider === null || !reads) return { ...(await super.getJobCounts()), waiting }
    const [view, { ended, failed }] = await Promise.all([
      reads.provider(this.#provider),
      reads.ended(this.#provider),
    ])
    const { active = 0, parked: delayed = 0 } = view?.queue ?? {}
    return { waiting, active, delayed, completed: ended - failed, failed }
  }

  override async getJobs(statuses: BoardStatus[], start = 0, end = 9): Promise<Job[]> {
    const { reads, doorbells, name } = this.#queue
    if (statuses.length === 1 && statuses[0] === 'waiting') {
      return (await doorbells.page(name, start, end - start + 1)).map(entry => this.#waiting(entry))
    }
    if (this.#provider === null || !reads) return super.getJobs(statuses, start, end)
    const wanted = jobStatuses.filter(status => statuses.includes(stateOf[status]))
    if (wanted.length === 0) return []
    return (await reads.jobs(this.#provider, wanted, start, end)).map(row => this.#listed(row))
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await this.#read(id)
    return job ? this.#whole(job) : undefined
  }

  /** What `baton explain` says of it. */
  override async getJobLogs(id: string): Promise<string[]> {
    const job = await this.#read(id)
    if (!job) return []
    const { steps, waits } = job.explained
    const lines = steps.map(({ at, parts }) => `${renderTime(at)}  ${renderSentence(parts)}`)
    return waits ? [...lines, renderSentence(waits)] : lines
  }

  override async isPaused(): Promise<boolean> {
    const view = this.#provider === null ? null : await this.#queue.reads?.provider(this.#provider)
    return view?.paused ? true : super.isPaused()
  }

  #isShown(): boolean {
    return this.#queue?.reads !== undefined && this.#provider !== null
  }

  /** What waits goes by its doorbell, which begins with the job's id. */
  async #read(id: string): Promise<OperatorJobView | null> {
    return (await this.#queue.reads?.job(parseDoorbell(id).jobId)) ?? null
  }

  #waiting({ doorbell, place }: Entry): Job {
    const { jobId } = parseDoorbell(doorbell)
    const createdMs = isJobId(jobId) ? timeOf(jobId) : Date.now()
    return new BoardJob(this.#queue.bull, doorbell, {
      name: place.class,
      data: place,
      state: 'waiting',
      createdMs,
    })
  }

  #listed({ id, status, route, target, tenant, batch_id, attempts, error_code, ...row }: JobRow): Job {
    return new BoardJob(this.#queue.bull, id, {
      ...{ name: route, data: { target, tenant, batch_id, status }, state: stateOf[status], attempts },
      ...{ createdMs: row.created_at * 1_000, finishedMs: msOf(row.finished_at), failure: error_code },
    })
  }

  #whole(job: OperatorJobView): Job {
    const { id, status, model, attempts, moves = [], explained: _, error, metadata, ...rest } = job
    return new BoardJob(this.#queue.bull, id, {
      ...{ name: model, state: stateOf[status], attempts: attempts.length },
      data: { ...rest, status, metadata, attempts, moves },
      ...{
        createdMs: job.created_at * 1_000,
        startedMs: msOf(job.started_at),
        finishedMs: msOf(job.finished_at),
      },
      failure: error && `${error.code}: ${error.message}`,
    })
  }
}

const msOf = (seconds: number | null): number | undefined => (seconds === null ? undefined : seconds * 1_000)

const descriptionOf = ({ reads }: BoardQueue): string =>
  reads
    ? 'Completed and failed: those of the last 24 hours.'
    : 'What waits; the rest is known to the API of Baton.'

interface Shown {
  readonly name: string
  readonly data: object
  readonly state: JobState
  readonly createdMs: number
  readonly startedMs?: number | undefined
  readonly finishedMs?: number | undefined
  readonly attempts?: number
  readonly failure?: string | null
}

/** A job as the board takes it, that stands in no list of BullMQ's. */
class BoardJob extends Job {
  readonly #state: JobState

  constructor(queue: Queue, id: string, { name, data, state, createdMs, ...shown }: Shown) {
    super(queue, name, data, { timestamp: createdMs }, id)
    this.#state = state
    this.attemptsMade = shown.attempts ?? 0
    if (shown.startedMs !== undefined) this.processedOn = shown.startedMs
    if (shown.finishedMs !== undefined) this.finishedOn = shown.finishedMs
    if (shown.failure) this.failedReason = shown.failure
  }

  override getState() {
    return Promise.resolve(this.#state)
  }
}
