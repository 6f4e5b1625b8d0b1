import type { NewBatch } from '../../batches/new-batch.ts'
import type { BatchCreated } from '../../batches/store.ts'
import { BatonError } from '../../domain/errors.ts'
import type { Quotas } from '../../files/quotas.ts'
import type { ApiParts } from '../parts.ts'

/**
 * Throws `storage_quota_exceeded` where the tenant has no quota left for a file, or for bytes that are no
 * file.
 */
export const reserveQuota = async (
  quotas: Quotas,
  tenant: string,
  fileId: string,
  files: 0 | 1,
  bytes: number,
): Promise<void> => {
  const held = await quotas.hold(tenant, fileId, files, bytes)
  if (held === 'held') return
  const most = quotas.of(tenant)[held]
  throw new BatonError(
    'storage_quota_exceeded',
    `You may keep ${most} ${held} of files; delete some that you are done with.`,
  )
}

/**
 * Makes a batch where the tenant may have one more open. One that a client may have sent before is looked for
 * all the same: it may be the very one that takes the last place.
 */
export const createWithinQuota = async (
  { quotas, batches }: Pick<ApiParts, 'batches' | 'quotas'>,
  batch: NewBatch,
): Promise<BatchCreated> => {
  const { id, tenant } = batch
  if (!(await quotas.admit(tenant, id))) {
    const first = batch.replay ? await batches.repeated(batch) : null
    if (first === null) throw tooManyOpen(quotas, tenant)
    return { kind: 'replayed', id: first }
  }
  const created = await batches.create(batch)
  if (created.kind !== 'created') await quotas.ended(tenant, id)
  return created
}

const retryOpenMs = 60_000

const tooManyOpen = (quotas: Quotas, tenant: string): BatonError =>
  new BatonError(
    'too_many_open_batches',
    `You may have ${quotas.of(tenant).openBatches} batches open at a time; wait for one to end.`,
    { retryAfterMs: retryOpenMs },
  )
