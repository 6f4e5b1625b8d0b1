import { z } from 'zod'
import { roles } from '../domain/access.ts'
import { duration, durationFrom } from './durations.ts'
import { forwardedHeader } from './forwarded-headers.ts'
import { provider } from './provider-schema.ts'
import { route } from './route-schema.ts'
import {
  concurrency,
  corsOrigin,
  flag,
  httpUrl,
  nameServer,
  numeric,
  positiveInt,
  proxyUrl,
} from './schema-values.ts'
import { stream } from './stream-schema.ts'
import { ui } from './ui-schema.ts'
import { headerSafeKey } from './vendor-settings.ts'

/**
 * The worker at the deadline of a job that a connection waits for, or a sweeper soon after it, ends the job:
 * this outwaits both.
 */
export const syncGraceMs = 15_000

/** The timeout of the official clients of OpenAI and Anthropic, unless their users set another. */
export const clientTimeoutMs = 600_000

/** What S3 takes as one object from a source of unknown length: 10,000 parts of 5 MiB. */
const maxBlobBytes = 10_000 * 5 * 1024 * 1024
/** A batch's jobs carry the number of their line in five letters of their id, five bits each. */
const lineCount = numeric(
  z
    .int()
    .positive()
    .max(2 ** 25 - 1),
)
/** Redis takes no longer value than 512 MB, and a process holds several of this size. */
const maxHeldBytes = 256 * 1024 * 1024

/** Written as the key alone, or with the tenant it stands for and what it may do. */
const apiKey = z.preprocess(
  value => (typeof value === 'string' ? { key: value } : value),
  z.strictObject({
    key: z.string().min(1),
    tenant: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'expected at most 64 letters, digits, - and _')
      .default('default'),
    role: z.enum(roles).default('submit'),
    /** Who has it, for what others read of its actions. */
    name: z
      .string()
      .regex(/^[\w.@ -]{1,64}$/, 'expected at most 64 letters, digits, spaces, and . _ - @')
      .optional(),
  }),
)

const port = numeric(z.int().min(0).max(65_535))

const server = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(8000),
  public_url: httpUrl.optional(),
  /** Every role serves probes and metrics of its own process here. */
  admin_port: port.optional(),
  admin_host: z.string().min(1).default('127.0.0.1'),
  /** An API process runs the workers of all providers too, for the calls of its own waiting connections. */
  express: flag.default(false),
  /** Each process reads its config anew when its file changes. */
  watch_config: flag.default(false),
  /** Whose pages may call this server from a browser. */
  cors_origins: z.array(corsOrigin).max(100, 'expected at most 100 origins').default([]),
  max_body_bytes: positiveInt.default(32 * 1024 * 1024),
  /** Bytes of request bodies and of answers on their way out, in one process. */
  max_bytes_in_flight: numeric(z.int().min(1024 * 1024)).default(256 * 1024 * 1024),
  /** Connections at once, and those of them that wait: for an answer, for a long poll, for events. */
  max_connections: positiveInt.default(20_000),
  max_waiting: positiveInt.default(10_000),
  max_polls: positiveInt.default(5_000),
  max_streams: positiveInt.default(5_000),
  /** The share of each of these that one of several tenants may take. */
  tenant_share: numeric(z.number().positive().max(1)).default(0.5),
  /**
   * Headers of clients' requests that are forwarded to providers, beside the betas of the request's own
   * format.
   */
  forward_headers: z.array(forwardedHeader).max(20, 'expected at most 20 names').default([]),
  /** How long a stopping process lets running calls finish before it hands them back. */
  shutdown_grace: duration.prefault('20s'),
  /** The part of that time in which a stopping API serves on while `/readyz` says that it stops. */
  drain_delay: duration.prefault('0s'),
})

/** How names are looked up: of receivers, of providers, of proxies and of the store of files. */
const dns = z.strictObject({
  /** In place of those that the system names. */
  servers: z.array(nameServer).max(3, 'expected at most 3 servers').default([]),
  /** The longest that one name is looked up. */
  timeout: durationFrom('100ms', '1m').prefault('5s'),
})

