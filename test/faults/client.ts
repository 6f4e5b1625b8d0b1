import { type Answer, createApi } from '../../harness/api.ts'
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
  const api = createApi(urlOf, { connections: 32, timeoutMs: 300_000 })
  const parsed = <T>({ text }: Answer): T => JSON.parse(text) as T
  const read = async (id: string): Promise<JobView> => parsed(await api.send(`/v1/jobs/${id}`))

  return {
    submit: async ({ model, user, webhook, key }) => {
      const body = { model, user, messages: [{ role: 'user', content: 'hello' }] }
      const answer = await api.try('/v1/jobs', {
        method: 'POST',
        headers: key ? { 'idempotency-key': key } : {},
        body: { body, ...(webhook && { webhook }) },
      })
      return answer?.status === 202 ? parsed<JobView>(answer).id : null
    },
    read,
    cancel: async id => {
      const answer = await api.send(`/v1/jobs/${id}/cancel`, { method: 'POST' })
      return { status: answer.status, body: parsed(answer) }
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
        const { data, next_cursor }: JobPage = parsed(await api.send(`/v1/jobs?limit=100${cursor}`))
        jobs.push(...data)
        cursor = next_cursor && `&cursor=${next_cursor}`
      }
      return jobs
    },
    close: api.close,
  }
}
