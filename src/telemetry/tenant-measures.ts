import { type Counted, createSums } from './sums.ts'
import type { Telemetry } from './telemetry.ts'
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

/** `named`: those that have. Each label is kept for the life of the process, so there must not be many. */
export const createTenantMeasures = (
  telemetry: Pick<Telemetry, 'subscribe'>,
  named: ReadonlySet<string>,
): (() => TenantFigures) => {
  const jobs = createSums('tenant', 'status')
  const tokens = createSums('tenant', 'kind')
  const cost = createSums('tenant')
  const labelOf = (tenant: string): string => (named.has(tenant) ? tenant : others)
  telemetry.subscribe(event => {
    if (event.kind === 'job.finished') jobs.add(1, labelOf(event.tenant), event.status)
    if (event.kind !== 'attempt.ended') return
    const tenant = labelOf(event.tenant)
    for (const [kind, count] of Object.entries(event.usage ? kindsOf(event.usage) : {}))
      tokens.add(count, tenant, kind)
    if (event.costUsd !== null) cost.add(event.costUsd, tenant)
  })
  return () => ({ jobs: jobs.read(), tokens: tokens.read(), cost: cost.read() })
}
