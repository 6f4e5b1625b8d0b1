// Made of the OpenAPI document by `npm run client-types`. A test compares the two.

export interface JobSummary {
  readonly id: string
  readonly object: 'job'
  readonly status: 'queued' | 'running' | 'parked' | 'succeeded' | 'failed' | 'cancelled' | 'expired'
  readonly endpoint: '/v1/chat/completions' | '/v1/messages' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
  readonly model: string
  readonly provider: string
  readonly upstream_model: string
  readonly batch_id: string | null
  readonly priority: 'default' | 'low' | 'high'
  readonly retry_of: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly expires_at: number
  readonly resumes_at: number | null
  readonly estimated_completion_at: number | null
  readonly attempts: readonly {
    readonly hop: number
    readonly provider: string
    readonly model: string
    readonly started_at: number
    readonly duration_ms: number | null
    readonly first_token_ms?: number
    readonly status_code: number | null
    readonly verdict: 'ok' | 'transient' | 'overloaded' | 'rate_limited' | 'out_of_quota' | 'bad_credentials' | 'unknown_model' | 'too_long' | 'refused' | 'rejected' | 'unsupported' | 'malformed' | 'untranslatable' | null
    readonly reason: string
    readonly retry_after_ms?: number
    readonly possibly_billed: boolean
    readonly mirror?: true
    readonly cost_usd?: number
    readonly error?: {
      readonly code: string
      readonly message: string
    }
    readonly adjusted?: readonly {
      readonly field: string
      readonly action: 'left_out' | 'lowered' | 'raised'
    }[]
    readonly upstream_request_id?: string
  }[]
  readonly moves?: readonly {
    readonly kind: 'skipped' | 'parked'
    readonly at: number
    readonly hop: number
    readonly provider: string
    readonly model: string
    readonly reason: string
    readonly fields?: readonly string[]
    readonly until?: number
  }[]
  readonly error: {
    readonly code: 'upstream_rejected' | 'context_length_exceeded' | 'refused' | 'malformed_answer' | 'untranslatable_answer' | 'attempts_exhausted' | 'stream_broken' | 'worker_crashed' | 'no_usable_target' | 'targets_throttled' | 'targets_unavailable' | 'cancelled' | 'expired'
    readonly message: string
    readonly last_error?: {
      readonly provider: string
      readonly model: string
      readonly status_code: number | null
      readonly code: string
      readonly message: string
    }
  } | null
  readonly last_error?: {
    readonly provider: string
    readonly model: string
    readonly status_code: number | null
    readonly code: string
    readonly message: string
  }
  readonly refused?: true
  readonly adjusted?: readonly {
    readonly field: string
    readonly action: 'left_out' | 'lowered' | 'raised'
    readonly target: string
  }[]
  readonly cache?: 'hit'
  readonly usage: {
    readonly input_tokens: number
    readonly output_tokens: number
    readonly cache_read_tokens?: number
    readonly cache_write_tokens?: number
  } | null
  readonly cost_usd: number | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly metadata: Readonly<Record<string, string>>
}

export interface Job {
  readonly id: string
  readonly object: 'job'
  readonly status: 'queued' | 'running' | 'parked' | 'succeeded' | 'failed' | 'cancelled' | 'expired'
  readonly endpoint: '/v1/chat/completions' | '/v1/messages' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
  readonly model: string
  readonly provider: string
  readonly upstream_model: string
  readonly batch_id: string | null
  readonly priority: 'default' | 'low' | 'high'
  readonly retry_of: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly expires_at: number
  readonly resumes_at: number | null
  readonly estimated_completion_at: number | null
  readonly attempts: readonly {
    readonly hop: number
    readonly provider: string
    readonly model: string
    readonly started_at: number
    readonly duration_ms: number | null
    readonly first_token_ms?: number
    readonly status_code: number | null
    readonly verdict: 'ok' | 'transient' | 'overloaded' | 'rate_limited' | 'out_of_quota' | 'bad_credentials' | 'unknown_model' | 'too_long' | 'refused' | 'rejected' | 'unsupported' | 'malformed' | 'untranslatable' | null
    readonly reason: string
    readonly retry_after_ms?: number
    readonly possibly_billed: boolean
    readonly mirror?: true
    readonly cost_usd?: number
    readonly error?: {
      readonly code: string
      readonly message: string
    }
    readonly adjusted?: readonly {
      readonly field: string
      readonly action: 'left_out' | 'lowered' | 'raised'
    }[]
    readonly upstream_request_id?: string
  }[]
  readonly moves?: readonly {
    readonly kind: 'skipped' | 'parked'
    readonly at: number
    readonly hop: number
    readonly provider: string
    readonly model: string
    readonly reason: string
    readonly fields?: readonly string[]
    readonly until?: number
  }[]
  readonly error: {
    readonly code: 'upstream_rejected' | 'context_length_exceeded' | 'refused' | 'malformed_answer' | 'untranslatable_answer' | 'attempts_exhausted' | 'stream_broken' | 'worker_crashed' | 'no_usable_target' | 'targets_throttled' | 'targets_unavailable' | 'cancelled' | 'expired'
    readonly message: string
    readonly last_error?: {
      readonly provider: string
      readonly model: string
      readonly status_code: number | null
      readonly code: string
      readonly message: string
    }
  } | null
  readonly last_error?: {
    readonly provider: string
    readonly model: string
    readonly status_code: number | null
    readonly code: string
    readonly message: string
  }
  readonly refused?: true
  readonly adjusted?: readonly {
    readonly field: string
    readonly action: 'left_out' | 'lowered' | 'raised'
    readonly target: string
  }[]
  readonly cache?: 'hit'
  readonly usage: {
    readonly input_tokens: number
    readonly output_tokens: number
    readonly cache_read_tokens?: number
    readonly cache_write_tokens?: number
  } | null
  readonly cost_usd: number | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly metadata: Readonly<Record<string, string>>
  readonly response: {
    readonly status_code: number
    readonly body: unknown
  } | null
}

