import type { Answer, Api, Request } from '../../harness/api.ts'
import { keyOf, type Tenant, tenants } from '../plan/tenants.ts'

/** The API as the clients of several tenants see it; what is asked by its id is asked by the tenant who was told of it. */
export interface TenantApi extends Api {
  of(tenant: Tenant): Api
}

export const authorizationOf = (tenant: Tenant): { readonly authorization: string } => ({
  authorization: `Bearer ${keyOf(tenant)}`,
})

const ids = /(?:job_|batch_|file-)[0-9a-z]{26}/g

export const createTenantApi = (api: Api): TenantApi => {
  const owners = new Map<string, Tenant>()

  const signed = (tenant: Tenant, request: Request = {}): Request => ({
    ...request,
    headers: { ...request.headers, ...authorizationOf(tenant) },
  })
  const learn = (tenant: Tenant, path: string, answer: Answer): Answer => {
    if (path.endsWith('/content')) return answer
    for (const [id] of answer.text.matchAll(ids)) owners.set(id, tenant)
    return answer
  }

  const as = (tenantFor: (path: string) => Tenant): Api => ({
    send: async (path, request) => {
      const tenant = tenantFor(path)
      return learn(tenant, path, await api.send(path, signed(tenant, request)))
    },
    try: async (path, request) => {
      const tenant = tenantFor(path)
      const answer = await api.try(path, signed(tenant, request))
      return answer && learn(tenant, path, answer)
    },
    ask: async (path, request) => {
      const tenant = tenantFor(path)
      return learn(tenant, path, await api.ask(path, signed(tenant, request)))
    },
    answeredAtMs: api.answeredAtMs,
    close: api.close,
  })
  const ownerIn = (path: string): Tenant => owners.get(path.match(ids)?.[0] ?? '') ?? tenants[0]

  return { ...as(ownerIn), of: tenant => as(() => tenant) }
}