const webhooks = z.strictObject({
  /** Signs deliveries of jobs that bring no secret of their own: `whsec_` and base64. */
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and the base64 of 24 to 64 bytes')
    .optional(),
  /** Networks (CIDR) that deliveries may reach although they are private; plain http is allowed there too. */
  allowed_networks: z.array(z.string()).default([]),
  /** Connects to the address that was checked. No other setting sends deliveries through a proxy. */
  proxy: proxyUrl.optional(),
  timeout: durationFrom('1ms').prefault('15s'),
  concurrency: concurrency.default(100),
  /** A receiver that fails is left alone for a while, and its deliveries wait. */
  breaker: z
    .strictObject({
      /** Deliveries of different events that fail one after the other. */
      consecutive_failures: positiveInt.default(5),
      reset: durationFrom('1ms').prefault('10s'),
      /** The time doubles with each failure after it, up to this. */
      max_reset: durationFrom('1ms').prefault('2m'),
    })
    .prefault({}),
})

/** By which providers are reached, but for those on this machine. */
const proxy = z.strictObject({
  http: proxyUrl.optional(),
  https: proxyUrl.optional(),
  /** As NO_PROXY has it: names, addresses and networks, with commas between them. */
  except: z.string().optional(),
})

const jobs = z.strictObject({
  /** The deadline of a job that names none. */
  completion_window: duration.prefault('24h'),
  /** How long a finished job can be read. */
  retention: duration.prefault('24h'),
  /** Upstream calls per job, over all providers. */
  max_attempts: positiveInt.default(20),
  /** Bytes of the requests that the workers of one process have claimed. */
  max_bytes_in_flight: numeric(z.int().min(1024 * 1024)).default(256 * 1024 * 1024),
  /**
   * A provider without a live worker for so long is out of use for routes with another target. Workers send a
   * heartbeat every two seconds.
   */
  worker_missing_after: durationFrom('5s').prefault('30s'),
  /** A worker silent for this long is taken for dead and its jobs are given to others. */
  lease: durationFrom('1s').prefault('15s'),
  /**
   * The deadline of a request whose connection waits: the answer comes before the official clients give up,
   * after 10 minutes.
   */
  sync_timeout: duration.prefault('570s'),
})

const s3 = z.strictObject({
  bucket: z.string().min(1),
  region: z.string().min(1).default('us-east-1'),
  /** The address of a store that speaks S3; Amazon's own without it. */
  endpoint: httpUrl.optional(),
  /** Sets this deployment's objects apart from others in the bucket. */
  prefix: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'expected words of letters, digits, ., _ and -, with / between them')
    .default('baton'),
  /** Without the two keys, the usual places are asked: environment, profile, role of the machine. */
  access_key_id: headerSafeKey.optional(),
  secret_access_key: headerSafeKey.optional(),
  /** `https://host/bucket` in place of `https://bucket.host`. */
  force_path_style: flag.default(false),
})

/** Where the bytes of files are kept. The API and the batch workers need the same place. */
const storage = z.strictObject({
  /** A directory, made when it is not there; relative to where the process starts. */
  path: z.string().min(1).default('.baton/blobs'),
  s3: s3.optional(),
})

const files = z.strictObject({
  max_bytes: numeric(z.int().positive().max(maxBlobBytes)).default(512 * 1024 * 1024),
  /** One file that was uploaded in parts. */
  max_upload_bytes: positiveInt.default(8 * 1024 * 1024 * 1024),
})

