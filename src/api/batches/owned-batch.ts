import type { FastifyRequest } from 'fastify'
import type { BatchRecord } from '../../batches/record.ts'
import type { BatchStore } from '../../batches/store.ts'
import type { Dialect } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import { isBatchId } from '../../redis/keys.ts'

/** The tenant's batch of that kind of client. Throws `batch_not_found`, also for the batch of another tenant. */
export const findOwnedBatch = async (
  batches: BatchStore,
  request: FastifyRequest,
  id: string,
  dialect: Dialect,
): Promise<BatchRecord> => {
  const batch = isBatchId(id, dialect) ? await batches.read(id) : null
  if (batch === null || batch.tenant !== request.tenant) throw batchNotFound(id, dialect)
  return batch
}

/** In either API's words. */
export const batchNotFound = (id: string, dialect: Dialect): BatonError => {
  const message = dialect === 'openai' ? `No batch found with id '${id}'.` : `Message batch ${id} not found.`
  return new BatonError('batch_not_found', message, { param: 'id' })
}
