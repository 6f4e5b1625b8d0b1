import type { Series } from '../../telemetry/histogram.ts'
import type { Measured } from '../../telemetry/measures.ts'
import type { Metric } from './metrics-text.ts'

const histogram = (name: string, help: string, samples: readonly Series[]): Metric => ({
  ...{ name, help, type: 'histogram', samples },
})

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
  {
    name: 'baton_tokens_total',
    help: 'Tokens as providers count them.',
    type: 'counter',
    samples: measured.used.flatMap(({ provider, model, tokens }) =>
      Object.entries(tokens).map(([kind, value]) => ({ labels: { provider, model, kind }, value })),
    ),
  },
  {
    name: 'baton_cost_dollars_total',
    help: 'US dollars, of calls whose price is known.',
    type: 'counter',
    samples: measured.used.flatMap(({ provider, model, costUsd }) =>
      costUsd === null ? [] : [{ labels: { provider, model }, value: costUsd }],
    ),
  },
]
