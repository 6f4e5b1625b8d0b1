import { randomInt } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { failedRequests, pickRequests } from '../../batches/failed-requests.ts'
import type { NewBatch } from '../../batches/new-batch.ts'
import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { BatonError } from '../../domain/errors.ts'
import { readFile } from '../../files/read-file.ts'
import { newBatchId, newFileId, shardCount, ulidOf } from '../../redis/keys.ts'
import { orNotFound } from '../files/send-content.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { fingerprintOf } from '../http/idempotency.ts'
import { reserveQuota } from '../http/quota.ts'
import { type BatchParts, refuseUnpriced } from './create-batch.ts'
import { createReceived, shardOfRequest } from './create-message-batch.ts'
import { type messageBatchRetryRequest, windowMsOf } from './request-schemas.ts'

type Changes = z.output<typeof messageBatchRetryRequest>

/**
 * Makes a batch of the requests of another one that have no answer, with a copy of them. Throws `batch_not_retryable`, and
 * `results_not_found` when its results or its requests are gone.
 */
export const retryMessageBatch = async (
  parts: BatchParts,
  request: FastifyRequest,
  reply: FastifyReply,
  batch: BatchRecord,
  changes: Changes,
): Promise<BatchRecord> => {
  assertRetryable(batch)
  const ownFile = newFileId(randomInt(shardCount), parts.now())
  return createReceived(parts, reply, ownFile, () => copyFailed(parts, request, batch, changes, ownFile))
}

const assertRetryable = ({ status, counts }: BatchRecord): void => {
  const refuse = (why: string): never => {
    throw new BatonError('batch_not_retryable', why)
  }
  if (!hasEnded(status)) refuse('The batch has not ended; its failed requests can be retried when it has.')
  if (counts.errored + counts.canceled + counts.expired === 0) refuse('The batch has no failed requests.')
}

const gone = ({ id }: BatchRecord, what: 'results' | 'requests'): BatonError =>
  new BatonError('results_not_found', `The ${what} of message batch ${id} are no longer available.`, {
    param: 'id',
  })

const copyFailed = async (
  parts: BatchParts,
  request: FastifyRequest,
  batch: BatchRecord,
  { completion_window = batch.completionWindow, webhook, max_cost_usd }: Changes,
  ownFile: string,
): Promise<NewBatch> => {
  const { files, blobs, quotas, now } = parts
  if ((await files.read(batch.outputFileId)) === null) throw gone(batch, 'results')
  const results = readFile(blobs, await files.segments(batch.outputFileId))
  const failed = await failedRequests(results).catch(orNotFound(() => gone(batch, 'results')))
  await files.reserve(ownFile, request.tenant)
  const picked = pickRequests(readFile(blobs, batch.input), failed)
  const key = `${ulidOf(ownFile)}/requests`
  const { bytes } = await blobs.write(key, picked.lines).catch(orNotFound(() => gone(batch, 'requests')))
  await reserveQuota(quotas, request.tenant, ownFile, 0, bytes)
  const maxCostUsd = max_cost_usd ?? batch.maxCostUsd
  refuseUnpriced(parts, '/v1/messages', maxCostUsd, picked.models())
  const repeated = fingerprintOf(request, [batch.id, { completion_window, webhook, max_cost_usd }])
  const createdAtMs = now()
  return {
    ...repeated,
    id: newBatchId('anthropic', shardOfRequest(repeated.fingerprint), createdAtMs),
    tenant: request.tenant,
    dialect: 'anthropic',
    endpoint: '/v1/messages',
    inputFileId: null,
    input: [{ key, bytes }],
    completionWindow: completion_window,
    createdAtMs,
    expiresAtMs: createdAtMs + windowMsOf(completion_window),
    total: picked.total(),
    ...(picked.models().size === 1 && { model: [...picked.models()][0]! }),
    metadata: null,
    outputExpiresAfterMs: null,
    webhook:
      webhook === undefined ? batch.webhook : webhook && (await checkWebhook(parts, webhook, request.tenant)),
    maxCostUsd,
    apiVersion: batch.apiVersion,
    headers: batch.headers,
    retryOf: batch.id,
  }
}
