import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { vi } from 'vitest'
import type { JobResult } from '../../src/jobs/types.ts'
import { createApiRedis } from '../../src/redis/connect.ts'
import { type ApiOptions, type BatonApi, openBaton } from '../support/open-baton.ts'
import { patience } from '../support/patience.ts'
import { testRedis } from '../support/redis.ts'

/** Nobody calls a provider here: tests end jobs through the store, as a worker would. */
const providers = {
  openai: { type: 'openai', api_key: 'sk-upstream', models: { 'gpt-4': {} } },
  anthropic: { type: 'anthropic', api_keys: ['k-1', 'k-2'], models: { 'claude-3': {} } },
}

const models = {
  'gpt-4': { provider: 'openai', fallback_to: 'claude' },
  claude: { provider: 'anthropic', upstream_model: 'claude-3', price: { input: 3, output: 15 } },
  'meta/llama': { provider: 'openai', upstream_model: 'meta/llama', capabilities: { vision: false } },
}

export interface TestApiOptions extends Pick<ApiOptions, 'log' | 'blobs'> {
  readonly redis?: { readonly url: string; readonly prefix: string }
  /** Sections of the config, over those above. */
  readonly config?: object
}

export interface TestApi extends BatonApi, AsyncDisposable {
  readonly redis: Redis
}

/** The API without a worker, listening, on a Redis prefix of its own. */
export const openTestApi = async ({
  redis: at,
  config = {},
  ...more
}: TestApiOptions = {}): Promise<TestApi> => {
  const { url: redisUrl, prefix } = at ?? testRedis()
  const { server } = config as { readonly server?: object }
  const baton = await openBaton({
    level: 'api',
    workers: [],
    graceMs: 0,
    ...{ redisUrl, prefix, ...more },
    config: { providers, models, ...config, server: { shutdown_grace: '20s', ...server } },
  })
  // The test's own, to look with.
  const redis = createApiRedis(redisUrl, pino({ level: 'silent' })) as Redis
  await new Promise(ready => redis.once('ready', ready))
  return {
    ...baton,
    redis,
    [Symbol.asyncDispose]: async () => {
      await baton.stop()
      redis.disconnect()
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
export type Json = any

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

export interface Call {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** Sends `body` as JSON; a string goes out as it is. */
export const call = async (
  { url }: { url: string },
  method: string,
  path: string,
  { body, headers = {}, signal }: Call = {},
): Promise<Answer> => {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
}

export const chat = (content = 'hi', more: object = {}) => ({
  model: 'gpt-4',
  messages: [{ role: 'user', content }],
  ...more,
})

/** Submits a native job and answers its view. */
export const submitJob = async (api: TestApi, more: object = {}, call_: Call = {}): Promise<Json> => {
  const answer = await call(api, 'POST', '/v1/jobs', { body: { body: chat(), ...more }, ...call_ })
  if (answer.status !== 202) throw new Error(`submission answered ${answer.status}: ${answer.text}`)
  return answer.json
}

const success: JobResult = {
  status: 'succeeded',
  attempts: [
    {
      hop: 0,
      provider: 'openai',
      model: 'gpt-4',
      started_at: 1_765_000_001.02,
      duration_ms: 41,
      status_code: 200,
      verdict: 'ok',
      reason: 'ok',
      possibly_billed: false,
    },
  ],
  response: { statusCode: 200, body: '{"object":"chat.completion"}' },
  error: null,
  refused: false,
  usage: { input_tokens: 20, output_tokens: 2 },
  costUsd: 0.00031,
}

/** Ends a job as its worker would; with the answer above where the test names no other. */
export const endJob = async ({ parts: { store } }: TestApi, id: string, final: Partial<JobResult> = {}) => {
  const claim = await store.claim(id, 0, 0, 'token')
  if (typeof claim === 'string') throw new Error(`the job cannot be claimed: ${claim}`)
  if (!(await store.finalise(claim, { ...success, ...final }))) throw new Error('the job had ended')
}

export const failure: Partial<JobResult> = {
  status: 'failed',
  response: null,
  error: { code: 'attempts_exhausted', message: 'The budget was used up.' },
}

/** The job whose end the one waiting request listens for. */
export const waitedFor = async (api: TestApi): Promise<string> =>
  vi.waitUntil(() => api.parts.waiter.awaitedJobs()[0], patience)
