import { z } from 'zod'
import type { BatchRecord } from '../../batches/record.ts'
import { batchStatuses, hasEnded } from '../../batches/record.ts'
import { BatonError } from '../../domain/errors.ts'
import { isBatchId } from '../../redis/keys.ts'
import { batchNotFound } from '../http/find-owned.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { batchRow, operatorBatchView } from './batch-rows.ts'

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

/** `GET /v1/admin/batches` and `/v1/admin/batches/:id`: those of all tenants and of both kinds of clients. */
export const addOperatorBatchRoutes = (
  scope: ApiScope,
  { allBatches, batches }: Pick<ApiParts, 'allBatches' | 'batches'>,
): void => {
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
    const batch = isBatchId(id) ? await batches.read(id) : null
    // The key of a record has no kind: another kind's word for the same batch names none.
    if (batch === null || batch.id !== id) throw batchNotFound(id, 'openai')
    return operatorBatchView(batch, await allBatches.linesOf(batch))
  })
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