export interface File {
  readonly id: string
  readonly object: 'file'
  readonly bytes: number
  readonly created_at: number
  readonly expires_at?: number
  readonly filename: string
  readonly purpose: string
  readonly status: 'uploaded' | 'processed'
  readonly status_details: null
}

export interface Upload {
  readonly id: string
  readonly object: 'upload'
  readonly bytes: number
  readonly created_at: number
  readonly expires_at: number
  readonly filename: string
  readonly purpose: 'assistants' | 'batch' | 'fine-tune' | 'vision' | 'user_data' | 'evals'
  readonly status: 'pending' | 'completed' | 'cancelled' | 'expired'
  readonly file: File | null
}

export interface Batch {
  readonly id: string
  readonly object: 'batch'
  readonly endpoint: '/v1/chat/completions' | '/v1/messages' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
  readonly model: string | null
  readonly errors: {
    readonly object: 'list'
    readonly data: readonly {
      readonly code: string
      readonly message: string
      readonly param: string | null
      readonly line: number | null
    }[]
  } | null
  readonly input_file_id: string | null
  readonly completion_window: string
  readonly status: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled'
  readonly output_file_id: string | null
  readonly error_file_id: string | null
  readonly created_at: number
  readonly in_progress_at: number | null
  readonly expires_at: number
  readonly finalizing_at: number | null
  readonly completed_at: number | null
  readonly failed_at: number | null
  readonly expired_at: number | null
  readonly cancelling_at: number | null
  readonly cancelled_at: number | null
  readonly request_counts: {
    readonly total: number
    readonly completed: number
    readonly failed: number
  }
  readonly usage: {
    readonly input_tokens: number
    readonly input_tokens_details: {
      readonly cached_tokens: number
    }
    readonly output_tokens: number
    readonly output_tokens_details: {
      readonly reasoning_tokens: number
    }
    readonly total_tokens: number
  }
  readonly metadata: Readonly<Record<string, string>> | null
  readonly providers: Readonly<Record<string, number>>
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
  readonly retry_of: string | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly blocked: {
    readonly reason: 'bad_credentials' | 'out_of_quota' | 'unknown_model' | 'paused'
    readonly message: string
    readonly provider: string
    readonly model: string
    readonly since: number
  } | null
  readonly estimated_completion_at: number | null
  readonly warning: {
    readonly code: 'deadline_at_risk'
    readonly message: string
    readonly since: number
    readonly estimated_completion_at: number
  } | null
}

export interface BatchCheck {
  readonly object: 'batch.check'
  readonly unknown_models: readonly string[]
  readonly max_lines: number
  readonly max_file_bytes: number
  readonly max_line_bytes: number
}

