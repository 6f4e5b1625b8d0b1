import type { Usage } from '../domain/job.ts'
import { createHistogram, type Series } from './histogram.ts'
import type { Telemetry, TelemetryEvent } from './telemetry.ts'

/** How long things took in this process, what was used and what that cost, since it started. */
export interface Measured {
  readonly queueWait: readonly Series[]
  readonly attempts: readonly Series[]
  readonly firstTokens: readonly Series[]
  readonly jobs: readonly Series[]
  readonly used: readonly Used[]
}

/** Of one model of a provider. */
export interface Used {
  readonly provider: string
  readonly model: string
  /** Each token stands under one kind: `input` is what was neither read from a cache nor written to one. */
  readonly tokens: Readonly<Record<'input' | 'cache_read' | 'cache_write' | 'output', number>>
  /** US dollars, of calls whose price is known; null without one. */
  readonly costUsd: number | null
}

export const nothingMeasured: Measured = {
  queueWait: [],
  attempts: [],
  firstTokens: [],
  jobs: [],
  used: [],
}

/** Models, routes and providers are those of the config: no label is a client's word, or a tenant's. */
export const createMeasures = (telemetry: Pick<Telemetry, 'subscribe'>): (() => Measured) => {
  const queueWait = createHistogram('provider', 'class')
  const attempts = createHistogram('provider', 'model', 'verdict')
  const firstTokens = createHistogram('provider', 'model')
  const jobs = createHistogram('route', 'status')
  const used = new Map<string, Used>()

  const use = (provider: string, model: string, usage: Usage, costUsd: number | null): void => {
    const key = `${provider}/${model}`
    const { tokens, costUsd: before } = used.get(key) ?? unused
    const { cache_read_tokens: read = 0, cache_write_tokens: write = 0 } = usage
    used.set(key, {
      provider,
      model,
      tokens: {
        input: tokens.input + Math.max(0, usage.input_tokens - read - write),
        cache_read: tokens.cache_read + read,
        cache_write: tokens.cache_write + write,
        output: tokens.output + usage.output_tokens,
      },
      costUsd: costUsd === null ? before : (before ?? 0) + costUsd,
    })
  }

  const measure = (event: TelemetryEvent): void => {
    switch (event.kind) {
      case 'job.claimed':
        queueWait.observe(event.waitedMs / 1_000, event.provider, event.class)
        break
      case 'attempt.ended': {
        const { provider, model, usage, firstTokenMs } = event
        attempts.observe(event.durationMs / 1_000, provider, model, event.verdict)
        if (firstTokenMs !== null) firstTokens.observe(firstTokenMs / 1_000, provider, model)
        if (usage !== null) use(provider, model, usage, event.costUsd)
        break
      }
      case 'job.finished':
        jobs.observe(event.tookMs / 1_000, event.route, event.status)
        break
    }
  }
  telemetry.subscribe(measure)

  return () => ({
    queueWait: queueWait.read(),
    attempts: attempts.read(),
    firstTokens: firstTokens.read(),
    jobs: jobs.read(),
    used: [...used.values()],
  })
}

const unused = { tokens: { input: 0, cache_read: 0, cache_write: 0, output: 0 }, costUsd: null } as const
