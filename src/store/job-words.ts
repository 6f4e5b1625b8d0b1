import type { Endpoint } from '../domain/endpoint.ts'
import type { Attempt } from '../domain/job.ts'
import { formatTarget, parseAttempts, parseTarget } from './job-record.ts'
import type { Claim, Final, NewJob, Unclaimed } from './job-store.ts'

// How jobs are put into words for the scripts, and read back from their replies.

/**
 * A request body up to this length stands in the record itself: a key of its own would take 150 bytes more, and a
 * command more at each step. A longer one would turn the record from a compact listpack into a table.
 */
const inlineBodyBytes = 1_000

export interface ClaimRequest {
  readonly id: string
  readonly hop: number
  readonly ring: number
  readonly token: string
  readonly redelivered: boolean
}

export const isInline = ({ body }: { readonly body: string }): boolean =>
  Buffer.byteLength(body) <= inlineBodyBytes

export const jobFields = (job: NewJob): string[] => {
  const fields = [
    'state',
    'queued',
    'endpoint',
    job.endpoint,
    'model',
    job.model,
    'target',
    formatTarget(job.target),
    'created',
    String(job.createdAtMs),
    'expires',
    String(job.expiresAtMs),
  ]
  // Only what differs from the default is written: a waiting job is kept small.
  if (job.tenant !== 'default') fields.push('tenant', job.tenant)
  if (job.priority !== 'default') fields.push('priority', job.priority)
  if (job.webhook) fields.push('webhook', JSON.stringify(job.webhook))
  if (job.metadata && Object.keys(job.metadata).length > 0)
    fields.push('metadata', JSON.stringify(job.metadata))
  if (job.retryOf) fields.push('retry_of', job.retryOf)
  if (isInline(job)) fields.push('request', job.body)
  return fields
}

/** Every field of a record but the request and the response. */
export const headFields = [
  'state',
  'endpoint',
  'model',
  'target',
  'hop',
  'ring',
  'created',
  'expires',
  'tenant',
  'priority',
  'webhook',
  'metadata',
  'retry_of',
  'started',
  'run',
  'resumes',
  'finished',
  'attempts',
  'error',
  'refused',
  'usage',
  'cost',
  'delivery',
  'deliveries',
  'delivery_reason',
  'deliveries_before',
]

export const finalFields = (final: Final): (string | number)[] => {
  const fields: (string | number)[] = []
  if (final.response) fields.push('code', final.response.statusCode, 'body', final.response.body)
  if (final.error) fields.push('error', JSON.stringify(final.error))
  if (final.refused) fields.push('refused', 1)
  if (final.usage) fields.push('usage', JSON.stringify(final.usage))
  if (final.costUsd !== null) fields.push('cost', final.costUsd)
  return fields
}

export const parseClaim = (
  { id, token, hop, ring }: ClaimRequest,
  reply: readonly string[],
): Claim | Unclaimed => {
  const [outcome, endpoint, model, target, expires, spent, attempts, body] = reply
  if (outcome !== 'ok') return outcome as Unclaimed
  return {
    id,
    token,
    hop,
    ring,
    endpoint: endpoint as Endpoint,
    model: model!,
    target: parseTarget(target!),
    expiresAtMs: Number(expires),
    spent: Number(spent),
    attempts: parseAttempts(attempts),
    body: body!,
  }
}

export const logOf = (attempts: readonly Attempt[]): string => attempts.map(a => JSON.stringify(a)).join(',')
