import type { Config } from './schema.ts'

/** Tenants that metrics tell apart, the same in all processes of one config; null where they tell of none. */
export const toldTenants = ({
  metrics: { tenant_label, max_tenants },
  api_keys,
}: Pick<Config, 'api_keys' | 'metrics'>): ReadonlySet<string> | null => {
  if (!tenant_label) return null
  const names = api_keys.length === 0 ? ['default'] : api_keys.map(({ tenant }) => tenant)
  return new Set([...new Set(names)].slice(0, max_tenants))
}
