import { z } from 'zod'
import { durationFrom } from './durations.ts'
import { flag, numeric } from './schema-values.ts'
import { secretFile } from './vendor-settings.ts'

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
  password_file: secretFile,
  sentinel_password_file: secretFile,
  db: numeric(z.int().min(0)).default(0),
  /** To the servers and to the Sentinels. */
  tls: flag.default(false),
})

const cluster = z.strictObject({
  /** Some of the nodes; the others are asked of them. */
  nodes: redisNodes,
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  password_file: secretFile,
  tls: flag.default(false),
})

/** One of `url`, `sentinel` and `cluster`; a private server is started without any. */
export const redis = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'expected redis:// or rediss://')
    .optional(),
  /** A mounted file with it. */
  url_file: secretFile,
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
