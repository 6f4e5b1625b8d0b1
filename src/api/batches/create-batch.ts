import type { FastifyReply, FastifyRequest } from 'fastify'
import { batchFields, type NewBatch } from '../../batches/new-batch.ts'
import { createPriceGaps, sayPriceGap } from '../../batches/price-gaps.ts'
import { type BatchRecord, parseBatch } from '../../batches/record.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import type {} from '../../domain/errors.ts'
import { BatonError } from '../../domain/errors.ts'
import { newBatchId, shardOf } from '../../redis/keys.ts'
import { batchNotFound } from '../http/find-owned.ts'
import { createWithinQuota } from '../http/quota.ts'
import type { ApiParts } from '../parts.ts'
import { windowMsOf } from './request-schemas.ts'

/** What the routes of batches stand on. */
export type BatchParts = Pick<
  ApiParts,
  | 'addressGuard'
  | 'batches'
  | 'blobs'
  | 'config'
  | 'doorbells'
  | 'files'
  | 'log'
  | 'now'
  | 'providers'
  | 'quotas'
  | 'resolve'
  | 'routes'
  | 'speeds'
>

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

/**
 * Makes the batch, or finds the one that the same request made before. Throws `inputGone()` when the file is
 * gone by now.
 */
export const createBatch = async (
  parts: Pick<ApiParts, 'batches' | 'now' | 'providers' | 'quotas' | 'routes'>,
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

/**
 * Throws `price_unknown`: a limit on the cost limits nothing where no price is known. `models` are those that
 * the lines name, where they are known by now. Without them the batch is refused if no line could have a
 * price; its lines are checked when they are validated.
 */
export const refuseUnpriced = (
  { routes, providers }: Pick<ApiParts, 'providers' | 'routes'>,
  endpoint: Endpoint,
  maxCostUsd: number | null,
  models?: ReadonlySet<string>,
): void => {
  if (maxCostUsd === null) return
  const gaps = createPriceGaps(routes, providers, endpoint)
  const gap = models ? [...models].map(gaps.of).find(target => target !== null) : gaps.everywhere()
  if (gap) throw new BatonError('price_unknown', sayPriceGap(gap), { param: 'max_cost_usd' })
}
