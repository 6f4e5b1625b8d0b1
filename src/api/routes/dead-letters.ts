import { BatonError } from '../../domain/errors.ts'
import type { JobRecord } from '../../store/job-record.ts'
import { jobSummary, wholeSeconds } from '../../store/job-view.ts'
import type { ApiScope } from '../api-scope.ts'
import { ignoreBodies } from '../ignore-bodies.ts'
import { headReader, ownedJob } from '../owned-job.ts'
import type { ApiParts } from '../parts.ts'
import { deadLetterQuery } from '../schemas.ts'

/** How many of the newest are looked through for the tenant's own. */
const maxScanned = 1_000

/** `GET /v1/dead-letters` and `POST /v1/dead-letters/:jobId/redeliver`. */
export const addDeadLetterRoutes = (scope: ApiScope, parts: ApiParts): void => {
  const { store, deadLetters } = parts

  scope.get('/v1/dead-letters', { schema: { querystring: deadLetterQuery } }, async request => {
    const letters = await deadLetters.list(maxScanned)
    const records = await store.readHeads(letters.map(letter => letter.jobId))
    const own = letters.flatMap(({ diedAtMs }, i) => {
      const record = records[i]
      return record?.tenant === request.tenant ? [letterView(record, diedAtMs)] : []
    })
    const { limit } = request.query
    return { object: 'list', data: own.slice(0, limit), has_more: own.length > limit }
  })

  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post<{ Params: { jobId: string } }>('/v1/dead-letters/:jobId/redeliver', async (request, reply) => {
      const { jobId } = request.params
      await ownedJob(request, jobId, headReader(store)).catch(asDeadLetter)
      if (!(await store.redeliver(jobId))) throw deliveryNotFound()
      reply.code(202).header('location', `/v1/jobs/${jobId}`)
      return jobSummary(await ownedJob(request, jobId, headReader(store)))
    })
  })
}

const letterView = ({ id, webhook, delivery }: JobRecord, diedAtMs: number): object => ({
  job_id: id,
  died_at: wholeSeconds(diedAtMs),
  webhook: { url: webhook?.url },
  attempts: delivery?.attempts,
  reason: delivery?.reason,
})

const deliveryNotFound = (): BatonError =>
  new BatonError('delivery_not_found', 'There is no dead letter of this job.', { param: 'jobId' })

const asDeadLetter = (error: unknown): never => {
  throw error instanceof BatonError ? deliveryNotFound() : error
}
