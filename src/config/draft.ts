import { z } from 'zod'
import { duration } from './durations.ts'
import { flag, numeric } from './schema-values.ts'

// A part that is of the wrong kind reads as absent: the schema has its own fault for it.
const text = z.string().optional().catch(undefined)
const number = numeric(z.number()).optional().catch(undefined)
const time = duration.optional().catch(undefined)
const list = z.array(z.unknown()).catch([]).default([])
const noServer = { cors_origins: [] }
const table = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value).catch({}).default({})

const facts = { upstream_model: text, context_window: number, max_output_tokens: number }
const model = z.object(facts).catch({})

/** All of them texts. */
const vendor = {
  format: text,
  resource: text,
  api_version: text,
  tenant_id: text,
  client_id: text,
  client_secret: text,
  client_secret_file: text,
  authority: text,
  scope: text,
  project: text,
  location: text,
  credentials: text,
  credentials_file: text,
  region: text,
  profile: text,
  role_arn: text,
  access_key_id: text,
  secret_access_key: text,
  session_token: text,
  access_key_id_file: text,
  secret_access_key_file: text,
  session_token_file: text,
}

const healthCheck = z
  .object({ kind: text, model: text, enabled: flag.catch(true).default(true) })
  .optional()
  .catch(undefined)

const provider = z
  .object({
    type: text,
    base_url: text,
    api_key: text,
    api_keys: z.array(z.unknown()).optional().catch(undefined),
    api_key_file: text,
    api_key_files: z.array(z.unknown()).optional().catch(undefined),
    timeout: time,
    connect_timeout: time,
    models: table(model),
    health_check: healthCheck,
    ...vendor,
  })
  .catch({ models: {} })

const route = z
  .object({
    ...facts,
    provider: text,
    strategy: text,
    weights: z.record(z.string(), number).optional().catch(undefined),
    fallback_to: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .catch(undefined),
    mirror: z.object({ to: text }).optional().catch(undefined),
    cache: z.object({ max_bytes: number, max_total_bytes: number }).optional().catch(undefined),
  })
  .catch({})

const redisForm = z
  .object({ nodes: z.array(z.unknown()).catch([]).default([]) })
  .optional()
  .catch(undefined)
const redis = z.object({ url: text, sentinel: redisForm, cluster: redisForm, wait_replicas: number })

const s3 = z
  .object({ access_key_id: text, secret_access_key: text, profile: text })
  .optional()
  .catch(undefined)

/**
 * As much of a document as the relations between its parts need, readable however faulty the document is
 * elsewhere: so one run tells everything that is wrong.
 */
const draftSchema = z
  .object({
    providers: table(provider),
    models: table(route),
    aliases: table(text),
    server: z
      .object({
        host: text,
        port: number,
        admin_host: text,
        admin_port: number,
        cors_origins: list,
        shutdown_grace: time,
        drain_delay: time,
      })
      .catch(noServer)
      .default(noServer),
    redis: redis.catch({}).default({}),
    api_keys: list,
    webhooks: z
      .object({ allowed_networks: list })
      .catch({ allowed_networks: [] })
      .default({ allowed_networks: [] }),
    storage: z.object({ path: text, s3 }).catch({}).default({}),
  })
  .catch({
    providers: {},
    models: {},
    aliases: {} as Record<string, string | undefined>,
    server: noServer,
    redis: {},
    api_keys: [],
    webhooks: { allowed_networks: [] },
    storage: {},
  })

export type Draft = z.output<typeof draftSchema>
export type DraftProvider = Draft['providers'][string]
export type DraftRoute = Draft['models'][string]

export const readDraft = (document: unknown): Draft => draftSchema.parse(document)

/** The names of the providers that some route leads to, or is mirrored to. */
export const usedProviders = (models: Readonly<Record<string, DraftRoute>>): ReadonlySet<string> =>
  new Set(
    Object.values(models).flatMap(({ provider, mirror }) => [
      ...(provider === undefined ? [] : [provider]),
      ...(mirror?.to?.includes('/') ? [mirror.to.slice(0, mirror.to.indexOf('/'))] : []),
    ]),
  )
