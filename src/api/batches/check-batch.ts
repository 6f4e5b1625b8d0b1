import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { canServe } from '../../batches/validate-input.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { readParameters } from '../http/parameters.ts'
import type { ApiParts } from '../parts.ts'
import { refuseUnpriced } from './create-batch.ts'
import type { batchCheck } from './openapi.ts'
import { batchCheckRequest } from './request-schemas.ts'

/**
 * Refuses what `POST /v1/batches` would refuse, but for the file, and answers what a file may be: so that a client can
 * check all of it before it sends hundreds of megabytes. Nothing is made.
 */
export const checkBatch = async (
  parts: Pick<ApiParts, 'addressGuard' | 'config' | 'providers' | 'resolve' | 'routes'>,
  request: FastifyRequest,
): Promise<z.input<typeof batchCheck>> => {
  const { endpoint, models, webhook, max_cost_usd } = readParameters(batchCheckRequest, request.body)
  const { max_lines, max_file_bytes, max_line_bytes, max_cost_usd: usualCost } = parts.config.batches
  if (webhook) await checkWebhook(parts, webhook, request.tenant)
  const served = new Set(models.filter(model => canServe(parts, endpoint, model)))
  refuseUnpriced(parts, endpoint, max_cost_usd ?? usualCost ?? null, served.size > 0 ? served : undefined)
  return {
    object: 'batch.check',
    unknown_models: [...new Set(models)].filter(model => !served.has(model)),
    max_lines,
    max_file_bytes,
    max_line_bytes,
  }
}
