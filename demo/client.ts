import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from '../src/cli/api-client.ts'
import type { JobView } from '../src/jobs/view.ts'
import { route } from './simulated-services.ts'
import { chatBody, jobName } from './workload.ts'

/** A client of single jobs that knows nothing but the API's address. */
export interface JobClient {
  /** Submits job number `index`, with a webhook of its own, and answers its id. */
  submit(index: number): Promise<string>
  read(id: string): Promise<JobView>
}

export const createJobClient = (api: ApiClient, webhookUrl: string): JobClient => ({
  submit: async index => {
    const body = { body: chatBody(route, jobName(index)), webhook: { url: webhookUrl } }
    const headers = { 'idempotency-key': `demo-${index}` }
    return ((await api.ask('POST', '/v1/jobs', { body, headers })) as JobView).id
  },
  read: async id => (await api.ask('GET', `/v1/jobs/${id}`)) as JobView,
})

/** Resolves when the API says that it can take jobs. */
export const untilReady = async (api: ApiClient, signal: AbortSignal): Promise<void> => {
  while (!(await fetch(`${api.url}/readyz`, { signal })).ok) await delay(20, undefined, { signal })
}

/** Jobs a second, so that they meet every mood of the primary. */
const submitsPerSecond = 8

/** Submits `count` jobs at an even pace, without waiting for answers; returns their ids in order. */
export const submitAll = async (
  jobs: JobClient,
  count: number,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const startedAt = performance.now()
  const pending: Promise<string>[] = []
  for (let index = 0; index < count; index += 1) {
    const dueMs = startedAt + (index * 1_000) / submitsPerSecond - performance.now()
    if (dueMs > 0) await delay(dueMs, undefined, { signal })
    const submission = jobs.submit(index)
    submission.catch(() => undefined) // told by Promise.all, which begins to listen only later
    pending.push(submission)
  }
  return Promise.all(pending)
}
