import { z } from 'zod'
import { duration, durationFrom } from './durations.ts'
import { model } from './model-schema.ts'
import { presetNames } from './presets.ts'
import { flag, httpUrl, numeric, oneLine, ownConcurrency, positiveInt, proxyUrl } from './schema-values.ts'
import { headerSafeKey, secretFile, vendorSettings } from './vendor-settings.ts'

/** Provider types this version can drive. */
export const providerTypes = [
  'openai',
  'anthropic',
  'openai-compatible',
  'azure',
  'google',
  'vertex',
  'cohere',
  'bedrock',
  'mistral',
  ...presetNames,
  'simulated',
] as const

const breaker = z.strictObject({
  window: durationFrom('1ms').prefault('30s'),
  /** Opens when more than this share of the calls in the window failed. */
  error_percent: numeric(z.number().min(1).max(99)).default(50),
  /** Never opens on fewer calls than this. */
  min_calls: positiveInt.default(10),
  /** So many failures one after the other open it as well, over all processes; half of `min_calls`, at least 5, when absent. */
  consecutive_failures: positiveInt.optional(),
  /**
   * Calls that take so many times as long as the longest usually do are overdue: where several are and nothing is answered, no
   * more are made until it was checked. 0 turns that off.
   */
  slow_factor: numeric(z.number().min(0).max(1000)).default(2),
  /** How long it stays open before one call may probe. */
  reset: durationFrom('1ms').prefault('30s'),
  /** That time doubles with each probe that fails, up to this. */
  max_reset: duration.prefault('5m'),
})

const recovery = z.strictObject({
  /** From the first answer after an outage to all of the traffic. */
  ramp: duration.prefault('5m'),
  /** How often the share grows, when nothing speaks against it. */
  step_interval: duration.prefault('60s'),
  /** The first share of the traffic, up to 1. */
  first_share: numeric(z.number().positive().max(1)).default(0.05),
})

const backoff = z.strictObject({
  /** The longest wait after the first failure. */
  base: durationFrom('1ms').prefault('500ms'),
  /** It doubles with each further failure, up to this. */
  cap: durationFrom('1ms').prefault('2m'),
})

/** When a stream counts as stalled; `auto`: by what its model did of late. */
const silence = z.union([z.literal('auto'), durationFrom('1ms')]).default('auto')

const stream = z.strictObject({
  /** From the start of a call to the first content of its answer. */
  first_token_timeout: silence,
  /** Between two events after that. */
  idle_timeout: silence,
})

const healthCheck = z.strictObject({
  /** The list of its models, which costs nothing, or a completion of one token, which shows more. */
  kind: z.enum(['models', 'completion']).default('models'),
  /** Once in this time, by one process, where no job called it meanwhile. */
  interval: duration.prefault('30s'),
  /** Its own name of the model that completes; the first that a route leads to when absent. */
  model: z.string().min(1).optional(),
  enabled: flag.default(true),
})

export const provider = z.strictObject({
  type: z.enum(providerTypes),
  base_url: httpUrl.optional(),
  api_key: headerSafeKey.optional(),
  api_keys: z.array(headerSafeKey).min(1).optional(),
  /** Mounted files with these, read anew when they change. */
  api_key_file: secretFile,
  api_key_files: z.array(z.string().min(1)).min(1).optional(),
  headers: z
    .record(
      z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected the name of an HTTP header'),
      z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected the value of an HTTP header, on one line'),
    )
    .default({}),
  /** The longest a whole upstream call may take. */
  timeout: durationFrom('1ms').prefault('5m'),
  connect_timeout: durationFrom('1ms').prefault('10s'),
  stream: stream.prefault({}),
  /** Whether calls that nobody reads along are streamed from the provider and put together here. */
  upstream_stream: z.enum(['auto', 'always', 'never']).default('auto'),
  /** Wins over `proxy.http` and `proxy.https`; `direct` for none. */
  proxy: z.union([z.literal('direct'), proxyUrl]).optional(),
  /** Upstream calls at once, per worker process; `auto`: as many as turn out to be of use. */
  concurrency: ownConcurrency.default('auto'),
  /** Tries again here after a transient failure before the handover; not after a timeout. */
  retries: numeric(z.int().min(0).max(10)).default(1),
  /** How long a job leaves this provider alone after failures it had here: anywhere from nothing to the longest wait. */
  backoff: backoff.prefault({}),
  max_response_bytes: positiveInt.default(32 * 1024 * 1024),
  /** The limits of the account, for each of its keys; all workers together keep them. */
  limits: z
    .strictObject({
      rpm: positiveInt.optional(),
      tpm: positiveInt.optional(),
      /** Calls at once. */
      concurrency: positiveInt.optional(),
    })
    .default({}),
  breaker: breaker.prefault({}),
  /** How traffic returns after an outage, and after throttling. */
  recovery: recovery.prefault({}),
  /** Without it, providers that send no bills are asked for their list of models; see `healthCheckOf`. */
  health_check: healthCheck.optional(),
  models: z.record(oneLine, model).default({}),
  ...vendorSettings,
})
