import { z } from 'zod'
import { readFailures } from '../../batches/read-failures.ts'
import type { BatchRecord } from '../../batches/record.ts'
import { batchStatuses, hasEnded } from '../../batches/record.ts'
import { BatonError } from '../../domain/errors.ts'
import { readFile } from '../../files/read-file.ts'
import { isBatchId } from '../../redis/keys.ts'
import { asStorageTrouble } from '../files/receive-blob.ts'
import { orNotFound } from '../files/send-content.ts'
import { batchNotFound } from '../http/find-owned.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { batchRow, operatorBatchView } from './batch-rows.ts'
import type { BatchFailuresView } from './batch-view.ts'

export const allBatchesQuery = z.strictObject({
  status: z
    .enum([...batchStatuses, 'open', 'ended'])
    .optional()
    .meta({ description: '`open`: all that have not ended; `ended`: all others.' }),
  blocked: z.enum(['true', 'false']).default('false'),
  dialect: z.enum(['openai', 'anthropic']).optional(),
  tenant: z.string().max(500).optional(),
  sort: z
    .enum(['created', 'slack'])
    .default('created')
    .meta({ description: '`slack`: those that have not ended, blocked ones first, the latest next.' }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(100).optional(),
})

type Query = z.output<typeof allBatchesQuery>

export const failuresQuery = z.strictObject({
  code: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.coerce.number().int().min(0).default(0),
})

/** `GET /v1/admin/batches`, `/v1/admin/batches/:id` and `…/:id/failures`: those of all tenants and of both kinds of clients. */
export const addOperatorBatchRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'allBatches' | 'batches' | 'blobs' | 'files'>,
): void => {
  const { allBatches, batches } = parts
  const find = async (id: string): Promise<BatchRecord> => {
    const batch = isBatchId(id) ? await batches.read(id) : null
    // The key of a record has no kind: another kind's word for the same batch names none.
    if (batch === null || batch.id !== id) throw batchNotFound(id, 'openai')
    return batch
  }

  scope.get('/v1/admin/batches', { schema: { querystring: allBatchesQuery } }, async ({ query }) => {
    const { tenant, dialect, sort, limit, cursor: after } = query
    if (after !== undefined && !isBatchId(after)) {
      const message = '`cursor` must be the `next_cursor` of an earlier page.'
      throw new BatonError('invalid_cursor', message, { param: 'cursor' })
    }
    const isOpen = asksForOpen(query)
    const { batches: found, nextCursor } = await allBatches.page({
      ...{ tenant, dialect, sort, after, limit, isOpen },
      matches: matcher(query),
    })
    const lines = await Promise.all(found.map(allBatches.linesOf))
    return {
      object: 'list',
      data: found.map((batch, i) => batchRow(batch, lines[i]!)),
      has_more: nextCursor !== null,
      next_cursor: nextCursor,
    }
  })

  scope.get<{ Params: { id: string } }>('/v1/admin/batches/:id', async ({ params: { id } }) => {
    const batch = await find(id)
    return operatorBatchView(batch, await allBatches.linesOf(batch))
  })

  scope.get<{ Params: { id: string }; Querystring: z.output<typeof failuresQuery> }>(
    '/v1/admin/batches/:id/failures',
    { schema: { querystring: failuresQuery } },
    async ({ params, query }): Promise<BatchFailuresView> => {
      const batch = await find(params.id)
      const { dialect, outputFileId, errorFileId } = batch
      const segments = await parts.files.segments(dialect === 'openai' ? errorFileId : outputFileId)
      const { limit, code, cursor: from } = query
      const source = readFile(parts.blobs, segments, { start: from, end: Number.POSITIVE_INFINITY })
      const page = await readFailures(source, { dialect, from, limit, code })
        .catch(orNotFound(() => batchNotFound(params.id, dialect)))
        .catch(asStorageTrouble)
      return {
        codes: from === 0 ? page.codes : [],
        data: page.lines,
        next_cursor: page.next === null ? null : String(page.next),
        complete: page.isWhole,
      }
    },
  )
}

/** Those are few, and listed apart: no index is searched for them. */
const asksForOpen = ({ status, blocked }: Query): boolean =>
  blocked === 'true' || status === 'open' || (status !== undefined && status !== 'ended' && !hasEnded(status))

const matcher =
  ({ status, blocked }: Query) =>
  (batch: BatchRecord): boolean => {
    if (blocked === 'true' && (batch.blocked === null || batch.status === 'cancelling')) return false
    if (status === undefined) return true
    if (status === 'open' || status === 'ended') return hasEnded(batch.status) === (status === 'ended')
    return batch.status === status
  }
