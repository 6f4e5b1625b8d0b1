import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DestinationStream } from 'pino'
import { until } from '../../harness/until.ts'
import { configSchema } from '../../src/config/schema.ts'
import { type AppContext, openContext } from '../../src/context.ts'
import { createSubmitJob, type Submission, type SubmitJob } from '../../src/dispatch/submit.ts'
import { isTerminal } from '../../src/domain/job.ts'
import type { JobRecord } from '../../src/jobs/record.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { openProviderWorker } from '../../workers/provider.ts'
import { testRedis } from './redis.ts'

export type ConfigInput = Record<string, unknown>

export interface DeployOptions {
  readonly config: ConfigInput
  /** Which providers' workers run here; all by default. */
  readonly workers?: readonly string[]
  readonly webhooks?: boolean
  readonly batches?: boolean
  readonly api?: boolean
  /** Another Redis than the run's shared one. */
  readonly redisUrl?: string
  /** Joins the keys of another deployment. */
  readonly prefix?: string
  /** Receives every log line, at level trace. */
  readonly logTo?: DestinationStream
  readonly graceMs?: number
}

export interface Deployment {
  readonly context: AppContext
  readonly prefix: string
  readonly apiUrl: string
  readonly submit: SubmitJob
  /** Submits a chat request and answers the job's id. */
  chat(
    model: string,
    more?: Partial<Submission> & { readonly prompt?: string; readonly user?: string },
  ): Promise<string>
  ended(jobId: string): Promise<JobRecord>
  stop(): Promise<void>
}

/** Baton as the entry points build it, in this process, with keys of its own. */
export const deploy = async (options: DeployOptions): Promise<Deployment> => {
  const shared = options.redisUrl ? { url: options.redisUrl, prefix: 'baton' } : testRedis()
  const prefix = options.prefix ?? shared.prefix
  const blobDir = await mkdtemp(join(tmpdir(), 'baton-test-blobs-'))
  const config = configSchema.parse({
    storage: { path: blobDir },
    ...options.config,
    redis: { prefix },
    server: {
      ...(options.config.server as object | undefined),
      port: 0,
      shutdown_grace: `${options.graceMs ?? 5_000}ms`,
    },
  })
  const log = options.logTo ? createLogger('trace', options.logTo) : createLogger('silent')
  const life = createLifecycle(options.graceMs ?? 5_000, log)
  const context = await openContext(life, { config, redisAt: shared.url, log })
  for (const name of options.workers ?? Object.keys(config.providers))
    await openProviderWorker(life, context, name)
  if (options.webhooks) await (await import('../../workers/webhook.ts')).openWebhookWorker(life, context)
  if (options.batches) await (await import('../../workers/batch.ts')).openBatchWorker(life, context)
  const apiUrl = options.api
    ? (await (await import('../../src/api/serve.ts')).serveApi(life, context)).url
    : ''
  const submit = createSubmitJob({ ...context, retentionMs: config.jobs.retention, random: Math.random })

  return {
    context,
    prefix,
    apiUrl,
    submit,
    chat: async (model, { prompt = 'hello', user, ...more } = {}) => {
      const parsedBody = { model, messages: [{ role: 'user', content: prompt }], ...(user ? { user } : {}) }
      const { id } = await submit({
        tenant: 'default',
        endpoint: '/v1/chat/completions',
        model,
        body: JSON.stringify(parsedBody),
        parsedBody,
        windowMs: 60_000,
        webhook: null,
        metadata: null,
        priority: 'default',
        retryOf: null,
        idempotency: null,
        ...more,
      })
      return id
    },
    ended: jobId =>
      until(async () => {
        const record = await context.store.read(jobId)
        return record && isTerminal(record.status) ? record : null
      }),
    stop: async () => {
      await life.stop()
      await rm(blobDir, { recursive: true, force: true })
    },
  }
}
