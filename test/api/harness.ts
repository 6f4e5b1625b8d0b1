import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { type Logger, pino } from 'pino'
import { vi } from 'vitest'
import { createApp } from '../../src/api/app.ts'
import type { ApiParts } from '../../src/api/parts.ts'
import { configSchema } from '../../src/config/schema.ts'
import { routesOf } from '../../src/core.ts'
import { createHealthBoard } from '../../src/health/board.ts'
import { createCircuitStore } from '../../src/health/circuit-store.ts'
import { createCircuits } from '../../src/health/circuits.ts'
import { readPresence, readProcesses, readWebhookPresence } from '../../src/health/presence.ts'
import { createWhyAway } from '../../src/health/why-away.ts'
import { createLimitStore } from '../../src/limits/limit-store.ts'
import { createMirrorStore } from '../../src/mirror/mirror-store.ts'
import { mirroredRoutesOf } from '../../src/mirror/mirrored-routes.ts'
import { createProviders } from '../../src/providers/create-providers.ts'
import { createDoorbells } from '../../src/queue/doorbells.ts'
import { createApiRedis, createSubscriber } from '../../src/redis/connect.ts'
import { createMoveNotes } from '../../src/relay/move-notes.ts'
import { createSubmitJob } from '../../src/relay/submit-job.ts'
import { createFiguresBoard } from '../../src/relay/target-figures.ts'
import { createTargetOrder } from '../../src/relay/target-order.ts'
import { createAgenda } from '../../src/store/agenda.ts'
import { createBatchStore } from '../../src/store/batch-store.ts'
import type { BlobStore } from '../../src/store/blobs/blob-store.ts'
import { createDiskBlobs } from '../../src/store/blobs/disk-blobs.ts'
import { createDeadLetters } from '../../src/store/dead-letters.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { createFinishWaiter } from '../../src/store/finish-waiter.ts'
import { createJobIndex } from '../../src/store/job-index.ts'
import { createJobStore, type Final } from '../../src/store/job-store.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createScriptRunner } from '../../src/store/scripts.ts'
import { createUploadStore } from '../../src/store/upload-store.ts'
import { createAddressGuard } from '../../src/webhooks/address-guard.ts'
import { testRedis } from '../support/redis.ts'

/** Nobody calls a provider here: tests end jobs through the store, as a worker would. */
const providers = {
  openai: { type: 'openai', api_key: 'sk-upstream', models: { 'gpt-4': {} } },
  anthropic: { type: 'anthropic', api_keys: ['k-1', 'k-2'], models: { 'claude-3': {} } },
}

const models = {
  'gpt-4': { provider: 'openai', fallback_to: 'claude' },
  claude: { provider: 'anthropic', upstream_model: 'claude-3' },
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
  const config = configSchema.parse({ providers, models, ...options.config })
  const log = options.log ?? pino({ level: 'silent' })
  const now = Date.now
  const redis = createApiRedis(redisUrl, log)
  const subscriber = createSubscriber(redisUrl, log)
  await new Promise(ready => redis.once('ready', ready))
  const keys = createKeys(prefix)
  const run = createScriptRunner(redis)
  const blobDir = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  const disk = createDiskBlobs(blobDir)
  const blobs = options.blobs?.(disk) ?? disk
  const store = createJobStore({
    redis,
    run,
    keys,
    leaseMs: config.jobs.lock_ms,
    retentionMs: config.jobs.retention,
    deadLetterRetentionMs: 60_000,
    now,
  })
  const doorbells = createDoorbells(redis, keys, log)
  const board = createHealthBoard({ redis, subscriber, prefix, log, now })
  await board.start()
  const circuitStore = createCircuitStore(redis, prefix, now)
  const circuits = createCircuits({
    store: circuitStore,
    subscriber,
    prefix,
    log,
    now,
    random: Math.random,
    isChecked: () => false,
  })
  await circuits.start()
  const waiter = createFinishWaiter(subscriber, keys, log)
  await waiter.start()
  const figures = createFiguresBoard({ redis, prefix, instance: 'test', log, now })
  const shared = {
    store,
    doorbells,
    routes: routesOf(config),
    order: createTargetOrder(figures.of),
    providers: createProviders(config, routesOf(config)),
    now,
  }
  const parts: ApiParts = {
    ...shared,
    config,
    index: createJobIndex(redis, keys, 'test', now),
    deadLetters: createDeadLetters(redis, keys),
    agenda: createAgenda(redis, run, keys, now),
    blobs,
    files: createFileStore({ redis, run, keys, blobs, now }),
    uploads: createUploadStore({ redis, run, keys, now }),
    mirroredRoutes: mirroredRoutesOf(config, () => undefined),
    mirrors: createMirrorStore(redis, keys, now),
    batches: createBatchStore({ redis, run, keys, now }),
    board,
    circuits,
    circuitStore,
    limitStore: createLimitStore(redis, prefix),
    figuresOf: figures.of,
    waiter,
    submit: createSubmitJob({
      ...shared,
      availableAt: target => board.unavailableUntil(target) || circuits.sendsAt(target.provider),
      notes: createMoveNotes(createWhyAway({ circuits, board }), now),
      retentionMs: config.jobs.retention,
      random: Math.random,
    }),
    addressGuard: createAddressGuard(config.webhooks.allow),
    presence: () => readPresence(redis, prefix, now()),
    webhookPresence: () => readWebhookPresence(redis, prefix, now()),
    processes: () => readProcesses(redis, prefix, now()),
    pingRedis: async () => {
      await redis.ping()
    },
    log,
  }
  const app = createApp(parts)
  await app.listen({ host: '127.0.0.1', port: 0 })

  return {
    app,
    parts,
    redis,
    prefix,
    blobDir,
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      await app.drain(0)
      waiter.stop()
      await board.stop()
      await doorbells.close()
      for (const provider of shared.providers.values()) await provider.close()
      for (const connection of [redis, subscriber]) connection.disconnect()
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

const success: Final = {
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
export const endJob = async ({ parts: { store } }: TestApi, id: string, final: Partial<Final> = {}) => {
  const claim = await store.claim(id, 0, 0, 'token')
  if (typeof claim === 'string') throw new Error(`the job cannot be claimed: ${claim}`)
  if (!(await store.finalise(claim, { ...success, ...final }))) throw new Error('the job had ended')
}

export const failure: Partial<Final> = {
  status: 'failed',
  response: null,
  error: { code: 'attempts_exhausted', message: 'The budget was used up.' },
}

/** The job whose end the one waiting request listens for. */
export const waitedFor = async (api: TestApi): Promise<string> =>
  vi.waitUntil(() => api.parts.waiter.awaited()[0], { timeout: 5_000, interval: 5 })
