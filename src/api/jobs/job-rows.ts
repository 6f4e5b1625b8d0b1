import type { FastifyRequest } from 'fastify'
import type { JobFilter } from '../../jobs/job-filter.ts'
import { formatTarget, type JobRecord } from '../../jobs/record.ts'
import { answeredBy, jobSummary } from '../../jobs/view.ts'
import { requireRight } from '../http/auth.ts'
import type { JobRow } from '../operator/job-view.ts'
import type { JobFilterQuery } from './request-schemas.ts'

/**
 * What the query of a list asks for. Throws `permission_denied` where it asks for the jobs of another tenant without the right of
 * an operator.
 */
export const filterOf = (request: FastifyRequest, query: JobFilterQuery): JobFilter => {
  const { tenant = request.tenant, status = [], route, provider, error_code: errorCode } = query
  const { created_from: from = 0, created_to: to } = query
  if (tenant !== request.tenant) requireRight(request, 'operate')
  const metadata = Object.entries(query).filter(([name]) => name.startsWith('metadata.'))
  return {
    tenant: tenant === '*' ? null : tenant,
    statuses: status,
    ...{ route, provider, errorCode },
    metadata: Object.fromEntries(
      metadata.map(([name, value]) => [name.slice('metadata.'.length), String(value)]),
    ),
    createdFromMs: from * 1_000,
    createdToMs: to === undefined ? Number.MAX_SAFE_INTEGER : to * 1_000,
  }
}

export const jobRow = (record: JobRecord): JobRow => {
  const { id, status, batch_id, created_at, finished_at, attempts, error, cost_usd } = jobSummary(record)
  return {
    ...{ id, status, route: record.model, target: formatTarget(answeredBy(record)), tenant: record.tenant },
    ...{ batch_id, created_at, finished_at, attempts: attempts.length },
    ...{ error_code: error?.code ?? null, cost_usd },
  }
}
