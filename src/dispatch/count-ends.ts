import type { JobStatus } from '../domain/job.ts'
import type { EndCounts } from '../health/heartbeats.ts'
import type { JobStore } from '../jobs/store.ts'

/** Jobs that end without an answer, by whoever ends them: the API, a sweeper, a worker at a deadline, the runner of a batch. */
export interface EndCounter {
  of(store: JobStore): JobStore
  read(): EndCounts
}

/** What a job was that the script ended; any other answer means that it did nothing. */
const live: ReadonlySet<string> = new Set<JobStatus>(['queued', 'running', 'parked'])

/** For all stores of one process. An end whose reply is lost is not counted: asked again, the job has ended already. */
export const createEndCounter = (): EndCounter => {
  const counts = { cancelled: 0, expired: 0 }
  return {
    of: store => ({
      ...store,
      cancel: async id => {
        const was = await store.cancel(id)
        if (live.has(was)) counts.cancelled += 1
        return was
      },
      expire: async (id, deferRunningUntilMs) => {
        const was = await store.expire(id, deferRunningUntilMs)
        if (live.has(was)) counts.expired += 1
        return was
      },
    }),
    read: () => ({ ...counts }),
  }
}
