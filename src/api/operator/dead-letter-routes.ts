import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchRecord } from '../../batches/record.ts'
import type { NoticeRecord } from '../../batches/store.ts'
import { batchView, messageBatchView } from '../../batches/view.ts'
import { mayDo } from '../../domain/access.ts'
import { BatonError } from '../../domain/errors.ts'
import { plainUrl, withPlainUrl } from '../../jobs/plain-url.ts'
import { withoutQuotes } from '../../jobs/quotes.ts'
import { jobSummary, wholeSeconds } from '../../jobs/view.ts'
import { batchOfNotice, isBatchId, isJobId, isNoticeId } from '../../redis/keys.ts'
import { type DeadLetter, letterCursor, parseLetterCursor } from '../../webhooks/dead-letters.ts'
import { requireRight } from '../http/auth.ts'
import { findAnyJob, findOwnedJob, headReader } from '../http/find-owned.ts'
import { ignoreBodies } from '../http/json-body.ts'
import { publicUrlOf } from '../http/own-address.ts'
import { deadLetterQuery } from '../jobs/request-schemas.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { type LetterRecord, readLetterPage } from './letter-page.ts'

/** `GET /v1/dead-letters` and `POST /v1/dead-letters/:id/redeliver`, of jobs and of batches. */
export const addDeadLetterRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'batches' | 'config' | 'deadLetters' | 'deliveries' | 'now' | 'store'>,
): void => {
  const { config, store, batches, deliveries, deadLetters } = parts

  const placeOf = async (tenant: string, after: string): Promise<DeadLetter> => {
    const place = parseLetterCursor(after) ?? (await deadLetters.find(tenant, after))
    if (place !== null) return place
    const message = '`after` must be the `next_cursor` of an earlier page, or the id of a dead letter.'
    throw new BatonError('invalid_cursor', message, { param: 'after' })
  }

  scope.get('/v1/dead-letters', { schema: { querystring: deadLetterQuery } }, async request => {
    const { limit, after, receiver, reason, since = 0, until } = request.query
    const { tenant = request.tenant } = request.query
    if (tenant !== request.tenant) requireRight(request, 'operate')
    const from = until === undefined ? null : { id: '', diedAtMs: until * 1_000 }
    const { found, next } = await readLetterPage(
      parts,
      { tenant: tenant === '*' ? null : tenant, receiver, reason, sinceMs: since * 1_000 },
      after === undefined ? from : await placeOf(tenant, after),
      limit,
    )
    const isOfOthers = request.query.tenant !== undefined
    return {
      object: 'list',
      data: found.map(({ letter, record }) => ({
        ...letterView(record, letter.diedAtMs, request.tenant),
        ...(isOfOthers && { tenant: record.tenant }),
      })),
      has_more: next !== null,
      next_cursor: next && letterCursor(next),
    }
  })

  const redeliverJob = async (request: FastifyRequest, reply: FastifyReply, id: string): Promise<object> => {
    const find = isOperator(request) ? findAnyJob : findOwnedJob
    await find(request, id, headReader(store)).catch(asDeadLetter)
    if (!(await deliveries.jobs.redeliver(id))) throw deliveryNotFound()
    reply.code(202).header('location', `/v1/jobs/${id}`)
    const job = await find(request, id, headReader(store))
    const shown = jobSummary(job)
    if (job.tenant === request.tenant) return shown
    return withPlainUrl(config.ui.show_content ? shown : withoutQuotes(shown))
  }

  const redeliverBatch = async (
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
  ): Promise<object> => {
    const batchId = batchOfNotice(id)
    const find = async (): Promise<BatchRecord> => {
      const batch = await batches.read(batchId)
      if (batch?.id === batchId && (batch.tenant === request.tenant || isOperator(request))) return batch
      throw deliveryNotFound()
    }
    const { dialect } = await find()
    if (!(await deliveries.batches.redeliver(id))) throw deliveryNotFound()
    const batch = await find()
    const path = dialect === 'openai' ? '/v1/batches' : '/v1/messages/batches'
    reply.code(202).header('location', `${path}/${batchId}`)
    const shown =
      dialect === 'openai'
        ? batchView(batch)
        : messageBatchView(batch, publicUrlOf(parts.config, request), parts.now())
    return batch.tenant === request.tenant ? shown : withPlainUrl(shown)
  }

  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post<{ Params: { id: string } }>('/v1/dead-letters/:id/redeliver', (request, reply) => {
      const { id } = request.params
      return isBatchId(id) || isNoticeId(id)
        ? redeliverBatch(request, reply, id)
        : redeliverJob(request, reply, id)
    })
  })
}

/** Operators send those of every tenant again. */
const isOperator = ({ role }: FastifyRequest): boolean => mayDo(role, 'operate')

/** `id` is what it is sent again by: the job's, the batch's, or that of a notice of the batch. */
const letterView = (record: LetterRecord, diedAtMs: number, reader: string): object => ({
  id: record.id,
  ...(isJobId(record.id) ? { job_id: record.id } : { batch_id: batchOfNotice(record.id) }),
  ...(isNoticeId(record.id) && { event: noticeTypeOf(record as NoticeRecord) }),
  died_at: wholeSeconds(diedAtMs),
  webhook: {
    url: record.webhook && (record.tenant === reader ? record.webhook.url : plainUrl(record.webhook.url)),
  },
  attempts: record.delivery?.attempts,
  reason: record.delivery?.reason,
})

const noticeTypeOf = ({ warning }: NoticeRecord): 'batch.at_risk' | 'batch.blocked' =>
  warning === null ? 'batch.blocked' : 'batch.at_risk'

const deliveryNotFound = (): BatonError =>
  new BatonError('delivery_not_found', 'There is no dead letter of this job or batch.', { param: 'id' })

const asDeadLetter = (error: unknown): never => {
  throw error instanceof BatonError ? deliveryNotFound() : error
}
