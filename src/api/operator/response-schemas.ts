import { z } from 'zod'
import { providerTypes } from '../../config/provider-schema.ts'
import { scalingBounds } from '../../domain/planning/workers-wanted.ts'
import { adjustPolicies } from '../../domain/routing/adjustments.ts'
import { capabilities } from '../../domain/routing/capabilities.ts'
import { strategies } from '../../domain/routing/strategy.ts'
import { lastError, seconds } from '../jobs/openapi.ts'

const named = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
})

export const scaling = z
  .object({
    object: z.literal('scaling'),
    provider: z.string(),
    workers_wanted: z.int(),
    bound_by: z.enum(scalingBounds),
    workers: z.int(),
    waiting: z.int(),
    running: z.int(),
    passed_over: z.int(),
    places_per_worker: z.int(),
    usable_calls: z.int().nullable(),
  })
  .meta({ id: 'Scaling' })

/** Names of settings, never a value: clients' keys go by the first letters of their SHA-256. */
export const reloaded = z.object({
  object: z.literal('config'),
  version: z.string(),
  providers: named,
  routes: named,
  api_keys: named,
  limits: z.array(z.string()),
  settings: z.array(z.string()),
  needs_restart: z.array(z.string()),
})

const healthEntry = z.object({
  scope: z.string(),
  state: z.enum(['throttled', 'slow', 'down', 'probing', 'recovering', 'stopped']),
  since: seconds,
  until: seconds,
  reason: z.string(),
  error: lastError.optional(),
})

/** `interval` in seconds. */
const healthCheck = z.object({
  kind: z.enum(['models', 'completion']),
  interval: z.number(),
  checked_at: seconds.nullable(),
})

const worker = z.object({
  instance: z.string(),
  pid: z.int(),
  breaker: z.string(),
  calls_in_flight: z.int(),
  concurrency: z.int(),
  process_bound: z.int(),
  seen_at: seconds,
})

const seenLimits = z.object({
  key: z.string(),
  model: z.string().nullable(),
  rpm: z.number().nullable(),
  tpm: z.number().nullable(),
  remaining_requests: z.number().nullable(),
  remaining_tokens: z.number().nullable(),
  told_at: seconds.nullable(),
  used_rpm: z.int().nullable(),
  used_tpm: z.int().nullable(),
  calls_in_flight: z.int(),
  adaptive_concurrency: z.int().nullable(),
  adaptive_rpm: z.int().nullable(),
  blocked_until: seconds.nullable(),
  held_by: z.enum([
    ...(['told_limit', 'configured_limit', 'learned_rate', 'learned_ceiling'] as const),
    ...(['left_alone', 'process_bound', 'no_work', 'nothing'] as const),
  ]),
  held_limit: z.int().nullable(),
  held_unit: z.enum(['requests_per_minute', 'tokens_per_minute', 'calls_at_once']).nullable(),
})

const providerEvent = z.object({
  at: seconds,
  /** Null where it is about all of the provider. */
  model: z.string().nullable(),
  state: z.enum(['healthy', 'throttled', 'slow', 'down', 'probing', 'recovering', 'paused']),
  until: seconds.nullable(),
  reason: z.string().nullable(),
  share: z.number(),
  probe_owner: z.string().nullable(),
})

export const provider = z
  .object({
    name: z.string(),
    type: z.enum(providerTypes),
    models: z.array(z.string()),
    state: z.enum(['healthy', 'slow', 'down', 'probing', 'recovering', 'throttled', 'stopped', 'paused']),
    since: seconds.nullable(),
    until: seconds.nullable(),
    reason: z.string().nullable(),
    share: z.number(),
    probe_owner: z.string().nullable(),
    recovery: z.object({ steps: z.array(z.number()), step: z.int(), relapses: z.int() }),
    paused: z.object({ at: seconds, by: z.string().nullable(), note: z.string().nullable() }).nullable(),
    last_error: lastError.nullable(),
    health_check: healthCheck.nullable(),
    entries: z.array(healthEntry),
    events: z.array(providerEvent),
    queue: z.object({
      waiting: z.int(),
      active: z.int(),
      parked: z.int(),
      oldest_at: seconds.nullable(),
      by_class: z.object({ interactive: z.int(), default: z.int(), bulk: z.int() }),
    }),
    /** In a second, over the last ones; null while too little is known. */
    rates: z.object({ attempts: z.number().nullable(), failures: z.number().nullable() }),
    p95_ms: z.int().nullable(),
    estimated_drain_at: seconds.nullable(),
    limits: z.object({
      rpm: z.int().nullable(),
      tpm: z.int().nullable(),
      concurrency: z.int().nullable(),
      seen: z.array(seenLimits),
    }),
    workers: z.array(worker),
    workers_wanted: z.int(),
    without_worker_since: seconds.nullable(),
  })
  .meta({ id: 'Provider' })

