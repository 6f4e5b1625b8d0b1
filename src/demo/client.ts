import { setTimeout as delay } from 'node:timers/promises'
import type { JobView } from '../store/job-view.ts'
import { route } from './cast.ts'

/** A client of the API that knows nothing but its address. */
export interface Client {
  /** Resolves when the API says that it can take jobs. */
  ready(): Promise<void>
  /** Submits job number `index` and answers its id. */
  submit(index: number): Promise<string>
  read(id: string): Promise<JobView>
  /** Every job there is, newest first, without responses. */
  list(): Promise<readonly JobView[]>
}

/** The simulated models say it back, so that every answer can be told to be that of its own question. */
export const questionOf = (index: number): string => `question ${index} of the demo`

const listLimit = 100

export const createClient = (apiUrl: string, webhookUrl: string, signal: AbortSignal): Client => {
  const request = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(`${apiUrl}${path}`, { ...init, signal })
    const body = await answer.json()
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path} was answered ${answer.status}`)
    return body
  }

  return {
    ready: async () => {
      while (!(await fetch(`${apiUrl}/readyz`, { signal })).ok) await delay(20, undefined, { signal })
    },
    submit: async index => {
      const job = {
        body: { model: route, messages: [{ role: 'user', content: questionOf(index) }] },
        webhook: { url: webhookUrl },
      }
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `demo-${index}` },
        body: JSON.stringify(job),
      }
      return ((await request('/v1/jobs', init)) as JobView).id
    },
    read: async id => (await request(`/v1/jobs/${id}`)) as JobView,
    list: async () => {
      const jobs: JobView[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const place: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
        const page = (await request(`/v1/jobs?limit=${listLimit}${place}`)) as {
          data: JobView[]
          next_cursor: string | null
        }
        jobs.push(...page.data)
        cursor = page.next_cursor
      }
      return jobs
    },
  }
}

/** Jobs a second: more than the primary's limit, and than the backup takes alone. */
const submitsPerSecond = 50

/** Submits `count` jobs at an even pace, whatever the answers take; answers their ids in order. */
export const submitAll = async (
  client: Client,
  count: number,
  onSubmitted: (submitted: number) => void,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const startedAt = performance.now()
  let submitted = 0
  const submitOne = async (index: number): Promise<string> => {
    const id = await client.submit(index)
    submitted += 1
    onSubmitted(submitted)
    return id
  }
  const pending: Promise<string>[] = []
  for (let index = 0; index < count; index += 1) {
    const dueMs = startedAt + (index * 1_000) / submitsPerSecond - performance.now()
    if (dueMs > 0) await delay(dueMs, undefined, { signal })
    const submission = submitOne(index)
    submission.catch(() => undefined) // told by Promise.all, which begins to listen only later
    pending.push(submission)
  }
  return Promise.all(pending)
}
