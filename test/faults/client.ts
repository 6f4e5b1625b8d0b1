import { Agent, fetch } from 'undici'
import { until } from '../../harness/until.ts'
import { isTerminal } from '../../src/domain/job.ts'
import type { JobView } from '../../src/jobs/view.ts'

export interface Order {
  readonly model: string
  /** Told to the simulated provider, which counts the calls made for it. */
  readonly user: string
  readonly webhook?: { readonly url: string }
  readonly key?: string
}

/** A client of the native API that expects the API to die at any moment. */
export interface Client {
  /** The job's id when it was accepted; null when there was no such answer. */
  submit(order: Order): Promise<string | null>
  read(id: string): Promise<JobView>
  cancel(id: string): Promise<{ readonly status: number; readonly body: JobView }>
  reached(id: string, status: string): Promise<JobView>
  ended(id: string, timeoutMs?: number): Promise<JobView>
  all(): Promise<readonly JobView[]>
  close(): Promise<void>
}

interface JobPage {
  readonly data: readonly JobView[]
  readonly next_cursor: string | null
}

/** `urlOf` is asked anew for every request: a restarted API listens elsewhere. */
export const createClient = (urlOf: () => string): Client => {
  const dispatcher = new Agent({ connections: 32 })
  const ask = (path: string, init: Parameters<typeof fetch>[1] = {}) =>
    fetch(urlOf() + path, { dispatcher, ...init })
  const read = async (id: string) => (await (await ask(`/v1/jobs/${id}`)).json()) as JobView

  const page = async (cursor: string) => (await (await ask(`/v1/jobs?limit=100${cursor}`)).json()) as JobPage

  return {
    submit: async ({ model, user, webhook, key }) => {
      const body = { model, user, messages: [{ role: 'user', content: 'hello' }] }
      const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) }
      try {
        const answer = await ask('/v1/jobs', {
          method: 'POST',
          headers,
          body: JSON.stringify({ body, ...(webhook && { webhook }) }),
        })
        const job = (await answer.json()) as JobView
        return answer.status === 202 ? job.id : null
      } catch {
        return null
      }
    },
    read,
    cancel: async id => {
      const answer = await ask(`/v1/jobs/${id}/cancel`, { method: 'POST' })
      return { status: answer.status, body: (await answer.json()) as JobView }
    },
    reached: (id, status) =>
      until(async () => {
        const job = await read(id)
        return job.status === status ? job : null
      }),
    ended: (id, timeoutMs) =>
      until(async () => {
        const job = await read(id)
        return isTerminal(job.status) ? job : null
      }, timeoutMs),
    all: async () => {
      const jobs: JobView[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { data, next_cursor }: JobPage = await page(cursor)
        jobs.push(...data)
        cursor = next_cursor && `&cursor=${next_cursor}`
      }
      return jobs
    },
    close: () => dispatcher.close(),
  }
}