const batches = z.strictObject({
  max_lines: lineCount.default(50_000),
  max_file_bytes: numeric(z.int().positive().max(maxBlobBytes)).default(200 * 1024 * 1024),
  anthropic_max_requests: lineCount.default(100_000),
  anthropic_max_bytes: numeric(z.int().positive().max(maxBlobBytes)).default(256 * 1024 * 1024),
  /** A line is one request; it is held in memory whole. */
  max_line_bytes: numeric(z.int().min(1_024).max(maxHeldBytes)).default(16 * 1024 * 1024),
  /** Lines of one batch that wait for a worker or are done and not collected, at most. */
  window_jobs: numeric(z.int().positive().max(100_000)).default(4_000),
  /** Bytes of these; with those that workers have, `heavyFactor` times as much. A single longer line goes alone. */
  window_bytes: numeric(z.int().min(1_024).max(maxHeldBytes)).default(16 * 1024 * 1024),
  /** Whether a batch that cannot be done in its window is refused, or warned of. */
  admission: z.enum(['strict', 'warn']).default('warn'),
  /** Default cost limit (US dollars) of batches that set none. */
  max_cost_usd: numeric(z.number().positive()).optional(),
  /** How long a batch that has ended, and its output, can be read. */
  retention: duration.prefault('30d'),
})

/** How much a tenant may have at a time. */
const quota = {
  files: positiveInt,
  bytes: positiveInt,
  open_batches: positiveInt,
}

const quotas = z.strictObject({
  files: quota.files.default(100_000),
  /** Bytes of files, of uploads from their announcement on, and of documents of message batches that run. */
  bytes: quota.bytes.default(100 * 1024 * 1024 * 1024),
  open_batches: quota.open_batches.default(1_000),
  /** In place of these, by the names that `api_keys` give tenants. */
  tenants: z.record(z.string(), z.strictObject(quota).partial()).default({}),
})

/** By the names that `api_keys` give tenants. */
const tenants = z.record(
  z.string(),
  z.strictObject({
    /** Its share of a queue, next to those of other tenants that wait there. */
    weight: numeric(z.number().min(0.01).max(1_000)).default(1),
  }),
)

/** `host:port` each: relations see to it, as they can tell what was meant. */
const redisNodes = z.array(z.string()).min(1)

const sentinel = z.strictObject({
  /** What the Sentinels call the master. */
  name: z.string().min(1),
  nodes: redisNodes,
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  sentinel_username: z.string().min(1).optional(),
  sentinel_password: z.string().min(1).optional(),
  db: numeric(z.int().min(0)).default(0),
  /** To the servers and to the Sentinels. */
  tls: flag.default(false),
})

const cluster = z.strictObject({
  /** Some of the nodes; the others are asked of them. */
  nodes: redisNodes,
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  tls: flag.default(false),
})

/** One of `url`, `sentinel` and `cluster`; a private server is started without any. */
const redis = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'expected redis:// or rediss://')
    .optional(),
  sentinel: sentinel.optional(),
  cluster: cluster.optional(),
  /** Sets this deployment's keys apart from others on the same Redis. */
  prefix: z
    .string()
    .regex(/^[\w-]{1,32}$/, 'expected 1 to 32 of a-z, A-Z, 0-9, _ and -')
    .default('baton'),
  /** Replicas that must have what a request made before it is answered: a fail-over to one loses none of it. */
  wait_replicas: numeric(z.int().min(0).max(10)).default(0),
  /** How long a request waits for them: with the write itself, less than the 2 s of a request to Redis. */
  wait_timeout: durationFrom('10ms', '1500ms').prefault('500ms'),
  /** The share of `maxmemory` from which on nothing new is accepted: the rest is for accepted jobs. */
  full_at: numeric(z.number().min(0.1).max(1)).default(0.85),
})

export const configSchema = z.strictObject({
  providers: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'provider names are a-z, 0-9, - and _'), provider)
    .default({}),
  models: z.record(z.string().min(1).max(200), route).default({}),
  server: server.prefault({}),
  redis: redis.prefault({}),
  proxy: proxy.prefault({}),
  dns: dns.prefault({}),
  api_keys: z.array(apiKey).default([]),
  webhooks: webhooks.prefault({}),
  jobs: jobs.prefault({}),
  stream: stream.prefault({}),
  ui: ui.prefault({}),
  storage: storage.prefault({}),
  files: files.prefault({}),
  batches: batches.prefault({}),
  quotas: quotas.prefault({}),
  tenants: tenants.default({}),
})

export type Config = z.output<typeof configSchema>
export type ProviderConfig = Config['providers'][string]
export type RouteConfig = Config['models'][string]
