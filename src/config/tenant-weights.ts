import type { Config } from './schema.ts'

/** What tenants have in place of 1, by name. */
export const tenantWeightsOf = ({ tenants }: Pick<Config, 'tenants'>): ReadonlyMap<string, number> =>
  new Map(Object.entries(tenants).map(([name, { weight }]) => [name, weight]))