export interface MessageBatch {
  readonly id: string
  readonly type: 'message_batch'
  readonly processing_status: 'in_progress' | 'canceling' | 'ended'
  readonly request_counts: {
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly progress: {
    readonly total: number
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly created_at: string
  readonly expires_at: string
  readonly ended_at: string | null
  readonly cancel_initiated_at: string | null
  readonly archived_at: string | null
  readonly results_url: string | null
  readonly providers: Readonly<Record<string, number>>
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
  readonly retry_of: string | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly blocked: {
    readonly reason: 'bad_credentials' | 'out_of_quota' | 'unknown_model' | 'paused'
    readonly message: string
    readonly provider: string
    readonly model: string
    readonly since: string
  } | null
  readonly estimated_completion_at: string | null
  readonly warning: {
    readonly code: 'deadline_at_risk'
    readonly message: string
    readonly since: string
    readonly estimated_completion_at: string
  } | null
}

export interface BatchRow {
  readonly id: string
  readonly dialect: 'openai' | 'anthropic'
  readonly tenant: string
  readonly status: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled'
  readonly blocked: {
    readonly reason: string
    readonly since: number
    readonly subject: string | null
  } | null
  readonly total: number | null
  readonly succeeded: number
  readonly errored: number
  readonly canceled: number
  readonly expired: number
  readonly waiting: number | null
  readonly running: number | null
  readonly parked: number | null
  readonly created_at: number
  readonly ended_at: number | null
  readonly expires_at: number
  readonly estimated_completion_at: number | null
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
}

export interface OperatorBatch {
  readonly id: string
  readonly dialect: 'openai' | 'anthropic'
  readonly tenant: string
  readonly status: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled'
  readonly blocked: {
    readonly reason: string
    readonly since: number
    readonly subject: string | null
  } | null
  readonly total: number | null
  readonly succeeded: number
  readonly errored: number
  readonly canceled: number
  readonly expired: number
  readonly waiting: number | null
  readonly running: number | null
  readonly parked: number | null
  readonly created_at: number
  readonly ended_at: number | null
  readonly expires_at: number
  readonly estimated_completion_at: number | null
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
  readonly model: string | null
  readonly endpoint: string
  readonly retry_of: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly providers: Readonly<Record<string, number>>
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly faults: readonly {
    readonly line: number | null
    readonly code: string
    readonly message: string
  }[]
}

export interface FailedLine {
  readonly custom_id: string
  readonly line: number | null
  readonly status_code: number | null
  readonly code: string
  readonly provider: string | null
}

export interface Overview {
  readonly read_at: number
  readonly waiting: number
  readonly running: number
  readonly parked: number
  readonly oldest_waiting_at: number | null
  readonly accepted_per_s: number | null
  readonly ended_per_s: number | null
  readonly failed_per_s: number | null
  readonly handovers_per_s: number | null
  readonly providers: Readonly<Record<string, {
    readonly waiting: number
    readonly running: number
    readonly attempts_per_s: number | null
    readonly failures_per_s: number | null
    readonly p95_ms: number | null
  }>>
  readonly troubles: readonly {
    readonly code: 'provider_away' | 'provider_paused' | 'key_stopped' | 'model_stopped' | 'no_worker' | 'batch_blocked' | 'deadline_at_risk' | 'dead_letters' | 'redis' | 'blob_store' | 'clock' | 'configs'
    readonly level: 'bad' | 'warn' | 'hold'
    readonly subject: string | null
    readonly since: number | null
    readonly count: number | null
    readonly reason: string | null
  }[]
  readonly estimated_drain_at: number | null
  readonly cost_today_usd: number | null
  readonly unpriced_today: number
  readonly at_risk: readonly {
    readonly subject: string
    readonly slack: number | null
    readonly cause: string
  }[]
  readonly actions: readonly {
    readonly at: number
    readonly by: string
    readonly action: string
    readonly subject: string
    readonly note: string | null
  }[]
}

export interface Receiver {
  readonly receiver: string
  readonly waiting: number
  readonly oldest_at: number | null
  readonly failing_since: number | null
  readonly next_at: number | null
  readonly last_reason: string | null
  readonly last_status: number | null
  /** Attempts that succeeded within the last hour. */
  readonly delivered: number
  /** Attempts that failed within the last hour. */
  readonly failed: number
  readonly dead: number
  readonly last_died_at: number | null
}

export interface Scaling {
  readonly object: 'scaling'
  readonly provider: string
  readonly workers_wanted: number
  readonly bound_by: 'nothing_to_do' | 'work' | 'limits' | 'away' | 'paused'
  readonly workers: number
  readonly waiting: number
  readonly running: number
  readonly passed_over: number
  readonly places_per_worker: number
  readonly usable_calls: number | null
}

export interface Provider {
  readonly name: string
  readonly type: 'openai' | 'anthropic' | 'openai-compatible' | 'azure' | 'google' | 'vertex' | 'cohere' | 'bedrock' | 'mistral' | 'groq' | 'deepseek' | 'together' | 'fireworks' | 'openrouter' | 'xai' | 'perplexity' | 'cerebras' | 'nvidia' | 'moonshot' | 'ollama' | 'vllm' | 'lmstudio' | 'simulated'
  readonly models: readonly string[]
  readonly state: 'healthy' | 'slow' | 'down' | 'probing' | 'recovering' | 'throttled' | 'stopped' | 'paused'
  readonly since: number | null
  readonly until: number | null
  readonly reason: string | null
  readonly share: number
  readonly probe_owner: string | null
  readonly recovery: {
    readonly steps: readonly number[]
    readonly step: number
    readonly relapses: number
  }
  readonly paused: {
    readonly at: number
    readonly by: string | null
    readonly note: string | null
  } | null
  readonly last_error: {
    readonly provider: string
    readonly model: string
    readonly status_code: number | null
    readonly code: string
    readonly message: string
  } | null
  readonly health_check: {
    readonly kind: 'models' | 'completion'
    readonly interval: number
    readonly checked_at: number | null
  } | null
  readonly entries: readonly {
    readonly scope: string
    readonly state: 'throttled' | 'slow' | 'down' | 'probing' | 'recovering' | 'stopped'
    readonly since: number
    readonly until: number
    readonly reason: string
    readonly error?: {
      readonly provider: string
      readonly model: string
      readonly status_code: number | null
      readonly code: string
      readonly message: string
    }
  }[]
  readonly events: readonly {
    readonly at: number
    readonly model: string | null
    readonly state: 'healthy' | 'throttled' | 'slow' | 'down' | 'probing' | 'recovering' | 'paused'
    readonly until: number | null
    readonly reason: string | null
    readonly share: number
    readonly probe_owner: string | null
  }[]
  readonly queue: {
    readonly waiting: number
    readonly active: number
    readonly parked: number
    readonly oldest_at: number | null
    readonly by_class: {
      readonly interactive: number
      readonly default: number
      readonly bulk: number
    }
  }
  readonly rates: {
    readonly attempts: number | null
    readonly failures: number | null
  }
  readonly p95_ms: number | null
  readonly estimated_drain_at: number | null
  readonly limits: {
    readonly rpm: number | null
    readonly tpm: number | null
    readonly concurrency: number | null
    readonly seen: readonly {
      readonly key: string
      readonly model: string | null
      readonly rpm: number | null
      readonly tpm: number | null
      readonly remaining_requests: number | null
      readonly remaining_tokens: number | null
      readonly told_at: number | null
      readonly used_rpm: number | null
      readonly used_tpm: number | null
      readonly calls_in_flight: number
      readonly adaptive_concurrency: number | null
      readonly adaptive_rpm: number | null
      readonly blocked_until: number | null
      readonly held_by: 'told_limit' | 'configured_limit' | 'learned_rate' | 'learned_ceiling' | 'left_alone' | 'process_bound' | 'no_work' | 'nothing'
      readonly held_limit: number | null
      readonly held_unit: 'requests_per_minute' | 'tokens_per_minute' | 'calls_at_once' | null
    }[]
  }
  readonly workers: readonly {
    readonly instance: string
    readonly pid: number
    readonly breaker: string
    readonly calls_in_flight: number
    readonly concurrency: number
    readonly process_bound: number
    readonly seen_at: number
  }[]
  readonly workers_wanted: number
  readonly without_worker_since: number | null
}

export interface Route {
  readonly id: string
  readonly object: 'route'
  readonly strategy: 'ordered' | 'weighted' | 'cheapest' | 'fastest'
  readonly on_refusal: 'succeed' | 'handover'
  readonly adjust: 'never' | 'last_resort' | 'always'
  readonly targets: readonly {
    readonly provider: string
    readonly model: string
    readonly route: string
    readonly available_at: number | null
    readonly recent_failures: number
    readonly success_share: number
    readonly p95_ms: number | null
    readonly first_token_p95_ms: number | null
    readonly price: {
      readonly input: number
      readonly output: number
      readonly cache_read?: number
      readonly cache_write?: number
      readonly tiers?: readonly {
        readonly input: number
        readonly output: number
        readonly cache_read?: number
        readonly cache_write?: number
        readonly above: number
      }[]
    } | null
    readonly usual_cost_usd: number | null
    readonly context_window: number | null
    readonly max_output_tokens: number | null
    readonly capabilities: Readonly<Record<string, boolean>>
    readonly weight: number | null
    readonly share: number | null
  }[]
}

export interface Mirror {
  readonly route: string
  readonly to: {
    readonly provider: string
    readonly model: string
  }
  readonly sample: number
  readonly parallel: boolean
  readonly keep_pairs: number
  readonly since: number | null
  readonly sampled: number
  readonly compared: number
  readonly failed: number
  readonly fallback: number
  readonly dropped: number
  readonly lost: number
  readonly waiting: number
  readonly agreement: {
    readonly exact: {
      readonly count: number
      readonly share: number | null
    }
    readonly normalised: {
      readonly count: number
      readonly share: number | null
    }
  }
  readonly latency_ms: {
    readonly original: {
      readonly mean: number | null
      readonly p50: number | null
      readonly p95: number | null
    }
    readonly mirror: {
      readonly mean: number | null
      readonly p50: number | null
      readonly p95: number | null
    }
    readonly mean_difference: number | null
  }
  readonly cost_usd: {
    readonly compared: number
    readonly original: number
    readonly mirror: number
    readonly mean_difference: number | null
  }
}

export interface MirrorPair {
  readonly at: number
  readonly job_id: string
  readonly route: string
  readonly endpoint: string
  readonly original: {
    readonly provider: string
    readonly model: string
    readonly status_code: number
    readonly latency_ms: number
    readonly cost_usd: number | null
    /** The provider's answer; where it is `cut`, its beginning as a string. */
    readonly answer: unknown
    readonly cut: boolean
  }
  readonly mirror: {
    readonly provider: string
    readonly model: string
    readonly status_code: number
    readonly latency_ms: number
    readonly cost_usd: number | null
    /** The provider's answer; where it is `cut`, its beginning as a string. */
    readonly answer: unknown
    readonly cut: boolean
  }
}

export interface DeadLetter {
  readonly id: string
  readonly job_id?: string
  readonly batch_id?: string
  readonly event?: 'batch.blocked' | 'batch.at_risk'
  readonly tenant?: string
  readonly died_at: number
  readonly webhook: {
    readonly url: string
  }
  readonly attempts: number
  readonly reason: string | null
}

export interface Usage {
  readonly from: number
  readonly to: number
  readonly time_zone: string
  readonly cut_at: 'zone' | 'utc_hour'
  readonly total: {
    readonly requests: number
    readonly failed: number
    readonly input_tokens: number
    readonly cached_tokens: number
    readonly output_tokens: number
    readonly cost_usd: number | null
    readonly unpriced: number
  }
  readonly data: readonly {
    readonly requests: number
    readonly failed: number
    readonly input_tokens: number
    readonly cached_tokens: number
    readonly output_tokens: number
    readonly cost_usd: number | null
    readonly unpriced: number
    readonly day: string
    readonly group: string
  }[]
}

export interface Response {
  readonly id: string
  readonly object: 'response'
  readonly created_at: number
  readonly background: true
  readonly status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled'
  readonly error: {
    readonly code: string
    readonly message: string
  } | null
  readonly model: string
  readonly output: readonly unknown[]
}

export type JobEventData = Job | {
  readonly id: string
  readonly object: 'job'
  readonly status: string
}

export type BatchEndData = Batch | {
  readonly id: string
  readonly type: 'message_batch'
  readonly processing_status: 'in_progress' | 'canceling' | 'ended'
  readonly request_counts: {
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly progress: {
    readonly total: number
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly created_at: string
  readonly expires_at: string
  readonly ended_at: string | null
  readonly cancel_initiated_at: string | null
  readonly archived_at: string | null
  readonly results_url: string | null
  readonly providers: Readonly<Record<string, number>>
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
  readonly retry_of: string | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly blocked: {
    readonly reason: 'bad_credentials' | 'out_of_quota' | 'unknown_model' | 'paused'
    readonly message: string
    readonly provider: string
    readonly model: string
    readonly since: string
  } | null
  readonly estimated_completion_at: string | null
  readonly warning: {
    readonly code: 'deadline_at_risk'
    readonly message: string
    readonly since: string
    readonly estimated_completion_at: string
  } | null
  readonly object: 'batch'
  readonly status: string
} | {
  readonly id: string
  readonly object: 'batch'
  readonly status: string
}

export interface NotedMessageBatch {
  readonly id: string
  readonly type: 'message_batch'
  readonly processing_status: 'in_progress' | 'canceling' | 'ended'
  readonly request_counts: {
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly progress: {
    readonly total: number
    readonly processing: number
    readonly succeeded: number
    readonly errored: number
    readonly canceled: number
    readonly expired: number
  }
  readonly created_at: string
  readonly expires_at: string
  readonly ended_at: string | null
  readonly cancel_initiated_at: string | null
  readonly archived_at: string | null
  readonly results_url: string | null
  readonly providers: Readonly<Record<string, number>>
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
  readonly retry_of: string | null
  readonly webhook: {
    readonly url: string
    readonly status: 'pending' | 'delivered' | 'dead'
    readonly attempts: number
  } | null
  readonly blocked: {
    readonly reason: 'bad_credentials' | 'out_of_quota' | 'unknown_model' | 'paused'
    readonly message: string
    readonly provider: string
    readonly model: string
    readonly since: string
  } | null
  readonly estimated_completion_at: string | null
  readonly warning: {
    readonly code: 'deadline_at_risk'
    readonly message: string
    readonly since: string
    readonly estimated_completion_at: string
  } | null
  readonly object: 'batch'
}

export interface JobSucceededEvent {
  readonly type: 'job.succeeded'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: JobEventData
}

export interface JobFailedEvent {
  readonly type: 'job.failed'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: JobEventData
}

export interface JobCancelledEvent {
  readonly type: 'job.cancelled'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: JobEventData
}

export interface JobExpiredEvent {
  readonly type: 'job.expired'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: JobEventData
}

export interface BatchCompletedEvent {
  readonly type: 'batch.completed'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: BatchEndData
}

export interface BatchFailedEvent {
  readonly type: 'batch.failed'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: BatchEndData
}

export interface BatchExpiredEvent {
  readonly type: 'batch.expired'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: BatchEndData
}

export interface BatchCancelledEvent {
  readonly type: 'batch.cancelled'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: BatchEndData
}

export interface BatchBlockedEvent {
  readonly type: 'batch.blocked'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: Batch | NotedMessageBatch | {
    readonly id: string
    readonly object: 'batch'
    readonly blocked: {
      readonly reason: 'bad_credentials' | 'out_of_quota' | 'unknown_model' | 'paused'
      readonly message: string
      readonly provider: string
      readonly model: string
      readonly since: number | string
    }
  }
}

export interface BatchAtRiskEvent {
  readonly type: 'batch.at_risk'
  /** The same at each delivery of this event; also the `webhook-id`. */
  readonly id: string
  readonly object: 'event'
  /** Unix seconds. */
  readonly created_at: number
  /** The same as RFC 3339. */
  readonly timestamp: string
  readonly data: Batch | NotedMessageBatch | {
    readonly id: string
    readonly object: 'batch'
    readonly warning: {
      readonly code: 'deadline_at_risk'
      readonly message: string
      readonly since: number | string
      readonly estimated_completion_at: number | string
    }
  }
}

/** By the id of the operation. */
export interface Operations {
  /** Tell whether the process lives. */
  readonly isAlive: {
    readonly answer: {
      readonly status: 'ok'
    }
  }
  /** Tell whether it can take jobs. */
  readonly isReady: {
    readonly answer: {
      readonly status: 'ready'
      readonly without_worker?: readonly string[]
      readonly refusing?: 'storage_full'
    }
  }
  /** Read a job, wait for its end, or follow it. */
  readonly readJob: {
    readonly query: {
      /** The job of any tenant, without its response and with what explains it; for operators. */
      readonly view?: 'operator'
    }
    readonly answer: Job
  }
  /** Read the stream of a job, or go on with it. */
  readonly streamJob: {
    readonly answer: null
  }
  /** Read what a job asks and was answered, as an operator. */
  readonly readJobContent: {
    readonly answer: {
      readonly id: string
      /** Null where it is not kept any more. */
      readonly request: {
        /** Its first 65,536 characters. */
        readonly text: string
        /** Of the whole. */
        readonly bytes: number
      } | null
      readonly response: {
        readonly status_code: number
        /** Its first 65,536 characters. */
        readonly text: string
        /** Of the whole. */
        readonly bytes: number
      } | null
    }
  }
  /** Count jobs. */
  readonly countJobs: {
    readonly query: {
      /** One, or several with commas between. */
      readonly status?: string
      readonly route?: string
      readonly provider?: string
      readonly error_code?: 'upstream_rejected' | 'context_length_exceeded' | 'refused' | 'malformed_answer' | 'untranslatable_answer' | 'attempts_exhausted' | 'stream_broken' | 'worker_crashed' | 'no_usable_target' | 'targets_throttled' | 'targets_unavailable' | 'cancelled' | 'expired'
      /** Another than that of the key, or `*` for all; for operators. */
      readonly tenant?: string
      readonly created_from?: number
      readonly created_to?: number
    }
    readonly answer: {
      readonly count: number
      /** False where its time was up, or a name may have been taken for another: `count` may be wrong. */
      readonly exact: boolean
    }
  }
  /** List jobs, newest first. */
  readonly listJobs: {
    readonly query: {
      /** One, or several with commas between. */
      readonly status?: string
      readonly route?: string
      readonly provider?: string
      readonly error_code?: 'upstream_rejected' | 'context_length_exceeded' | 'refused' | 'malformed_answer' | 'untranslatable_answer' | 'attempts_exhausted' | 'stream_broken' | 'worker_crashed' | 'no_usable_target' | 'targets_throttled' | 'targets_unavailable' | 'cancelled' | 'expired'
      /** Another than that of the key, or `*` for all; for operators. */
      readonly tenant?: string
      readonly created_from?: number
      readonly created_to?: number
      readonly limit?: number
      readonly cursor?: string
      readonly batch?: string
      readonly batch_id?: string
      readonly view?: 'row'
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly JobSummary[]
      readonly has_more: boolean
      readonly next_cursor: string | null
      /** The page ended because its time was up, and may hold fewer jobs than asked for: `next_cursor` goes on. */
      readonly complete?: false
      /** Of the lines of one batch: how many stand in its files already, and are no jobs any more. */
      readonly collected?: number
      /** How many jobs were looked at for such a page. */
      readonly scanned?: number
    }
  }
  /** Submit a job. */
  readonly submitJob: {
    readonly body: {
      readonly endpoint?: '/v1/chat/completions' | '/v1/messages' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
      readonly body: {
        readonly model: string
        readonly [more: string]: unknown
      }
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      }
      readonly metadata?: Readonly<Record<string, string>>
      readonly completion_window?: string
      readonly priority?: 'default' | 'low' | 'high'
      readonly on_stream_failure?: 'error' | 'restart'
    }
    readonly answer: Job
  }
  /** List the routes. */
  readonly listModels: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly {
        readonly id: string
        readonly object: 'model'
        readonly created: number
        readonly owned_by: string
      }[]
    } | {
      readonly data: readonly {
        readonly type: 'model'
        readonly id: string
        readonly display_name: string
        readonly created_at: string
      }[]
      readonly has_more: boolean
      readonly first_id: string | null
      readonly last_id: string | null
    }
  }
  /** Read a route. */
  readonly readModel: {
    readonly answer: {
      readonly id: string
      readonly object: 'model'
      readonly created: number
      readonly owned_by: string
    } | {
      readonly type: 'model'
      readonly id: string
      readonly display_name: string
      readonly created_at: string
    }
  }
  /** Show each provider's state, queue and workers. */
  readonly listProviders: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Provider[]
    }
  }
  /** Read what waits, runs and ends, and what is wrong. */
  readonly readOverview: {
    readonly answer: Overview
  }
  /** Read figures of each minute of the last 25 hours. */
  readonly readHistory: {
    readonly query: {
      /** With commas between: `accepted`, `ended`, `failed`, `handovers`, `waiting`, `cost_usd` (of that minute), and `provider:<name>:` with `attempts`, `failures`, `p95_ms`, `waiting` or `state`; all when absent. */
      readonly series?: string
      /** Unix seconds; an hour ago when absent. */
      readonly from?: number
      readonly to?: number
    }
    readonly answer: {
      readonly at: readonly number[]
      readonly series: Readonly<Record<string, readonly (number | string | null)[]>>
    }
  }
  /** Follow what changes on an operator's page. */
  readonly followOverview: {
    readonly query: {
      /** `overview`, `providers`, `provider:<name>`, `batches`, `batch:<id>`, `job:<id>`, `webhooks` and `rows:<job id>,<job id>…`, with commas between; `overview` when absent. */
      readonly topics?: string
    }
    readonly answer: null
  }
  /** Tell what a reload would change in the process that is asked. */
  readonly previewReload: {
    readonly answer: {
      readonly object: 'config'
      readonly version: string
      readonly providers: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly routes: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly api_keys: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly limits: readonly string[]
      readonly settings: readonly string[]
      readonly needs_restart: readonly string[]
    }
  }
  /** Let all processes read their config anew. */
  readonly reloadConfig: {
    readonly answer: {
      readonly object: 'config'
      readonly version: string
      readonly providers: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly routes: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly api_keys: {
        readonly added: readonly string[]
        readonly changed: readonly string[]
        readonly removed: readonly string[]
      }
      readonly limits: readonly string[]
      readonly settings: readonly string[]
      readonly needs_restart: readonly string[]
    }
  }
  /** List the batches of all tenants and of both kinds of clients, newest first. */
  readonly listAllBatches: {
    readonly query: {
      /** `open`: all that have not ended; `ended`: all others. */
      readonly status?: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled' | 'open' | 'ended'
      readonly blocked?: 'true' | 'false'
      readonly dialect?: 'openai' | 'anthropic'
      readonly tenant?: string
      /** `slack`: those that have not ended, blocked ones first, the latest next. */
      readonly sort?: 'created' | 'slack'
      readonly limit?: number
      readonly cursor?: string
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly BatchRow[]
      readonly has_more: boolean
      readonly next_cursor: string | null
    }
  }
  /** Read a batch of any tenant and of either kind of client. */
  readonly readAnyBatch: {
    readonly answer: OperatorBatch
  }
  /** List the lines of a batch that have no answer, and count them by code. */
  readonly listFailures: {
    readonly query: {
      readonly code?: string
      readonly limit?: number
      readonly cursor?: number
    }
    readonly answer: {
      readonly codes: readonly {
        readonly code: string
        readonly count: number
        readonly example: FailedLine
      }[]
      readonly data: readonly FailedLine[]
      readonly next_cursor: string | null
      readonly complete: boolean
    }
  }
  /** Read what the jobs of all tenants used and cost, by day and group. */
  readonly readUsage: {
    readonly query: {
      /** Unix seconds; 7 days before `to` when absent. */
      readonly from?: number
      /** Unix seconds; now when absent. */
      readonly to?: number
      readonly group_by?: 'route' | 'provider' | 'model' | 'day'
      /** A time zone as `Europe/Berlin`. */
      readonly tz?: string
    }
    readonly answer: Usage
  }
  /** Say how many worker processes a provider wants. */
  readonly readScaling: {
    readonly answer: Scaling
  }
  /** Read figures, in the text format of Prometheus. */
  readonly readMetrics: {
    readonly answer: null
  }
  /** Show how each route chooses, and what is known of its targets. */
  readonly listRoutes: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Route[]
    }
  }
  /** Compare the answers of each route's mirror with the route's own. */
  readonly listMirrors: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Mirror[]
    }
  }
  /** Read the last answers of a route's mirror that differed from the route's own. */
  readonly listMirrorPairs: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly MirrorPair[]
    }
  }
  /** List webhooks that were given up, newest first. */
  readonly listDeadLetters: {
    readonly query: {
      readonly limit?: number
      /** The `next_cursor` of an earlier page, or the id of a dead letter. */
      readonly after?: string
      /** Another than that of the key, or `*` for all; for operators. */
      readonly tenant?: string
      /** The origin of the webhook’s URL, as `https://hooks.example`. */
      readonly receiver?: string
      readonly reason?: string
      /** Given up from then on, in Unix seconds. */
      readonly since?: number
      /** Given up before then, in Unix seconds. */
      readonly until?: number
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly DeadLetter[]
      readonly has_more: boolean
      readonly next_cursor: string | null
    }
  }
  /** List receivers of webhooks for which something waits, or was given up. */
  readonly listReceivers: {
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Receiver[]
      readonly complete: boolean
      /** Unix seconds, with fractions. */
      readonly read_at: number
    }
  }
  /** Send the dead letters of a receiver again, up to 500 at a time. */
  readonly redeliverAll: {
    readonly body: {
      /** The origin of the webhooks’ URL, as `GET /v1/admin/webhooks` names it. */
      readonly receiver: string
      /** Only of this tenant. */
      readonly tenant?: string
      /** Unix seconds; now when absent. */
      readonly died_before?: number
      /** The `next_cursor` of the step before. */
      readonly cursor?: string
      /** How many there are to be: with another number nothing is sent again. */
      readonly expected_count?: number
    }
    readonly answer: {
      readonly receiver: string
      readonly redelivered: number
      readonly next_cursor: string | null
    }
  }
  /** List files, newest first. */
  readonly listFiles: {
    readonly query: {
      readonly after?: string
      readonly limit?: number
      readonly order?: 'asc' | 'desc'
      readonly purpose?: string
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly File[]
      readonly first_id: string | null
      readonly last_id: string | null
      readonly has_more: boolean
    }
  }
  /** Keep a file. */
  readonly createFile: {
    readonly answer: File
  }
  /** Read what is known of a file. */
  readonly readFile: {
    readonly answer: File
  }
  /** Delete a file. */
  readonly deleteFile: {
    readonly answer: {
      readonly id: string
      readonly object: 'file'
      readonly deleted: true
    }
  }
  /** Read the bytes of a file. */
  readonly readFileContent: {
    readonly answer: null
  }
  /** Begin a file that comes in parts. */
  readonly createUpload: {
    readonly body: {
      readonly bytes: number
      readonly filename: string
      readonly mime_type?: string
      readonly purpose: 'assistants' | 'batch' | 'fine-tune' | 'vision' | 'user_data' | 'evals'
      readonly expires_after?: {
        readonly anchor: 'created_at'
        readonly seconds: number
      }
    }
    readonly answer: Upload
  }
  /** Make the file of the parts, in the order given. */
  readonly completeUpload: {
    readonly body: {
      readonly part_ids: readonly string[]
      readonly md5?: string
    }
    readonly answer: Upload
  }
  /** Run the requests of a file. */
  readonly createBatch: {
    readonly body: {
      readonly input_file_id: string
      readonly endpoint: '/v1/chat/completions' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
      readonly completion_window: string
      readonly metadata?: Readonly<Record<string, string>> | null
      readonly output_expires_after?: {
        readonly anchor: 'created_at'
        readonly seconds: number
      } | null
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      } | null
      readonly max_cost_usd?: number | null
    }
    readonly answer: Batch
  }
  /** List batches, newest first. */
  readonly listBatches: {
    readonly query: {
      readonly blocked?: 'true' | 'false'
      readonly after?: string
      readonly limit?: number
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Batch[]
      readonly first_id: string | null
      readonly last_id: string | null
      readonly has_more: boolean
    }
  }
  /** Ask whether such a batch would be taken, before its file is sent. */
  readonly checkBatch: {
    readonly body: {
      readonly endpoint: '/v1/chat/completions' | '/v1/embeddings' | '/v1/responses' | '/v1/completions'
      readonly completion_window: string
      readonly metadata?: Readonly<Record<string, string>> | null
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      } | null
      readonly max_cost_usd?: number | null
      readonly models?: readonly string[]
    }
    readonly answer: BatchCheck
  }
  /** Read a batch. */
  readonly readBatch: {
    readonly answer: Batch
  }
  /** Read the output, also while the batch runs. */
  readonly readBatchContent: {
    readonly query: {
      readonly file?: 'output' | 'errors'
    }
    readonly answer: null
  }
  /** List message batches, newest first. */
  readonly listMessageBatches: {
    readonly query: {
      readonly blocked?: 'true' | 'false'
      readonly after_id?: string
      readonly before_id?: string
      readonly limit?: number
    }
    readonly answer: {
      readonly data: readonly MessageBatch[]
      readonly has_more: boolean
      readonly first_id: string | null
      readonly last_id: string | null
    }
  }
  /** Run the requests of a document. */
  readonly createMessageBatch: {
    readonly body: {
      readonly requests: readonly {
        readonly custom_id: string
        readonly params: {
          readonly model: string
          readonly [more: string]: unknown
        }
      }[]
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      } | null
      readonly max_cost_usd?: number | null
      readonly completion_window?: string
    }
    readonly answer: MessageBatch
  }
  /** Read a message batch. */
  readonly readMessageBatch: {
    readonly answer: MessageBatch
  }
  /** Delete a batch that has ended, with its results. */
  readonly deleteMessageBatch: {
    readonly answer: {
      readonly id: string
      readonly type: 'message_batch_deleted'
    }
  }
  /** Read the results of a batch that has ended. */
  readonly readMessageBatchResults: {
    readonly answer: null
  }
  /** Read the results, also while the batch runs. */
  readonly readMessageBatchContent: {
    readonly answer: null
  }
  /** This description. */
  readonly describe: {
    readonly answer: {
      readonly openapi: string
      readonly [more: string]: unknown
    }
  }
  /** Keep a provider out of use until it is resumed. */
  readonly pauseProvider: {
    readonly body: {
      /** Why, for other operators to read. */
      readonly note?: string | null
    }
    readonly answer: Provider
  }
  /** Try a provider again now, whatever kept it out of use. */
  readonly resumeProvider: {
    readonly answer: Provider
  }
  /** Send a webhook that was given up again. */
  readonly redeliver: {
    readonly answer: JobSummary | Batch | MessageBatch
  }
  /** Add a part. */
  readonly addUploadPart: {
    readonly answer: {
      readonly id: string
      readonly object: 'upload.part'
      readonly created_at: number
      readonly upload_id: string
    }
  }
  /** Give an upload up. */
  readonly cancelUpload: {
    readonly answer: Upload
  }
  /** Cancel a batch. */
  readonly cancelBatch: {
    readonly answer: Batch
  }
  /** Make a batch of the lines that failed. */
  readonly retryBatch: {
    readonly body: {
      readonly completion_window?: string
      readonly metadata?: Readonly<Record<string, string>> | null
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      } | null
      readonly max_cost_usd?: number | null
    }
    readonly answer: Batch
  }
  /** Make a message batch of the requests that have no answer. */
  readonly retryMessageBatch: {
    readonly body: {
      readonly completion_window?: string
      readonly webhook?: {
        readonly url: string
        readonly secret?: string
      } | null
      readonly max_cost_usd?: number | null
    }
    readonly answer: MessageBatch
  }
  /** Cancel a message batch. */
  readonly cancelMessageBatch: {
    readonly answer: MessageBatch
  }
  /** Anthropic's text completions, which are retired; see `POST /v1/messages`. */
  readonly createTextCompletion: {
    readonly answer: null
  }
  /** Cancel a job, also while it runs. */
  readonly cancelJob: {
    readonly answer: Job
  }
  /** Submit the request of a failed, expired or cancelled job again, as a new job. */
  readonly retryJob: {
    readonly answer: Job
  }
  /** Count the tokens of Anthropic's messages, at the first target of the route. */
  readonly countTokens: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: {
      readonly input_tokens: number
    }
  }
  /** Read a response in the background, or what of its stream comes after an event. */
  readonly readResponse: {
    readonly query: {
      readonly stream?: 'true' | 'false'
      readonly starting_after?: number
    }
    readonly answer: Response
  }
  /** Delete a response in the background, with its request. */
  readonly deleteResponse: {
    readonly answer: {
      readonly id: string
      readonly object: 'response'
      readonly deleted: true
    }
  }
  /** Cancel a response in the background; one that has ended stays as it is. */
  readonly cancelResponse: {
    readonly answer: Response
  }
  /** List the input of a response in the background. */
  readonly listInputItems: {
    readonly query: {
      readonly limit?: number
      readonly order?: 'asc' | 'desc'
      readonly after?: string
    }
    readonly answer: {
      readonly object: 'list'
      readonly data: readonly Readonly<Record<string, unknown>>[]
      readonly first_id: string | null
      readonly last_id: string | null
      readonly has_more: boolean
    }
  }
  /** OpenAI's chat completions. */
  readonly createChatCompletion: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: Readonly<Record<string, unknown>> | Job | Readonly<Record<string, unknown>>
  }
  /** Anthropic's messages. */
  readonly createMessage: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: Readonly<Record<string, unknown>> | Job | Readonly<Record<string, unknown>>
  }
  /** OpenAI's embeddings. */
  readonly createEmbeddings: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: Readonly<Record<string, unknown>> | Job | Readonly<Record<string, unknown>>
  }
  /** OpenAI's responses. */
  readonly createResponse: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: Readonly<Record<string, unknown>> | Job | Readonly<Record<string, unknown>>
  }
  /** OpenAI's completions. */
  readonly createCompletion: {
    readonly body: {
      readonly model: string
      readonly [more: string]: unknown
    }
    readonly answer: Readonly<Record<string, unknown>> | Job | Readonly<Record<string, unknown>>
  }
}

