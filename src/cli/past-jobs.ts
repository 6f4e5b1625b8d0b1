import type { PastJob } from '../domain/planning/past-durations.ts'
import type { JobView } from '../jobs/view.ts'
import type { ApiClient } from './api-client.ts'

export interface PastJobs {
  readonly jobs: readonly PastJob[]
  /** Whether there are more than were read. */
  readonly cut: boolean
}

interface Page {
  readonly data: readonly JobView[]
  readonly next_cursor: string | null
}

const pageSize = 100
/** Two hundred requests; more would say little else. */
const maxJobs = 20_000

/** The jobs that were made in the time before now, newest first, as the API lists them. */
export const readPastJobs = async (api: ApiClient, lastMs: number): Promise<PastJobs> => {
  const jobs: PastJob[] = []
  let cursor: string | null = null
  let sinceMs: number | undefined
  do {
    const at: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = (await api.ask('GET', `/v1/jobs?limit=${pageSize}${at}`)) as Page
    sinceMs ??= api.nowMs() - lastMs
    const fromMs = sinceMs
    const recent = page.data.filter(job => job.created_at * 1_000 >= fromMs)
    // Jobs that the cache answered called no provider, and would call none.
    jobs.push(...recent.filter(job => job.cache === undefined).map(pastJobOf))
    cursor = recent.length === page.data.length ? page.next_cursor : null
  } while (cursor !== null && jobs.length < maxJobs)
  return { jobs, cut: cursor !== null }
}

const pastJobOf = ({ id, model, endpoint, created_at, attempts, usage }: JobView): PastJob => {
  const answer = attempts.findLast(({ verdict }) => verdict === 'ok' || verdict === 'refused')
  return {
    id,
    model,
    endpoint,
    createdAtMs: created_at * 1_000,
    answer: answer
      ? { provider: answer.provider, model: answer.model, durationMs: answer.duration_ms ?? 0, usage }
      : null,
  }
}
