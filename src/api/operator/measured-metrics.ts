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
]