/** What is sent to webhooks, by its `type`. */
export type WebhookEvent =
  | JobSucceededEvent
  | JobFailedEvent
  | JobCancelledEvent
  | JobExpiredEvent
  | BatchCompletedEvent
  | BatchFailedEvent
  | BatchExpiredEvent
  | BatchCancelledEvent
  | BatchBlockedEvent
  | BatchAtRiskEvent

/** docs/errors.md says what each means. */
export type ApiErrorCode =
  | 'attempts_exhausted'
  | 'background_unsupported'
  | 'batch_finished'
  | 'batch_not_ended'
  | 'batch_not_found'
  | 'batch_not_retryable'
  | 'body_too_large'
  | 'cancelled'
  | 'checksum_mismatch'
  | 'config_refused'
  | 'content_hidden'
  | 'context_length_exceeded'
  | 'count_changed'
  | 'count_tokens_unsupported'
  | 'cross_site_forbidden'
  | 'deadline_unreachable'
  | 'delivery_not_found'
  | 'empty_file'
  | 'endpoint_retired'
  | 'expired'
  | 'file_not_found'
  | 'file_too_large'
  | 'host_forbidden'
  | 'idempotency_key_reused'
  | 'internal_error'
  | 'invalid_api_key'
  | 'invalid_cursor'
  | 'invalid_encoding'
  | 'invalid_json'
  | 'invalid_multipart'
  | 'invalid_request'
  | 'invalid_value'
  | 'invalid_webhook_url'
  | 'invalid_window'
  | 'job_finished'
  | 'job_not_found'
  | 'job_not_retryable'
  | 'malformed_answer'
  | 'mirror_not_found'
  | 'missing_required_parameter'
  | 'no_capable_target'
  | 'no_usable_target'
  | 'not_replicated'
  | 'permission_denied'
  | 'previous_response_not_found'
  | 'price_unknown'
  | 'provider_not_found'
  | 'range_not_satisfiable'
  | 'redis_unavailable'
  | 'refused'
  | 'response_not_found'
  | 'results_not_found'
  | 'shutting_down'
  | 'storage_full'
  | 'storage_quota_exceeded'
  | 'storage_unavailable'
  | 'stream_broken'
  | 'stream_not_found'
  | 'streaming_unsupported'
  | 'targets_throttled'
  | 'targets_unavailable'
  | 'too_many_bytes'
  | 'too_many_connections'
  | 'too_many_open_batches'
  | 'too_many_pages'
  | 'too_many_waiting'
  | 'unknown_endpoint'
  | 'unknown_model'
  | 'unknown_parameter'
  | 'unsupported_encoding'
  | 'unsupported_media_type'
  | 'unsupported_parameter'
  | 'untranslatable_answer'
  | 'upload_closed'
  | 'upload_incomplete'
  | 'upload_not_found'
  | 'upload_size_exceeded'
  | 'upstream_rejected'
  | 'webhook_address_forbidden'
  | 'webhook_secret_missing'
  | 'worker_crashed'
