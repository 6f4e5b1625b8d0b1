import { z } from 'zod'
import { duration } from './durations.ts'
import { numeric, positiveInt } from './schema-values.ts'
import { maxBlobBytes } from './storage-schema.ts'

/** A batch's jobs carry the number of their line in five letters of their id, five bits each. */
const lineCount = numeric(
  z
    .int()
    .positive()
    .max(2 ** 25 - 1),
)
/** Redis takes no longer value than 512 MB, and a process holds several of this size. */
const maxHeldBytes = 256 * 1024 * 1024

export const batches = z.strictObject({
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

export const quotas = z.strictObject({
  files: quota.files.default(100_000),
  /** Bytes of files, of uploads from their announcement on, and of documents of message batches that run. */
  bytes: quota.bytes.default(100 * 1024 * 1024 * 1024),
  open_batches: quota.open_batches.default(1_000),
  /** In place of these, by the names that `api_keys` give tenants. */
  tenants: z.record(z.string(), z.strictObject(quota).partial()).default({}),
})

/** By the names that `api_keys` give tenants. */
export const tenants = z.record(
  z.string(),
  z.strictObject({
    /** Its share of a queue, next to those of other tenants that wait there. */
    weight: numeric(z.number().min(0.01).max(1_000)).default(1),
  }),
)
