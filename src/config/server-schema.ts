import { z } from 'zod'
import { roles } from '../domain/access.ts'
import { duration, durationFrom } from './durations.ts'
import { forwardedHeader } from './forwarded-headers.ts'
import { corsOrigin, flag, httpUrl, nameServer, numeric, positiveInt, proxyUrl } from './schema-values.ts'
import { secretFile } from './vendor-settings.ts'

/** Written as the key alone, or with the tenant it stands for and what it may do. */
export const apiKey = z.preprocess(
  value => (typeof value === 'string' ? { key: value } : value),
  z.strictObject({
    key: z.string().min(1),
    /** A mounted file with it, in its place. */
    key_file: secretFile,
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

export const server = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(8000),
  public_url: httpUrl.optional(),
  /** Every role serves probes and metrics of its own process here. */
  admin_port: port.optional(),
  admin_host: z.string().min(1).default('127.0.0.1'),
  /** An API process runs the workers of all providers too, for the calls of its own waiting connections. */
  express: flag.default(false),
  /** The page at `/docs`, which shows what this API is. */
  docs: flag.default(true),
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
export const dns = z.strictObject({
  /** In place of those that the system names. */
  servers: z.array(nameServer).max(3, 'expected at most 3 servers').default([]),
  /** The longest that one name is looked up. */
  timeout: durationFrom('100ms', '1m').prefault('5s'),
})

/** By which providers are reached, but for those on this machine. */
export const proxy = z.strictObject({
  http: proxyUrl.optional(),
  https: proxyUrl.optional(),
  /** As NO_PROXY has it: names, addresses and networks, with commas between them. */
  except: z.string().optional(),
})