export const providerList = z.object({ object: z.literal('list'), data: z.array(provider) })

const price = z.object({
  input: z.number(),
  output: z.number(),
  cache_read: z.number().optional(),
  cache_write: z.number().optional(),
})

const target = z.object({
  provider: z.string(),
  model: z.string(),
  route: z.string(),
  available_at: seconds.nullable(),
  recent_failures: z.number(),
  success_share: z.number(),
  p95_ms: z.int().nullable(),
  first_token_p95_ms: z.int().nullable(),
  price: price.extend({ tiers: z.array(price.extend({ above: z.int() })).optional() }).nullable(),
  usual_cost_usd: z.number().nullable(),
  context_window: z.int().nullable(),
  max_output_tokens: z.int().nullable(),
  capabilities: z.partialRecord(z.enum([...capabilities, 'reasoning']), z.boolean()),
  weight: z.number().nullable(),
  share: z.number().nullable(),
})

const route = z
  .object({
    id: z.string(),
    object: z.literal('route'),
    strategy: z.enum(strategies),
    on_refusal: z.enum(['succeed', 'handover']),
    adjust: z.enum(adjustPolicies),
    targets: z.array(target),
  })
  .meta({ id: 'Route' })

export const routeList = z.object({ object: z.literal('list'), data: z.array(route) })

const alike = z.object({ count: z.int(), share: z.number().nullable() })
const latencies = z.object({
  mean: z.number().nullable(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
})

const mirror = z
  .object({
    route: z.string(),
    to: z.object({ provider: z.string(), model: z.string() }),
    sample: z.number(),
    parallel: z.boolean(),
    keep_pairs: z.int(),
    since: seconds.nullable(),
    sampled: z.int(),
    compared: z.int(),
    failed: z.int(),
    fallback: z.int(),
    dropped: z.int(),
    lost: z.int(),
    waiting: z.int(),
    agreement: z.object({ exact: alike, normalised: alike }),
    latency_ms: z.object({
      original: latencies,
      mirror: latencies,
      mean_difference: z.number().nullable(),
    }),
    cost_usd: z.object({
      compared: z.int(),
      original: z.number(),
      mirror: z.number(),
      mean_difference: z.number().nullable(),
    }),
  })
  .meta({ id: 'Mirror' })

export const mirrorList = z.object({ object: z.literal('list'), data: z.array(mirror) })

const pairCall = z.object({
  provider: z.string(),
  model: z.string(),
  status_code: z.int(),
  latency_ms: z.number(),
  cost_usd: z.number().nullable(),
  answer: z
    .unknown()
    .meta({ description: "The provider's answer; where it is `cut`, its beginning as a string." }),
  cut: z.boolean(),
})

const mirrorPair = z
  .object({
    at: seconds,
    job_id: z.string(),
    route: z.string(),
    endpoint: z.string(),
    original: pairCall,
    mirror: pairCall,
  })
  .meta({ id: 'MirrorPair' })

export const mirrorPairList = z.object({ object: z.literal('list'), data: z.array(mirrorPair) })

const deadLetter = z
  .object({
    id: z.string(),
    job_id: z.string().optional(),
    batch_id: z.string().optional(),
    event: z.enum(['batch.blocked', 'batch.at_risk']).optional(),
    tenant: z.string().optional(),
    died_at: seconds,
    webhook: z.object({ url: z.string() }),
    attempts: z.int(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'DeadLetter' })

export const deadLetterList = z.object({
  object: z.literal('list'),
  data: z.array(deadLetter),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
})

export const alive = z.object({ status: z.literal('ok') })
export const ready = z.object({
  status: z.literal('ready'),
  without_worker: z.array(z.string()).optional(),
  refusing: z.literal('storage_full').optional(),
})
export const notReady = z.object({
  status: z.literal('unavailable'),
  reason: z.enum(['redis_unavailable', 'shutting_down']),
})

/** What stands at `GET /openapi.json` itself. */
export const description = z.looseObject({ openapi: z.string() })
