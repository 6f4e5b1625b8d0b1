import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { type Logger, pino } from 'pino'
import { vi } from 'vitest'
import type { ApiParts } from '../../src/api/parts.ts'
import { serveApi } from '../../src/api/serve.ts'
import { configSchema } from '../../src/config/schema.ts'
import { openContext } from '../../src/context.ts'
import type { BlobStore } from '../../src/files/blobs/blob-store.ts'
import type { JobResult } from '../../src/jobs/store.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createApiRedis } from '../../src/redis/connect.ts'
import { openBlobStore } from '../../src/start-blobs.ts'
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

export interface ApiOptions {
  readonly redis?: { readonly url: string; readonly prefix: string }
  /** Sections of the config, over those above. */
  readonly config?: object
  readonly log?: Logger
  /** Around the store of the test's own directory. */
  readonly blobs?: (disk: BlobStore) => BlobStore
}

export interface TestApi extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly url: string
  readonly parts: ApiParts
  readonly redis: Redis
  readonly prefix: string
  /** Where files are kept. */
  readonly blobDir: string
}

/** The API as production builds it, listening, on a Redis prefix of its own. */
export const openTestApi = async (options: ApiOptions = {}): Promise<TestApi> => {
  const { url: redisUrl, prefix } = options.redis ?? testRedis()
  const log = options.log ?? pino({ level: 'silent' })
  const blobDir = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  const { server } = (options.config ?? {}) as { readonly server?: object }
  const given = { providers, models, storage: { path: blobDir }, ...options.config }
  const config = configSchema.parse({ ...given, redis: { prefix }, server: { ...server, port: 0 } })
  const life = createLifecycle(0, log)
  const context = await openContext(life, { config, redisAt: redisUrl, log })
  const { url, app, parts } = await serveApi(life, context, async (life, context) => {
    const disk = await openBlobStore(life, context)
    return options.blobs?.(disk) ?? disk
  })
  // The test's own, to look with.
  const redis = createApiRedis(redisUrl, log) as Redis
  await new Promise(ready => redis.once('ready', ready))

  return {
    app,
    parts,
    redis,
    prefix,
    blobDir,
    url,
    [Symbol.asyncDispose]: async () => {
      await life.stop()
      redis.disconnect()
      await rm(blobDir, { recursive: true, force: true })
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
  vi.waitUntil(() => api.parts.waiter.awaitedJobs()[0], { timeout: 5_000, interval: 5 })
