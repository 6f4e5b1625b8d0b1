import type { Job, JobSummary, Operations } from './api-types.ts'
import { asJson, pause, queryOf, type Transport } from './transport.ts'

export interface CallOptions {
  /** Ends the call at once: it throws the signal's reason. What the server has begun goes on. */
  readonly signal?: AbortSignal
}

type SubmitBody = Operations['submitJob']['body']

/** The request, in the format of its endpoint. */
export type RequestBody = SubmitBody['body']

export interface SubmitOptions extends CallOptions, Omit<SubmitBody, 'body'> {
  /** The same key and request are answered with the job that the first one made; one is made up where none is given. */
  readonly idempotencyKey?: string
  /** Goes with the request, as `anthropic-beta` does. */
  readonly headers?: Readonly<Record<string, string>>
}

type Page = Operations['listJobs']['answer']
type ListQuery = Operations['listJobs']['query']

export interface ListOptions extends CallOptions, Omit<ListQuery, 'cursor' | 'view' | 'batch_id'> {
  readonly metadata?: Readonly<Record<string, string>>
}

export interface JobCalls {
  /** Resolves once the job is accepted, and safe. */
  submit(body: RequestBody, options?: SubmitOptions): Promise<Job>
  /** Resolves with the job when it has ended, however it did. */
  wait(id: string, options?: CallOptions): Promise<Job>
  get(id: string, options?: CallOptions): Promise<Job>
  /** Newest first, page by page as they are read. */
  list(options?: ListOptions): AsyncGenerator<JobSummary>
  cancel(id: string, options?: CallOptions): Promise<Job>
  /** Submits the request of a job that failed, expired or was cancelled again, as a new job. */
  retry(id: string, options?: CallOptions): Promise<Job>
}

/** The longest that the API holds a question. */
const heldSeconds = 60

/** What a question may take beyond that, on the way. */
const graceMs = 15_000

/** After an answer that came before its time, as from a server that stops. */
const betweenWaitsMs = 500

const ended: ReadonlySet<Job['status']> = new Set(['succeeded', 'failed', 'cancelled', 'expired'])

const pathOf = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}`

export const newKey = (): string => crypto.randomUUID()

export const createJobCalls = (transport: Transport): JobCalls => {
  const post = (
    path: string,
    headers: Readonly<Record<string, string>>,
    { signal }: CallOptions,
    json?: unknown,
  ) => transport.send('POST', path, { json, headers, signal, read: asJson<Job>('job') })

  const wait: JobCalls['wait'] = async (id, { signal } = {}) => {
    for (;;) {
      const askedAt = performance.now()
      const job = await transport.send('GET', pathOf(id), {
        headers: { prefer: `wait=${heldSeconds}` },
        signal,
        answerWithinMs: heldSeconds * 1_000 + graceMs,
        read: asJson<Job>('job'),
      })
      if (ended.has(job.status)) return job
      if (performance.now() - askedAt < heldSeconds * 500) await pause(betweenWaitsMs, signal)
    }
  }

  async function* list({ signal, metadata = {}, ...filters }: ListOptions = {}): AsyncGenerator<JobSummary> {
    const named = Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]),
    )
    for (let cursor: string | null = null; ; ) {
      const path = `/v1/jobs${queryOf({ limit: 100, ...filters, ...named, cursor })}`
      const page: Page = await transport.send('GET', path, { signal, read: asJson<Page>('list') })
      yield* page.data
      cursor = page.next_cursor
      if (cursor === null) return
    }
  }

  return {
    submit: (body, { signal, idempotencyKey = newKey(), headers = {}, ...rest } = {}) =>
      post('/v1/jobs', { ...headers, 'idempotency-key': idempotencyKey }, { signal }, { ...rest, body }),
    wait,
    get: (id, { signal } = {}) => transport.send('GET', pathOf(id), { signal, read: asJson<Job>('job') }),
    list,
    cancel: async (id, options = {}) => {
      try {
        return await post(`${pathOf(id)}/cancel`, {}, options)
      } catch (error) {
        // The answer to the first try may have got lost.
        const job = isFinished(error)
          ? await transport.send('GET', pathOf(id), { ...options, read: asJson<Job>('job') })
          : null
        if (job?.status === 'cancelled') return job
        throw error
      }
    },
    retry: (id, options = {}) => post(`${pathOf(id)}/retry`, { 'idempotency-key': newKey() }, options),
  }
}

const isFinished = (error: unknown): boolean => (error as { readonly code?: unknown }).code === 'job_finished'
