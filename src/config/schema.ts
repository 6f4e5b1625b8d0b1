import { z } from 'zod'
import { batches, quotas, tenants } from './batches-schema.ts'
import { jobs, webhooks } from './jobs-schema.ts'
import { metrics } from './metrics-schema.ts'
import { provider } from './provider-schema.ts'
import { redis } from './redis-schema.ts'
import { route } from './route-schema.ts'
import { oneLine } from './schema-values.ts'
import { apiKey, dns, proxy, server } from './server-schema.ts'
import { files, storage } from './storage-schema.ts'
import { stream } from './stream-schema.ts'
import { ui } from './ui-schema.ts'

/**
 * The worker at the deadline of a job that a connection waits for, or a sweeper soon after it, ends the job:
 * this outwaits both.
 */
export const syncGraceMs = 15_000

/** The timeout of the official clients of OpenAI and Anthropic, unless their users set another. */
export const clientTimeoutMs = 600_000

/** What clients ask for. */
const modelName = oneLine.max(200)

export const configSchema = z.strictObject({
  providers: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'provider names are a-z, 0-9, - and _'), provider)
    .default({}),
  models: z.record(modelName, route).default({}),
  aliases: z.record(modelName, modelName).default({}),
  server: server.prefault({}),
  redis: redis.prefault({}),
  proxy: proxy.prefault({}),
  dns: dns.prefault({}),
  api_keys: z.array(apiKey).default([]),
  webhooks: webhooks.prefault({}),
  jobs: jobs.prefault({}),
  stream: stream.prefault({}),
  ui: ui.prefault({}),
  metrics: metrics.prefault({}),
  storage: storage.prefault({}),
  files: files.prefault({}),
  batches: batches.prefault({}),
  quotas: quotas.prefault({}),
  tenants: tenants.default({}),
})

export type Config = z.output<typeof configSchema>
export type ProviderConfig = Config['providers'][string]
export type RouteConfig = Config['models'][string]
