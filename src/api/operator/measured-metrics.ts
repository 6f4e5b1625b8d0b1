import type { Measured } from '../../telemetry/measures.ts'
import { counter, histogram, type Metric } from './metrics-text.ts'

/** What this process measured itself; of others it knows nothing. */
export const measuredMetrics = (measured: Measured): readonly Metric[] => [
  histogram(
    'baton_job_queue_wait_seconds',
    'From the submission of a job to the first worker that has it.',
    measured.queueWait,
  ),
  histogram('baton_attempt_duration_seconds', 'Calls of a worker, by verdict.', measured.attempts),
  histogram(
    'baton_time_to_first_token_seconds',
    'From the start of a call to the first content of its answer.',
    measured.firstTokens,
  ),
  histogram('baton_job_duration_seconds', 'From the submission of a job to its end.', measured.jobs),
  histogram('baton_batch_duration_seconds', 'From the creation of a batch to its end.', measured.batches),
  histogram(
    'baton_webhook_attempt_duration_seconds',
    'Attempts to deliver a webhook, by outcome.',
    measured.webhooks,
  ),
  counter(
    'baton_batch_lines_total',
    'Lines of batches that came to be in an output file, by how they ended.',
    measured.batchLines,
  ),
  counter(
    'baton_cache_lookups_total',
    'Looks of a worker for a kept answer, by what they came to.',
    measured.cacheLookups,
  ),
  counter(
    'baton_tokens_total',
    'Tokens as providers count them.',
    measured.used.flatMap(({ provider, model, tokens }) =>
      Object.entries(tokens).map(([kind, value]) => ({ labels: { provider, model, kind }, value })),
    ),
  ),
  counter(
    'baton_cost_dollars_total',
    'US dollars, of calls whose price is known.',
    measured.used.flatMap(({ provider, model, costUsd }) =>
      costUsd === null ? [] : [{ labels: { provider, model }, value: costUsd }],
    ),
  ),
  counter(
    'baton_saved_dollars_total',
    'US dollars that caches saved, of calls whose price is known.',
    measured.saved,
  ),
  ...tenantMetrics(measured.tenants),
]

/** No other metric has a tenant's label, and these are only there where the config asks for them. */
const tenantMetrics = ({ jobs, tokens, cost }: Measured['tenants']): readonly Metric[] => [
  counter('baton_tenant_jobs_total', 'Jobs of a tenant that workers finished.', jobs),
  counter('baton_tenant_tokens_total', 'Tokens of a tenant as providers count them.', tokens),
  counter('baton_tenant_cost_dollars_total', 'US dollars of a tenant, of calls whose price is known.', cost),
]
