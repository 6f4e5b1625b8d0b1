import { z } from 'zod'
import { duration, durationFrom } from './durations.ts'
import { concurrency, numeric, positiveInt, proxyUrl } from './schema-values.ts'
import { secretFile } from './vendor-settings.ts'

export const jobs = z.strictObject({
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
  /** Keys of `metadata` by which lists find jobs without reading them. */
  indexed_metadata: z
    .array(
      // As JSON has them, so that a script finds them in the text of a record.
      z.string().regex(/^[\w.-]{1,64}$/, 'expected at most 64 letters, digits, and . _ -'),
    )
    .max(8, 'expected at most 8 keys')
    .refine(keys => new Set(keys).size === keys.length, 'expected each key once')
    .default([]),
})

export const webhooks = z.strictObject({
  /** Signs deliveries of jobs that bring no secret of their own: `whsec_` and base64. */
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and the base64 of 24 to 64 bytes')
    .optional(),
  secret_file: secretFile,
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
