import type { Usage } from '../domain/job.ts'
import { createHistogram, type Series } from './histogram.ts'
import { type Counted, createSums, type Sums } from './sums.ts'
import type { Telemetry, TelemetryEvent } from './telemetry.ts'
import { createTenantMeasures, noTenants, type TenantFigures } from './tenant-measures.ts'
import { kindsOf, type TokenKinds } from './token-kinds.ts'

/** How long things took in this process, what was used and what that cost, since it started: over all configs that it ran on. */
export interface Measures {
  /**
   * Measures what this tells of. Models, routes and providers are those of the config: no label is a client's word. `routeNamed`: the route
   * of the config that a job's name of a model stands for. `tenants`: those that are told apart; null for no figures of tenants at all.
   */
  follow(
    telemetry: Pick<Telemetry, 'subscribe'>,
    routeNamed?: (model: string) => string,
    tenants?: ReadonlySet<string> | null,
  ): void
  /** Single jobs that it took. */
  accepted(): number
  /** Requests that it refused for lack of room, by `reason`: the API adds to them. */
  readonly refusals: Sums
  read(): Measured
}

/** What was measured so far. */
export interface Measured {
  readonly queueWait: readonly Series[]
  readonly attempts: readonly Series[]
  readonly firstTokens: readonly Series[]
  readonly jobs: readonly Series[]
  readonly batches: readonly Series[]
  readonly webhooks: readonly Series[]
  readonly used: readonly Used[]
  /** US dollars that caches saved. */
  readonly saved: readonly Counted[]
  readonly cacheLookups: readonly Counted[]
  readonly batchLines: readonly Counted[]
  /** Empty unless the config asks for it. */
  readonly tenants: TenantFigures
}

/** Of one model of a provider. */
export interface Used {
  readonly provider: string
  readonly model: string
  readonly tokens: TokenKinds
  /** US dollars, of calls whose price is known; null without one. */
  readonly costUsd: number | null
}

export const createMeasures = (): Measures => {
  const queueWait = createHistogram('provider', 'class')
  const attempts = createHistogram('provider', 'model', 'verdict')
  const firstTokens = createHistogram('provider', 'model')
  const jobs = createHistogram('route', 'status')
  const batches = createHistogram('status')
  const webhooks = createHistogram('outcome')
  const saved = createSums('provider', 'model', 'by')
  const cacheLookups = createSums('route', 'result')
  const batchLines = createSums('status')
  const used = new Map<string, Used>()
  const ofTenants = createTenantMeasures()
  const refusals = createSums('reason')
  let areTenantsTold = false
  let accepted = 0

  const use = (provider: string, model: string, usage: Usage, costUsd: number | null): void => {
    const key = `${provider}/${model}`
    const { tokens, costUsd: before } = used.get(key) ?? unused
    const more = kindsOf(usage)
    used.set(key, {
      provider,
      model,
      tokens: {
        input: tokens.input + more.input,
        cache_read: tokens.cache_read + more.cache_read,
        cache_write: tokens.cache_write + more.cache_write,
        output: tokens.output + more.output,
      },
      costUsd: costUsd === null ? before : (before ?? 0) + costUsd,
    })
  }

  const measure = (event: TelemetryEvent, routeNamed: (model: string) => string): void => {
    switch (event.kind) {
      case 'job.accepted':
        accepted += 1
        break
      case 'job.claimed':
        queueWait.observe(event.waitedMs / 1_000, event.provider, event.class)
        break
      case 'attempt.ended': {
        const { provider, model, usage, firstTokenMs } = event
        attempts.observe(event.durationMs / 1_000, provider, model, event.verdict)
        if (firstTokenMs !== null) firstTokens.observe(firstTokenMs / 1_000, provider, model)
        if (usage !== null) use(provider, model, usage, event.costUsd)
        if (event.savedUsd > 0) saved.add(event.savedUsd, provider, model, 'provider_cache')
        break
      }
      case 'cache.looked_up':
        cacheLookups.add(1, event.route, event.result)
        if (event.saved !== null)
          saved.add(event.saved.usd, event.saved.provider, event.saved.model, 'answer_cache')
        break
      case 'batch.lines_collected':
        for (const [status, count] of Object.entries(event.counts)) batchLines.add(count, status)
        break
      case 'batch.ended':
        batches.observe(event.tookMs / 1_000, event.status)
        break
      case 'webhook.attempt_ended':
        webhooks.observe(event.durationMs / 1_000, event.status)
        break
      case 'job.finished':
        jobs.observe(event.tookMs / 1_000, routeNamed(event.route), event.status)
        break
    }
  }

  return {
    follow: (telemetry, routeNamed = model => model, tenants = null) => {
      telemetry.subscribe(event => measure(event, routeNamed))
      areTenantsTold = tenants !== null
      if (tenants !== null) ofTenants.follow(telemetry, tenants)
    },
    accepted: () => accepted,
    refusals,
    read: () => ({
      queueWait: queueWait.read(),
      attempts: attempts.read(),
      firstTokens: firstTokens.read(),
      jobs: jobs.read(),
      batches: batches.read(),
      webhooks: webhooks.read(),
      saved: saved.read(),
      cacheLookups: cacheLookups.read(),
      batchLines: batchLines.read(),
      used: [...used.values()],
      tenants: areTenantsTold ? ofTenants.read() : noTenants,
    }),
  }
}

const unused = { tokens: { input: 0, cache_read: 0, cache_write: 0, output: 0 }, costUsd: null } as const
