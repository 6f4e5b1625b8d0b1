/** Whose requests a run has; their weights in each queue are 1, 2 and 4. */
export const tenants = ['ant', 'bee', 'cat'] as const

export type Tenant = (typeof tenants)[number]

export const keyOf = (tenant: Tenant): string => `key-of-${tenant}`

/** What a config says of them. */
export const tenantConfig = (): object => ({
  api_keys: tenants.map(tenant => ({ key: keyOf(tenant), tenant })),
  tenants: Object.fromEntries(tenants.map((tenant, i) => [tenant, { weight: 2 ** i }])),
})
