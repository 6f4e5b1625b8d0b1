import { z } from 'zod'
import { adjustPolicies } from '../domain/routing/adjustments.ts'
import { strategies } from '../domain/routing/strategy.ts'
import { duration } from './durations.ts'
import { modelFacts } from './model-schema.ts'
import { flag, numeric, positiveInt } from './schema-values.ts'

/** Answers are kept, and identical requests under way share one call. */
const cache = z.strictObject({
  ttl: duration.prefault('1h'),
  /** A longer answer is not kept. */
  max_bytes: positiveInt.default(256 * 1024),
  /** The bound on all answers of the route together; the oldest give way. */
  max_total_bytes: positiveInt.default(64 * 1024 * 1024),
  /** Whether answers that came to a limit of length are kept as well. */
  store_truncated: flag.default(false),
})

/** Some of the route's jobs are asked elsewhere, too, and the answers compared. */
const mirror = z.strictObject({
  /** A route, or a model of a provider: `anthropic/claude-3-opus`. */
  to: z.string().min(1),
  /** The part of the jobs, 0 to 1. */
  sample: numeric(z.number().positive().max(1)).default(0.05),
  /** Asks beside the first call, not after the answer; the answer is then the fallback. */
  parallel: flag.default(false),
  /** Further samples are dropped while this many are under way. */
  max_waiting: numeric(z.int().positive().max(10_000)).default(100),
  /** How many of the last answers that differed are kept to be read, with their text. */
  keep_pairs: numeric(z.int().nonnegative().max(100)).default(0),
})

export const route = z.strictObject({
  ...modelFacts,
  provider: z.string().min(1),
  /** The next route, or several in order. */
  fallback_to: z
    .union([z.string().min(1), z.array(z.string().min(1))], 'expected the name of a route, or a list of them')
    .optional(),
  /** In which order those of the chain are asked that can serve. */
  strategy: z.enum(strategies).default('ordered'),
  /**
   * Shares of jobs, by route or provider of the chain; a target without one is asked when no other can serve.
   */
  weights: z.record(z.string().min(1), numeric(z.number().nonnegative())).optional(),
  /** What a refusal does: end the job as succeeded with a flag, or try the next target. */
  on_refusal: z.enum(['succeed', 'handover']).default('succeed'),
  /** How long a job waits for room under the limits of a target before the next one is asked. */
  patience: duration.optional(),
  /** Whether a target may be asked without parameters that only steer, which it cannot be given. */
  adjust: z.enum(adjustPolicies).default('last_resort'),
  cache: cache.optional(),
  mirror: mirror.optional(),
})
