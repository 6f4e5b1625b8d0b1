import { z } from 'zod'
import { flag, numeric } from './schema-values.ts'

/** What metrics tell beside what they always do. */
export const metrics = z.strictObject({
  /** Jobs, tokens and cost by tenant: whoever may read the metrics learns the names of tenants. */
  tenant_label: flag.default(false),
  /** Tenants with figures of their own, by the order of `api_keys`; those of the others are added up. */
  max_tenants: numeric(z.int().min(1).max(1_000)).default(50),
})
