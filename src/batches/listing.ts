import type { Cluster, Redis } from 'ioredis'
import type { Dialect } from '../domain/endpoint.ts'
import type { Keys } from '../redis/keys.ts'

/** One page, newest first. `before` asks for the page just newer than that id. At most one of the two. */
export interface BatchPage {
  readonly after?: string | undefined
  readonly before?: string | undefined
  readonly limit: number
}

/** A tenant's batches by id, and so by time. The index may name one that is not there (yet, or any more). */
export interface BatchIndex {
  add(tenant: string, dialect: Dialect, id: string): Promise<void>
  /** Tenants that have made a batch. */
  tenants(): Promise<readonly string[]>
  remove(tenant: string, dialect: Dialect, ids: readonly string[]): Promise<void>
  has(tenant: string, dialect: Dialect, id: string): Promise<boolean>
  oldest(tenant: string, dialect: Dialect, limit: number): Promise<readonly string[]>
  /** The next ids in the direction of travel: older ones, or with `before` newer ones, the nearest first. */
  next(tenant: string, dialect: Dialect, page: BatchPage): Promise<readonly string[]>
}

export const createBatchIndex = (redis: Redis | Cluster, keys: Keys): BatchIndex => ({
  add: async (tenant, dialect, id) => {
    await Promise.all([
      redis.sadd(keys.batchTenants, tenant),
      redis.zadd(keys.batches(dialect, tenant), 0, id),
    ])
  },
  tenants: () => redis.smembers(keys.batchTenants),
  remove: async (tenant, dialect, ids) => {
    if (ids.length > 0) await redis.zrem(keys.batches(dialect, tenant), ...ids)
  },
  has: async (tenant, dialect, id) => (await redis.zscore(keys.batches(dialect, tenant), id)) !== null,
  oldest: (tenant, dialect, limit) =>
    redis.zrange(keys.batches(dialect, tenant), '-', '+', 'BYLEX', 'LIMIT', 0, limit),
  next: (tenant, dialect, { after, before, limit }) => {
    const key = keys.batches(dialect, tenant)
    return before === undefined
      ? redis.zrange(key, after === undefined ? '+' : `(${after}`, '-', 'BYLEX', 'REV', 'LIMIT', 0, limit)
      : redis.zrange(key, `(${before}`, '+', 'BYLEX', 'LIMIT', 0, limit)
  },
})
