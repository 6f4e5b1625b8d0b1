import type { Config } from './schema.ts'

/** What a tenant may have at a time. */
export const quotasOf =
  ({ quotas: { tenants, ...all } }: Pick<Config, 'quotas'>) =>
  (tenant: string) => {
    const own = Object.hasOwn(tenants, tenant) ? tenants[tenant]! : {}
    return {
      files: own.files ?? all.files,
      bytes: own.bytes ?? all.bytes,
      openBatches: own.open_batches ?? all.open_batches,
    }
  }
