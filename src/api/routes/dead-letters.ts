import type { FastifyReply, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { BatchRecord } from '../../store/batch-record.ts'
import type { NoticeRecord } from '../../store/batch-store.ts'
import { batchView, messageBatchView } from '../../store/batch-view.ts'
import type { JobRecord } from '../../store/job-record.ts'
import { jobSummary, wholeSeconds } from '../../store/job-view.ts'
import { batchOfNotice, isBatchId, isJobId, isNoticeId } from '../../store/keys.ts'
import type { ApiScope } from '../api-scope.ts'
import { ignoreBodies } from '../ignore-bodies.ts'
import { ownedBatch } from '../owned-batch.ts'
import { headReader, ownedJob } from '../owned-job.ts'
import type { ApiParts } from '../parts.ts'
import { publicUrlOf } from '../public-url.ts'
import { deadLetterQuery } from '../schemas.ts'

/** How many of the newest are looked through for the tenant's own. */
const maxScanned = 1_000

/** `GET /v1/dead-letters` and `POST /v1/dead-letters/:id/redeliver`, of jobs and of batches. */
export const addDeadLetterRoutes = (scope: ApiScope, parts: ApiParts): void => {
  const { store, batches, deadLetters } = parts
  const read = (id: string): Promise<JobRecord | BatchRecord | NoticeRecord | null> => {
    if (isNoticeId(id)) return batches.readNotice(id)
    return isBatchId(id) ? batches.read(id) : headReader(store)(id)
  }

  scope.get('/v1/dead-letters', { schema: { querystring: deadLetterQuery } }, async request => {
    const letters = await deadLetters.list(maxScanned)
    const records = await Promise.all(letters.map(letter => read(letter.id)))
    const own = letters.flatMap(({ diedAtMs }, i) => {
      const record = records[i]
      return record?.tenant === request.tenant ? [letterView(record, diedAtMs)] : []
    })
    const { limit } = request.query
    return { object: 'list', data: own.slice(0, limit), has_more: own.length > limit }
  })

  const redeliverJob = async (request: FastifyRequest, reply: FastifyReply, id: string): Promise<object> => {
    await ownedJob(request, id, headReader(store)).catch(asDeadLetter)
    if (!(await store.redeliver(id))) throw deliveryNotFound()
    reply.code(202).header('location', `/v1/jobs/${id}`)
    return jobSummary(await ownedJob(request, id, headReader(store)))
  }

  const redeliverBatch = async (
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
  ): Promise<object> => {
    const batchId = batchOfNotice(id)
    const { dialect } = (await batches.read(batchId)) ?? { dialect: 'openai' as const }
    await ownedBatch(batches, request, batchId, dialect).catch(asDeadLetter)
    if (!(await batches.redeliver(id))) throw deliveryNotFound()
    const batch = await ownedBatch(batches, request, batchId, dialect)
    const path = dialect === 'openai' ? '/v1/batches' : '/v1/messages/batches'
    reply.code(202).header('location', `${path}/${batchId}`)
    return dialect === 'openai'
      ? batchView(batch)
      : messageBatchView(batch, publicUrlOf(parts.config, request), parts.now())
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

/** `id` is what it is sent again by: the job's, the batch's, or that of a notice of the batch. */
const letterView = (record: JobRecord | BatchRecord | NoticeRecord, diedAtMs: number): object => ({
  id: record.id,
  ...(isJobId(record.id) ? { job_id: record.id } : { batch_id: batchOfNotice(record.id) }),
  ...(isNoticeId(record.id) && { event: 'batch.blocked' }),
  died_at: wholeSeconds(diedAtMs),
  webhook: { url: record.webhook?.url },
  attempts: record.delivery?.attempts,
  reason: record.delivery?.reason,
})

const deliveryNotFound = (): BatonError =>
  new BatonError('delivery_not_found', 'There is no dead letter of this job or batch.', { param: 'id' })

const asDeadLetter = (error: unknown): never => {
  throw error instanceof BatonError ? deliveryNotFound() : error
}
