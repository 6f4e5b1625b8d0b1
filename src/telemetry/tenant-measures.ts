import { type Counted, createSums } from './sums.ts'
import type { Telemetry, TelemetryEvent } from './telemetry.ts'
import { kindsOf } from './token-kinds.ts'

/** What tenants did in this process, since it started. */
export interface TenantFigures {
  readonly jobs: readonly Counted[]
  readonly tokens: readonly Counted[]
  /** US dollars, of calls whose price is known. */
  readonly cost: readonly Counted[]
}

export const noTenants: TenantFigures = { jobs: [], tokens: [], cost: [] }

/** Stands for all tenants that have no figures of their own. */
const others = 'other'

export interface TenantMeasures {
  /** `named`: those that have figures. Each label is kept for the life of the process, so there must not be many. */
  follow(telemetry: Pick<Telemetry, 'subscribe'>, named: ReadonlySet<string>): void
  read(): TenantFigures
}

export const createTenantMeasures = (): TenantMeasures => {
  const jobs = createSums('tenant', 'status')
  const tokens = createSums('tenant', 'kind')
  const cost = createSums('tenant')
  const measure = (event: TelemetryEvent, named: ReadonlySet<string>): void => {
    if (event.kind !== 'job.finished' && event.kind !== 'attempt.ended') return
    const tenant = named.has(event.tenant) ? event.tenant : others
    if (event.kind === 'job.finished') {
      jobs.add(1, tenant, event.status)
      return
    }
    for (const [kind, count] of Object.entries(event.usage ? kindsOf(event.usage) : {}))
      tokens.add(count, tenant, kind)
    if (event.costUsd !== null) cost.add(event.costUsd, tenant)
  }
  return {
    follow: (telemetry, named) => telemetry.subscribe(event => measure(event, named)),
    read: () => ({ jobs: jobs.read(), tokens: tokens.read(), cost: cost.read() }),
  }
}
