import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { batchView } from '../../batches/view.ts'
import { BatonError } from '../../domain/errors.ts'
import { headersKey } from '../../domain/request-headers.ts'
import type { FileRecord, Segment } from '../../files/record.ts'
import { isFileId } from '../../redis/keys.ts'
import { asStorageTrouble } from '../files/receive-blob.ts'
import { orNotFound, sendContent } from '../files/send-content.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { findOwnedBatch } from '../http/find-owned.ts'
import { forwardedHeadersOf } from '../http/forwarded-headers.ts'
import { fingerprintOf, isRetried } from '../http/idempotency.ts'
import { acceptOptionalJson, ignoreBodies } from '../http/json-body.ts'
import { readParameters } from '../http/parameters.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { checkBatch } from './check-batch.ts'
import { type BatchOrder, type BatchParts, createBatch } from './create-batch.ts'
import { batchContentQuery, batchListQuery, batchRequest, batchRetryRequest } from './request-schemas.ts'
import { retryBatch } from './retry-batch.ts'

/**
 * Not a name that clients take for JSON: the official ones look for `application/json` in it, or `json` at
 * its end.
 */
const linesType = 'application/x-jsonl'

type BatchParams = { Params: { id: string } }

/** OpenAI's `/v1/batches`, and of this server's own `GET …/content` and `POST …/retry` of one. */
export const addBatchRoutes = (scope: ApiScope, parts: BatchParts): void => {
  const { batches } = parts
  const owned = ownedBy(parts)

  scope.post('/v1/batches', async (request, reply) => {
    const order = await orderOf(parts, request, readParameters(batchRequest, request.body))
    const { batch } = await createBatch(parts, request, reply, order, () => inputNotFound(order.inputFileId))
    return batchView(batch)
  })

  scope.post('/v1/batches/check', request => checkBatch(parts, request))

  scope.get('/v1/batches', async request => {
    const { after, limit, blocked } = readParameters(batchListQuery, request.query)
    const page =
      blocked === 'true'
        ? await batches.listBlocked(request.tenant, 'openai', limit)
        : await batches.list(request.tenant, 'openai', { after, limit })
    if (page === 'unknown_cursor') {
      throw new BatonError('invalid_cursor', '`after` must be the id of a batch.', { param: 'after' })
    }
    const data = page.batches.map(batchView)
    const [first, last] = [data[0], data.at(-1)]
    return {
      object: 'list',
      data,
      first_id: first?.id ?? null,
      last_id: last?.id ?? null,
      has_more: page.hasMore,
    }
  })

  scope.get<BatchParams>('/v1/batches/:id', async request => batchView(await owned(request)))

  scope.route<BatchParams>({
    method: ['GET', 'HEAD'],
    url: '/v1/batches/:id/content',
    handler: async (request, reply) => {
      const { file } = readParameters(batchContentQuery, request.query)
      const batch = await owned(request)
      const name = file === 'output' ? 'output' : 'error'
      const content = {
        segments: await segmentsOf(parts, batch, name),
        filename: `${batch.id}_${name}.jsonl`,
        type: linesType,
        isGrowing: !hasEnded(batch.status),
      }
      return sendContent(parts.blobs, request, reply, content)
        .catch(orNotFound(() => outputNotFound(name)))
        .catch(asStorageTrouble)
    },
  })

  addActionRoutes(scope, parts)
}

const ownedBy =
  ({ batches }: Pick<ApiParts, 'batches'>) =>
  (request: FastifyRequest<BatchParams>): Promise<BatchRecord> =>
    findOwnedBatch(batches, request, request.params.id, 'openai')

/** Scopes of their own, for their own ways of reading bodies. */
const addActionRoutes = (scope: ApiScope, parts: BatchParts): void => {
  const { batches } = parts
  const owned = ownedBy(parts)

  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post<BatchParams>('/v1/batches/:id/cancel', async request => {
      const { id } = await owned(request)
      const was = await batches.cancel(id)
      // A client whose first answer got lost asks again, and the batch may have reached its end meanwhile.
      const isDone = was !== null && hasEnded(was) && !(was === 'cancelled' && isRetried(request))
      if (isDone) throw new BatonError('batch_finished', `Cannot cancel a batch with status '${was}'.`)
      return batchView(await owned(request))
    })
  })

  scope.register(async inner => {
    acceptOptionalJson(inner)
    inner.post<BatchParams>('/v1/batches/:id/retry', async (request, reply) => {
      const changes = readParameters(batchRetryRequest, request.body ?? {})
      return batchView(await retryBatch(parts, request, reply, await owned(request), changes))
    })
  })
}

/**
 * Throws faults of the request. Faults in the file's lines are reported by the batch once it has read them.
 */
const orderOf = async (
  parts: Pick<ApiParts, 'addressGuard' | 'config' | 'files' | 'resolve'>,
  request: FastifyRequest,
  body: z.output<typeof batchRequest>,
): Promise<BatchOrder> => {
  const { endpoint, completion_window, metadata = null, output_expires_after, webhook, max_cost_usd } = body
  const headers = forwardedHeadersOf(parts, request, endpoint)
  const { id: inputFileId } = await inputFile(parts, request, body.input_file_id)
  return {
    ...fingerprintOf(request, [body, headersKey(headers)]),
    inputFileId,
    input: await parts.files.segments(inputFileId),
    endpoint,
    completionWindow: completion_window,
    metadata,
    outputExpiresAfterMs: output_expires_after ? output_expires_after.seconds * 1_000 : null,
    webhook: webhook ? await checkWebhook(parts, webhook, request.tenant) : null,
    maxCostUsd: max_cost_usd ?? parts.config.batches.max_cost_usd ?? null,
    retryOf: null,
    headers,
  }
}

const inputFile = async (
  { files }: Pick<ApiParts, 'files'>,
  { tenant }: FastifyRequest,
  id: string,
): Promise<FileRecord> => {
  const file = isFileId(id) ? await files.read(id) : null
  if (file === null || file.tenant !== tenant) throw inputNotFound(id)
  if (file.purpose === 'batch') return file
  const message = `The file ${id} has purpose '${file.purpose}'; a batch reads one with purpose 'batch'.`
  throw new BatonError('invalid_value', message, { param: 'input_file_id' })
}

const inputNotFound = (id: string): BatonError =>
  new BatonError('file_not_found', `No such File object: ${id}`, { param: 'input_file_id' })

/** What is durable by now; nothing as long as no line has got there. */
const segmentsOf = async (
  { files }: Pick<ApiParts, 'files'>,
  batch: BatchRecord,
  name: 'output' | 'error',
): Promise<readonly Segment[]> => {
  const [id, bytes] =
    name === 'output' ? [batch.outputFileId, batch.outputBytes] : [batch.errorFileId, batch.errorBytes]
  const isExpected = hasEnded(batch.status) && bytes > 0
  if (isExpected && (await files.read(id)) === null) throw outputNotFound(name)
  return files.segments(id)
}

const outputNotFound = (name: 'output' | 'error'): BatonError =>
  new BatonError('file_not_found', `The ${name} file of the batch is deleted or past its expiry.`, {
    param: 'id',
  })
