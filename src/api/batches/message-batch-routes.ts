import type { FastifyRequest } from 'fastify'
import type { BatchRecord } from '../../batches/record.ts'
import { hasEnded } from '../../batches/record.ts'
import { type MessageBatchView, messageBatchView, resultsLiveMs } from '../../batches/view.ts'
import { BatonError } from '../../domain/errors.ts'
import { asStorageTrouble } from '../files/receive-blob.ts'
import { type Content, orNotFound, sendContent } from '../files/send-content.ts'
import { batchNotFound, findOwnedBatch } from '../http/find-owned.ts'
import { acceptOptionalJson, ignoreBodies } from '../http/json-body.ts'
import { publicUrlOf } from '../http/own-address.ts'
import { readParameters } from '../http/parameters.ts'
import { acceptStreamedJson } from '../http/streamed-body.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import type { BatchParts } from './create-batch.ts'
import { createMessageBatch } from './create-message-batch.ts'
import { messageBatchListQuery, messageBatchRetryRequest } from './request-schemas.ts'
import { retryMessageBatch } from './retry-message-batch.ts'

type BatchParams = { Params: { id: string } }

/** Anthropic's `/v1/messages/batches`, and `GET …/content` of one, which is this server's own. */
export const addMessageBatchRoutes = (scope: ApiScope, parts: BatchParts): void => {
  const { batches, config, now } = parts
  const owned = (request: FastifyRequest<BatchParams>): Promise<BatchRecord> =>
    findOwnedBatch(batches, request, request.params.id, 'anthropic')
  const view = (request: FastifyRequest, batch: BatchRecord): MessageBatchView =>
    messageBatchView(batch, publicUrlOf(config, request), now())

  scope.register(async inner => {
    acceptStreamedJson(inner)
    inner.post('/v1/messages/batches', async (request, reply) =>
      view(request, await createMessageBatch(parts, request, reply)),
    )
  })

  scope.get('/v1/messages/batches', async request => {
    const query = readParameters(messageBatchListQuery, request.query)
    const { after_id: after, before_id: before, limit } = query
    const page =
      query.blocked === 'true'
        ? await batches.listBlocked(request.tenant, 'anthropic', limit)
        : await batches.list(request.tenant, 'anthropic', { after, before, limit })
    if (page === 'unknown_cursor') {
      const param = after === undefined ? 'before_id' : 'after_id'
      throw new BatonError('invalid_cursor', `\`${param}\` must be the id of a message batch.`, { param })
    }
    const data = page.batches.map(batch => view(request, batch))
    return {
      data,
      has_more: page.hasMore,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    }
  })

  scope.get<BatchParams>('/v1/messages/batches/:id', async request => view(request, await owned(request)))

  for (const [name, contentOf] of Object.entries({ results: resultsOf, content: resultsSoFar })) {
    scope.route<BatchParams>({
      method: ['GET', 'HEAD'],
      url: `/v1/messages/batches/:id/${name}`,
      handler: async (request, reply) => {
        const batch = await owned(request)
        return sendContent(parts.blobs, request, reply, await contentOf(parts, batch))
          .catch(orNotFound(() => resultsNotFound(batch)))
          .catch(asStorageTrouble)
      },
    })
  }

  scope.register(async inner => {
    acceptOptionalJson(inner)
    inner.post<BatchParams>('/v1/messages/batches/:id/retry', async (request, reply) => {
      const changes = readParameters(messageBatchRetryRequest, request.body ?? {})
      return view(request, await retryMessageBatch(parts, request, reply, await owned(request), changes))
    })
  })

  scope.register(async inner => {
    ignoreBodies(inner)

    // A batch that is ending already counts as cancelled: never an error.
    inner.post<BatchParams>('/v1/messages/batches/:id/cancel', async request => {
      await batches.cancel((await owned(request)).id)
      return view(request, await owned(request))
    })

    inner.delete<BatchParams>('/v1/messages/batches/:id', async request => {
      const { id } = await owned(request)
      const removed = await batches.remove(id)
      if (removed === 'gone') throw batchNotFound(id, 'anthropic')
      if (removed === 'not_ended') throw notEnded(id)
      return { id, type: 'message_batch_deleted' }
    })
  })
}

const notEnded = (id: string): BatonError =>
  new BatonError(
    'batch_not_ended',
    `Message batch ${id} cannot be deleted before its processing has ended; cancel it first.`,
    { param: 'id' },
  )

/** All results of a batch that has ended. Throws `results_not_found`, also when they are kept no longer. */
const resultsOf = async (parts: Pick<ApiParts, 'files' | 'now'>, batch: BatchRecord): Promise<Content> => {
  const { files, now } = parts
  const { outputFileId, createdAtMs } = batch
  const isArchived = createdAtMs + resultsLiveMs <= now()
  // The file has a record from the batch's end on.
  if (isArchived || (await files.read(outputFileId)) === null) throw resultsNotFound(batch)
  return contentOf(parts, batch)
}

/** The same; of a batch that still runs, those that are durable by now. */
const resultsSoFar = async (parts: Pick<ApiParts, 'files' | 'now'>, batch: BatchRecord): Promise<Content> =>
  hasEnded(batch.status) ? resultsOf(parts, batch) : contentOf(parts, batch)

const contentOf = async (
  { files }: Pick<ApiParts, 'files'>,
  { id, status, outputFileId }: BatchRecord,
): Promise<Content> => ({
  isGrowing: !hasEnded(status),
  segments: await files.segments(outputFileId),
  filename: `${id}_results.jsonl`,
  type: 'application/x-jsonl',
})

const resultsNotFound = ({ id, status }: BatchRecord): BatonError =>
  new BatonError(
    'results_not_found',
    hasEnded(status)
      ? `The results of message batch ${id} are no longer available.`
      : `Message batch ${id} has not ended; its results are not available yet.`,
    { param: 'id' },
  )
