import type { JobRow, OperatorJobView } from '../src/api/operator/job-view.ts'
import type { ProviderView } from '../src/api/operator/provider-view.ts'
import type { UsageView } from '../src/api/operator/usage-view.ts'
import type { JobStatus } from '../src/domain/job.ts'

/** What a board asks Baton's API. Each rejects while the API does not answer, or does not take the key. */
export interface BoardReads {
  provider(name: string): Promise<ProviderView | null>
  /** Jobs that ended in the last 24 hours, those that failed among them; by who answered, or was asked last. */
  ended(provider: string): Promise<{ readonly ended: number; readonly failed: number }>
  /** Of all tenants, newest first, from the `start`th on; nothing beyond `deepest`. */
  jobs(provider: string, statuses: readonly JobStatus[], start: number, end: number): Promise<JobRow[]>
  /** Null for a job that is unknown, or past its retention. */
  job(id: string): Promise<OperatorJobView | null>
}

/** The list has no way to jump in: a board that leafs further asks for all the pages before. */
const deepest = 1_000
const pageSize = 100
/** A board asks for all of its queues at once, every few seconds. */
const sharedMs = 1_000
const daySeconds = 86_400

/** `key` is that of an operator; none where the API has no keys. */
export const createBoardReads = (apiUrl: string, key?: string): BoardReads => {
  const get = async <T>(path: string): Promise<T | null> => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const answer = await fetch(new URL(path, apiUrl), { headers })
    if (answer.status === 404) return null
    if (!answer.ok) throw new Error(`Baton's API answered ${answer.status} to GET ${path.split('?')[0]}`)
    return (await answer.json()) as T
  }
  const providers = shared(() => get<{ readonly data: readonly ProviderView[] }>('/v1/providers'))
  const usage = shared(() => {
    const from = Math.floor(Date.now() / 1_000) - daySeconds
    return get<UsageView>(`/v1/usage?group_by=provider&from=${from}`)
  })

  return {
    provider: async name => (await providers())?.data.find(each => each.name === name) ?? null,
    ended: async provider => {
      const rows = (await usage())?.data.filter(({ group }) => group === provider) ?? []
      const sum = (of: 'requests' | 'failed') => rows.reduce((all, row) => all + row[of], 0)
      return { ended: sum('requests'), failed: sum('failed') }
    },
    jobs: async (provider, statuses, start, end) => {
      const until = Math.min(end + 1, deepest)
      const found: JobRow[] = []
      let cursor: string | null = ''
      while (found.length < until && cursor !== null) {
        const query = new URLSearchParams({
          ...{ view: 'row', tenant: '*', provider, status: statuses.join() },
          limit: String(Math.min(pageSize, until - found.length)),
          ...(cursor !== '' && { cursor }),
        })
        const page: JobPage | null = await get<JobPage>(`/v1/jobs?${query}`)
        found.push(...(page?.data ?? []))
        cursor = page?.next_cursor ?? null
      }
      return found.slice(start, until)
    },
    job: id => get<OperatorJobView>(`/v1/jobs/${encodeURIComponent(id)}?view=operator`),
  }
}

interface JobPage {
  readonly data: readonly JobRow[]
  readonly next_cursor: string | null
}

const shared = <T>(read: () => Promise<T>): (() => Promise<T>) => {
  let last: Promise<T> | null = null
  let atMs = Number.NEGATIVE_INFINITY
  return () => {
    if (last === null || performance.now() - atMs > sharedMs) {
      atMs = performance.now()
      last = read()
    }
    return last
  }
}
