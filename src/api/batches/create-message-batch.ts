import { randomInt } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { messageBatchLines } from '../../batches/anthropic-document.ts'
import { outlookOf } from '../../batches/forecast.ts'
import type { NewBatch } from '../../batches/new-batch.ts'
import type { BatchRecord } from '../../batches/record.ts'
import { sayLate } from '../../batches/view.ts'
import { BatonError } from '../../domain/errors.ts'
import { headersKey, type RequestHeaders } from '../../domain/request-headers.ts'
import { newBatchId, newFileId, shardCount, ulidOf } from '../../redis/keys.ts'
import { asStorageTrouble, discardFile } from '../files/receive-blob.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { batchNotFound } from '../http/find-owned.ts'
import { forwardedHeadersOf } from '../http/forwarded-headers.ts'
import { fingerprintOf, idempotencyKeyOf } from '../http/idempotency.ts'
import { readParameters } from '../http/parameters.ts'
import { createWithinQuota, reserveQuota } from '../http/quota.ts'
import { type StreamedBody, streamBody } from '../http/streamed-body.ts'
import type { ApiParts } from '../parts.ts'
import { asWritten, type BatchParts, refuseUnpriced } from './create-batch.ts'
import { messageBatchExtras, windowMsOf } from './request-schemas.ts'

/**
 * Makes a batch of the requests in the body, which is written to the blob store as it arrives, a request a
 * line; or finds the batch that the same request made before. Rejects with BatonError when the body is wrong,
 * or what stands in it beside the requests: then nothing of it stays. Faults in params are reported by the
 * batch when it runs.
 */
export const createMessageBatch = async (
  parts: BatchParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<BatchRecord> => {
  const { config, now } = parts
  const body = streamBody(request, config.batches.anthropic_max_bytes)
  // Refused before the body has come, and not after it.
  idempotencyKeyOf(request)
  const headers = forwardedHeadersOf(parts, request, '/v1/messages')
  // No client sees this file: its name makes the purger take care of the batch's own blob.
  const ownFile = newFileId(randomInt(shardCount), now())
  return createReceived(parts, reply, ownFile, () => receive(parts, request, { body, headers, ownFile }))
}

/**
 * Makes the batch whose requests `receive` writes to the blobs of `ownFile`, or finds the one that the same request made before. What is
 * not used is discarded.
 */
export const createReceived = async (
  parts: BatchParts,
  reply: FastifyReply,
  ownFile: string,
  receive: () => Promise<NewBatch>,
): Promise<BatchRecord> => {
  const batch = await receive()
    .then(async received => {
      await refuseLate(parts, received)
      return received
    })
    .catch(async (error: unknown) => {
      await discardFile(parts, ownFile)
      return asStorageTrouble(error)
    })
  const created = await createWithinQuota(parts, batch).catch(async (error: unknown) => {
    if (error instanceof BatonError) await discardFile(parts, ownFile)
    throw error
  })
  // Not read back: it stands, and an error now would make the client create it again.
  if (created.kind === 'created') return asWritten(batch)
  await discardFile(parts, ownFile)
  const first = created.kind === 'replayed' ? await parts.batches.read(created.id) : null
  if (first === null) throw batchNotFound(batch.id, 'anthropic')
  reply.header('idempotent-replayed', 'true')
  return first
}

interface Incoming {
  readonly body: StreamedBody
  readonly headers: RequestHeaders
  readonly ownFile: string
}

/** Throws `deadline_unreachable` where the config says so: such a batch could only fail later, for which Anthropic has no word. */
const refuseLate = async (parts: BatchParts, batch: NewBatch): Promise<void> => {
  if (parts.config.batches.admission !== 'strict') return
  const estimateMs = await outlookOf(parts, { ...batch, model: batch.model ?? null }, batch.total!)
  if (estimateMs !== null && estimateMs > batch.expiresAtMs)
    throw new BatonError('deadline_unreachable', sayLate(estimateMs), { param: 'completion_window' })
}

/** Ends with the bytes durable, and all of the request found to be right. */
const receive = async (
  parts: Pick<
    ApiParts,
    'addressGuard' | 'blobs' | 'config' | 'files' | 'now' | 'providers' | 'quotas' | 'resolve' | 'routes'
  >,
  request: FastifyRequest,
  { body, headers, ownFile }: Incoming,
): Promise<NewBatch> => {
  const { blobs, files, quotas, config, now } = parts
  const { anthropic_max_requests, max_line_bytes } = config.batches
  await files.reserve(ownFile, request.tenant)
  await reserveQuota(quotas, request.tenant, ownFile, 0, Number(request.headers['content-length'] ?? 0))
  const document = messageBatchLines(body.bytes, {
    maxRequests: anthropic_max_requests,
    maxRequestBytes: max_line_bytes,
  })
  const key = `${ulidOf(ownFile)}/requests`
  const { bytes } = await blobs.write(key, document.lines)
  await reserveQuota(quotas, request.tenant, ownFile, 0, bytes)
  const { webhook, completion_window, max_cost_usd } = readParameters(messageBatchExtras, document.extras())
  const maxCostUsd = max_cost_usd ?? config.batches.max_cost_usd ?? null
  refuseUnpriced(parts, '/v1/messages', maxCostUsd, document.models())
  const apiVersion = versionOf(request)
  const repeated = fingerprintOf(request, [body.hash(), apiVersion, headersKey(headers)])
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
    total: document.total(),
    ...(document.models().size === 1 && { model: [...document.models()][0]! }),
    metadata: null,
    outputExpiresAfterMs: null,
    webhook: webhook ? await checkWebhook(parts, webhook, request.tenant) : null,
    maxCostUsd,
    apiVersion,
    headers,
    retryOf: null,
  }
}

/** The same for the same request: only there is it looked for when it comes again. */
export const shardOfRequest = (fingerprint: string): number =>
  Number.parseInt(fingerprint.slice(0, 8), 16) % shardCount

/** Decides how params are judged. What is no version at all is not kept. */
const versionOf = ({ headers }: FastifyRequest): string | null => {
  const version = headers['anthropic-version']
  return typeof version === 'string' && /^[\w.-]{1,32}$/.test(version) ? version : null
}
