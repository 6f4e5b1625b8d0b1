import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../harness/until.ts'
import { configSchema } from '../../src/config/schema.ts'
import { type AppContext, openContext } from '../../src/context/context.ts'
import { createSubmitJob } from '../../src/dispatch/submit.ts'
import { isTerminal } from '../../src/domain/job.ts'
import { createLifecycle, type Lifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { openProviderWorker } from '../../workers/provider.ts'
import type { ApiOptions, Baton, BatonOptions } from './open-baton.ts'
import { testRedis } from './redis.ts'

/** The context of a process and its workers, as `src/roles.ts` opens them. */
export const openWorkers = async (options: BatonOptions) => {
  const { graceMs = 5_000, webhooks = false, batches = false } = options
  const shared = options.redisUrl ? { url: options.redisUrl, prefix: 'baton' } : testRedis()
  const prefix = options.prefix ?? shared.prefix
  const blobDir = await mkdtemp(join(tmpdir(), 'baton-test-blobs-'))
  const { server } = options.config as { readonly server?: object }
  const config = configSchema.parse({
    storage: { path: blobDir },
    ...options.config,
    redis: { prefix },
    server: { shutdown_grace: `${graceMs}ms`, ...server, port: 0 },
  })
  const log = options.log ?? (options.logTo ? createLogger('trace', options.logTo) : createLogger('silent'))
  const life = createLifecycle(graceMs, log)
  const context = await openContext(life, { config, redisAt: shared.url, log })
  for (const name of options.workers ?? Object.keys(config.providers))
    await openProviderWorker(life, context, name)
  if (webhooks) await (await import('../../workers/webhook.ts')).openWebhookWorker(life, context)
  if (batches) await (await import('../../workers/batch.ts')).openBatchWorker(life, context)
  const stop = async () => {
    await life.stop()
    await rm(blobDir, { recursive: true, force: true })
  }
  const baton: Baton = { context, prefix, blobDir, ...submitting(context), stop }
  return { life, baton }
}

/** The API on that context. */
export const openApi = async (
  life: Lifecycle,
  context: AppContext,
  blobs: ApiOptions['blobs'] = disk => disk,
) => {
  const { serveApi } = await import('../../src/api/serve.ts')
  const { openBlobStore } = await import('../../src/start-blobs.ts')
  return serveApi(life, context, async (life, context) => blobs(await openBlobStore(life, context)))
}

const submitting = (context: AppContext): Pick<Baton, 'submit' | 'chat' | 'ended'> => {
  const submit = createSubmitJob({
    ...context,
    retentionMs: context.config.jobs.retention,
    random: Math.random,
  })
  return {
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
  }
}
