import type { FastifyReply, FastifyRequest } from 'fastify'
import { batchFields } from '../../batches/codec.ts'
import { type BatchRecord, parseBatch } from '../../batches/record.ts'
import type { NewBatch } from '../../batches/store.ts'
import type { BatonError } from '../../domain/errors.ts'
import { newBatchId, shardOf } from '../../redis/keys.ts'
import { createWithinQuota } from '../http/quota.ts'
import type { ApiParts } from '../parts.ts'
import { batchNotFound } from './owned-batch.ts'
import { refuseUnpriced } from './refuse-unpriced.ts'
import { windowMsOf } from './request-schemas.ts'

/** An OpenAI batch as a request asks for it. `inputFileId` was seen to be a file of the tenant's. */
export type BatchOrder = Pick<
  NewBatch,
  | 'endpoint'
  | 'input'
  | 'completionWindow'
  | 'metadata'
  | 'outputExpiresAfterMs'
  | 'webhook'
  | 'maxCostUsd'
  | 'retryOf'
  | 'headers'
  | 'fingerprint'
  | 'replay'
> & { readonly inputFileId: string }

export interface CreatedBatch {
  readonly batch: BatchRecord
  /** An earlier request made it. */
  readonly isReplayed: boolean
}

/** Makes the batch, or finds the one that the same request made before. Throws `inputGone()` when its file is gone meanwhile. */
export const createBatch = async (
  parts: ApiParts,
  request: FastifyRequest,
  reply: FastifyReply,
  order: BatchOrder,
  inputGone: () => BatonError,
): Promise<CreatedBatch> => {
  const { batches, now } = parts
  refuseUnpriced(parts, order.endpoint, order.maxCostUsd)
  const createdAtMs = now()
  const batch: NewBatch = {
    ...order,
    // A request's fingerprint is looked for in the shard of its file.
    id: newBatchId('openai', shardOf(order.inputFileId), createdAtMs),
    tenant: request.tenant,
    dialect: 'openai',
    createdAtMs,
    expiresAtMs: createdAtMs + windowMsOf(order.completionWindow),
    total: null,
    apiVersion: null,
  }
  const created = await createWithinQuota(parts, batch)
  if (created.kind === 'no_input') throw inputGone()
  if (created.kind === 'created') return { batch: asWritten(batch), isReplayed: false }
  const first = await batches.read(created.id)
  if (first === null) throw batchNotFound(created.id, 'openai')
  reply.header('idempotent-replayed', 'true')
  return { batch: first, isReplayed: true }
}

/** Not read back: it stands, and an error now would make the client create it again. */
export const asWritten = (batch: NewBatch): BatchRecord => {
  // Which files it will have is shown at its end only.
  const words = batchFields(batch, { output: '', error: '' })
  const fields: Record<string, string> = {}
  for (let i = 0; i < words.length; i += 2) fields[words[i]!] = String(words[i + 1])
  return parseBatch(fields)!
}
