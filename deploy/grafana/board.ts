/** A query of a panel: what it asks, and how its series are called. */
type Query = readonly [expression: string, legend: string]

interface PanelPlan {
  readonly title: string
  /** What it shows, for who does not know. */
  readonly help: string
  /** Of Grafana's units: `s`, `short`, `ops`, `percentunit`, `currencyUSD`, `bytes`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** A number in place of a line. */
  readonly isStat?: true
  readonly isStacked?: true
}

interface RowPlan {
  readonly title: string
  readonly panels: readonly PanelPlan[]
}

const ofProvider = 'provider=~"$provider"'

/** All API processes say the same of queues, providers and batches. */
const shared = (name: string, labels = ofProvider, by = 'provider'): string =>
  `max by (${by}) (${name}{${labels}})`

/** What a worker counts comes from its own port, or from each API process that has its heartbeat. */
const rate = (name: string, by: string, labels = ofProvider): string =>
  `sum by (${by}) (max by (${by}, exported_instance) (rate(${name}{${labels}}[$__rate_interval])))`

/** Of what each process measures itself. */
const quantile = (share: number, name: string, by: string, labels = ofProvider): string =>
  `histogram_quantile(${share}, sum by (${by}, le) (rate(${name}_bucket{${labels}}[$__rate_interval])))`

const own = (name: string, by: string, labels = ofProvider): string =>
  `sum by (${by}) (rate(${name}{${labels}}[$__rate_interval]))`

const hourly = (name: string, by: string, labels = ofProvider): string =>
  `sum by (${by}) (increase(${name}{${labels}}[1h]))`

const overview: RowPlan = {
  title: 'Overview',
  panels: [
    {
      ...{ title: 'Oldest waiting', unit: 's', isStat: true },
      help: 'Since the submission of the oldest job that is served next.',
      queries: [[`max(${shared('baton_oldest_waiting_seconds')})`, 'oldest']],
    },
    {
      ...{ title: 'Waiting', unit: 'short', isStat: true },
      help: 'Jobs that wait in the queues of providers; parked ones wait for a target that can be called.',
      queries: [
        [`sum(${shared('baton_waiting_jobs', ofProvider, 'provider, class')})`, 'waiting'],
        [`sum(${shared('baton_parked_jobs')})`, 'parked'],
      ],
    },
    {
      ...{ title: 'Batches', unit: 'short', isStat: true },
      help: 'Batches that have not ended, that a person must help, and that are likely to be late.',
      queries: [
        [`sum(${shared('baton_open_batches', '', 'status')})`, 'open'],
        [`sum(${shared('baton_blocked_batches', '', 'reason')})`, 'blocked'],
        ['max(baton_batches_at_risk)', 'at risk'],
      ],
    },
    {
      ...{ title: 'Dead letters', unit: 'short', isStat: true },
      help: 'Webhooks that were given up.',
      queries: [['max(baton_dead_letters)', 'dead letters']],
    },
    {
      ...{ title: 'Jobs', unit: 'ops' },
      help: 'Jobs that come in one by one, and jobs that end, lines of batches too.',
      queries: [
        ['sum(rate(baton_jobs_accepted_total[$__rate_interval]))', 'accepted'],
        [rate('baton_jobs_finished_total', 'status', ''), '{{status}}'],
      ],
    },
    {
      ...{ title: 'How long jobs take', unit: 's' },
      help: 'From submission to the end, of jobs that were answered.',
      queries: [
        [quantile(0.5, 'baton_job_duration_seconds', 'route', 'status="succeeded"'), '{{route}}, half'],
        [quantile(0.95, 'baton_job_duration_seconds', 'route', 'status="succeeded"'), '{{route}}, 95 %'],
      ],
    },
  ],
}

const waiting: RowPlan = {
  title: 'What waits',
  panels: [
    {
      ...{ title: 'Waiting by class', unit: 'short', isStacked: true },
      help: 'Interactive jobs have a connection that waits; bulk ones are lines of batches.',
      queries: [[shared('baton_waiting_jobs', ofProvider, 'provider, class'), '{{provider}} {{class}}']],
    },
    {
      ...{ title: 'Parked', unit: 'short', isStacked: true },
      help: 'Jobs that wait until a target can be called again.',
      queries: [[shared('baton_parked_jobs'), '{{provider}}']],
    },
    {
      ...{ title: 'Oldest waiting by provider', unit: 's' },
      help: 'Since the submission of the oldest job that is served next.',
      queries: [[shared('baton_oldest_waiting_seconds'), '{{provider}}']],
    },
    {
      ...{ title: 'Until a queue is empty', unit: 's' },
      help: 'By the speed that it has now; absent while that is not known.',
      queries: [[shared('baton_queue_drain_seconds'), '{{provider}}']],
    },
    {
      ...{ title: 'Wait before the first worker', unit: 's' },
      help: 'One in twenty jobs waited longer.',
      queries: [
        [quantile(0.95, 'baton_job_queue_wait_seconds', 'provider, class'), '{{provider}} {{class}}'],
      ],
    },
    {
      ...{ title: 'Workers wanted', unit: 'short' },
      help: 'Processes that the work and the limits of a provider can use.',
      queries: [[shared('baton_workers_wanted'), '{{provider}}']],
    },
  ],
}

const providers: RowPlan = {
  title: 'Providers',
  panels: [
    {
      ...{ title: 'State', unit: 'short', isStacked: true },
      help: 'The state of each provider that is not healthy.',
      queries: [
        [
          shared('baton_provider_state', `${ofProvider}, state!="healthy"`, 'provider, state'),
          '{{provider}} {{state}}',
        ],
      ],
    },
    {
      ...{ title: 'Share of its traffic', unit: 'percentunit' },
      help: 'Below 100 % while a provider comes back.',
      queries: [[shared('baton_provider_traffic_ratio'), '{{provider}}']],
    },
    {
      ...{ title: 'Out of use', unit: 'short' },
      help: 'Keys, models and whole providers that are not fully available, by state; and providers without a worker.',
      queries: [
        [
          shared('baton_provider_unavailable', ofProvider, 'provider, kind, state'),
          '{{provider}} {{kind}} {{state}}',
        ],
        [`${shared('baton_provider_without_worker')} > 0`, '{{provider}} without worker'],
      ],
    },
    {
      ...{ title: 'Calls by verdict', unit: 'ops', isStacked: true },
      help: 'What the answers of providers meant.',
      queries: [[rate('baton_attempts_total', 'provider, verdict'), '{{provider}} {{verdict}}']],
    },
    {
      ...{ title: 'How long calls take', unit: 's' },
      help: 'One in twenty answered calls took longer.',
      queries: [
        [
          quantile(0.95, 'baton_attempt_duration_seconds', 'provider, model', `${ofProvider}, verdict="ok"`),
          '{{provider}} {{model}}',
        ],
      ],
    },
    {
      ...{ title: 'Time to first token', unit: 's' },
      help: 'Of calls that the provider streams; half of them took longer.',
      queries: [
        [quantile(0.5, 'baton_time_to_first_token_seconds', 'provider, model'), '{{provider}} {{model}}'],
      ],
    },
    {
      ...{ title: 'Handovers and parks', unit: 'ops' },
      help: 'Jobs that a worker gave to another target, or parked.',
      queries: [
        [rate('baton_jobs_handed_over_total', 'provider'), '{{provider}} handed over'],
        [rate('baton_jobs_parked_total', 'provider'), '{{provider}} parked'],
      ],
    },
    {
      ...{ title: 'Calls in flight', unit: 'short' },
      help: 'Calls under way, and how many may be.',
      queries: [
        [
          `sum by (provider) (${shared('baton_calls_in_flight', ofProvider, 'provider, exported_instance')})`,
          '{{provider}}',
        ],
        [
          `sum by (provider) (${shared('baton_worker_concurrency', ofProvider, 'provider, exported_instance')})`,
          '{{provider}} at most',
        ],
      ],
    },
  ],
}

const byKind = 'provider, model, kind'
const kindOf = '{{provider}} {{model}} {{kind}}'

const limits: RowPlan = {
  title: 'Limits',
  panels: [
    {
      ...{ title: 'Requests a minute', unit: 'short' },
      help: 'Over all keys of a provider: what is configured, told, learned, and used.',
      queries: [[shared('baton_limit_requests_per_minute', ofProvider, byKind), kindOf]],
    },
    {
      ...{ title: 'Tokens a minute', unit: 'short' },
      help: 'Over all keys of a provider: what is configured, told, and used.',
      queries: [[shared('baton_limit_tokens_per_minute', ofProvider, byKind), kindOf]],
    },
    {
      ...{ title: 'Calls at once', unit: 'short' },
      help: 'Over all keys of a provider: what is configured, learned, and used.',
      queries: [[shared('baton_limit_calls', ofProvider, byKind), kindOf]],
    },
  ],
}

const batches: RowPlan = {
  title: 'Batches',
  panels: [
    {
      ...{ title: 'Open batches', unit: 'short', isStacked: true },
      help: 'Batches that have not ended, by status, and those that a person must help.',
      queries: [
        [shared('baton_open_batches', '', 'status'), '{{status}}'],
        [`${shared('baton_blocked_batches', '', 'reason')} > 0`, 'blocked: {{reason}}'],
      ],
    },
    {
      ...{ title: 'Lines', unit: 'ops', isStacked: true },
      help: 'Lines that came to be in an output file, by how they ended.',
      queries: [[own('baton_batch_lines_total', 'status', ''), '{{status}}']],
    },
    {
      ...{ title: 'Lines to be done', unit: 'short' },
      help: 'Of batches that have not ended.',
      queries: [['max(baton_open_batch_lines)', 'lines']],
    },
    {
      ...{ title: 'Age, slack and stall', unit: 's' },
      help: 'Of the oldest batch; of the one with the least time to spare, below 0 it is late; of the one that has stood still the longest.',
      queries: [
        ['max(baton_oldest_batch_seconds)', 'age'],
        ['min(baton_batch_slack_seconds)', 'slack'],
        ['max(baton_batch_stall_seconds)', 'stall'],
      ],
    },
    {
      ...{ title: 'How long batches take', unit: 's' },
      help: 'Half of them took longer.',
      queries: [[quantile(0.5, 'baton_batch_duration_seconds', 'status', ''), '{{status}}']],
    },
  ],
}

const money: RowPlan = {
  title: 'Tokens and money',
  panels: [
    {
      ...{ title: 'Cost in an hour', unit: 'currencyUSD', isStacked: true },
      help: 'Of calls whose price is known.',
      queries: [[hourly('baton_cost_dollars_total', 'provider, model'), '{{provider}} {{model}}']],
    },
    {
      ...{ title: 'Saved in an hour', unit: 'currencyUSD', isStacked: true },
      help: 'By kept answers, and by the caches of providers.',
      queries: [[hourly('baton_saved_dollars_total', 'by'), '{{by}}']],
    },
    {
      ...{ title: 'Tokens', unit: 'short', isStacked: true },
      help: 'A second, by kind.',
      queries: [[own('baton_tokens_total', 'kind'), '{{kind}}']],
    },
    {
      ...{ title: 'Cache', unit: 'ops', isStacked: true },
      help: 'Looks for a kept answer, on routes that have a cache.',
      queries: [[own('baton_cache_lookups_total', 'route, result', ''), '{{route}} {{result}}']],
    },
    {
      ...{ title: 'Cost of tenants in an hour', unit: 'currencyUSD', isStacked: true },
      help: 'Where metrics.tenant_label is on.',
      queries: [[hourly('baton_tenant_cost_dollars_total', 'tenant', ''), '{{tenant}}']],
    },
    {
      ...{ title: 'Tokens of tenants', unit: 'short', isStacked: true },
      help: 'A second, where metrics.tenant_label is on.',
      queries: [[own('baton_tenant_tokens_total', 'tenant', ''), '{{tenant}}']],
    },
    {
      ...{ title: 'Jobs of tenants', unit: 'ops', isStacked: true },
      help: 'That workers finished, where metrics.tenant_label is on.',
      queries: [[own('baton_tenant_jobs_total', 'tenant, status', ''), '{{tenant}} {{status}}']],
    },
  ],
}

const webhooks: RowPlan = {
  title: 'Webhooks',
  panels: [
    {
      ...{ title: 'Attempts', unit: 'ops', isStacked: true },
      help: 'Deliveries by outcome; failed ones are made again.',
      queries: [[rate('baton_webhook_attempts_total', 'outcome', ''), '{{outcome}}']],
    },
    {
      ...{ title: 'To be delivered', unit: 'short' },
      help: 'Deliveries that wait for a worker, and those that are tried again later.',
      queries: [
        ['max(baton_queue_depth{queue="webhooks"})', 'waiting'],
        ['max(baton_webhooks_retrying)', 'retrying'],
      ],
    },
    {
      ...{ title: 'How long attempts take', unit: 's' },
      help: 'One in twenty took longer.',
      queries: [[quantile(0.95, 'baton_webhook_attempt_duration_seconds', 'outcome', ''), '{{outcome}}']],
    },
  ],
}

const processes: RowPlan = {
  title: 'Processes and Redis',
  panels: [
    {
      ...{ title: 'Memory of Redis', unit: 'bytes' },
      help: 'Nothing new is accepted near the limit.',
      queries: [
        ['max(baton_redis_memory_used_bytes)', 'used'],
        ['max(baton_redis_memory_max_bytes) > 0', 'limit'],
      ],
    },
    {
      ...{ title: 'Time of Redis in scripts', unit: 'percentunit' },
      help: 'Redis does nothing else meanwhile.',
      queries: [['max(rate(baton_redis_script_seconds_total[$__rate_interval]))', 'scripts']],
    },
    {
      ...{ title: 'Scripts', unit: 'ops' },
      help: 'That Redis runs.',
      queries: [['max(rate(baton_redis_scripts_total[$__rate_interval]))', 'scripts']],
    },
    {
      ...{ title: 'Entries of the schedule', unit: 'short' },
      help: 'Doorbells and timers that are due later.',
      queries: [['max(baton_scheduled_entries)', 'entries']],
    },
    {
      ...{ title: 'Connections', unit: 'short' },
      help: 'Of each API process: open ones, those that wait, and pages of operators.',
      queries: [
        ['baton_connections', '{{instance}} open'],
        ['baton_waiting_connections', '{{instance}} {{kind}}'],
        ['baton_open_pages', '{{instance}} pages'],
      ],
    },
    {
      ...{ title: 'Refused for lack of room', unit: 'ops' },
      help: 'Requests that were answered 503, by what was used up.',
      queries: [['sum by (reason) (rate(baton_requests_refused_total[$__rate_interval]))', '{{reason}}']],
    },
    {
      ...{ title: 'Memory of processes', unit: 'bytes' },
      help: 'Resident memory, and bytes of requests and answers that an API process holds.',
      queries: [
        ['process_resident_memory_bytes and on (instance) baton_clock_offset_seconds', '{{instance}}'],
        ['baton_in_flight_bytes', '{{instance}} in flight'],
      ],
    },
    {
      ...{ title: 'Processor time', unit: 'percentunit' },
      help: 'Of each process.',
      queries: [
        [
          'rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) baton_clock_offset_seconds',
          '{{instance}}',
        ],
      ],
    },
    {
      ...{ title: 'Clocks', unit: 's' },
      help: 'By how much the clock of a process is ahead of that of Redis.',
      queries: [['max by (exported_instance) (baton_clock_offset_seconds)', '{{exported_instance}}']],
    },
    {
      ...{ title: 'Configs', unit: 'short' },
      help: 'Different configs that processes run on: 1 but for a moment.',
      queries: [['max(baton_running_configs)', 'configs']],
    },
  ],
}

/** What `npm run boards` makes of it is in baton.json. */
export const rows: readonly RowPlan[] = [
  ...[overview, waiting, providers, limits, batches, money, webhooks, processes],
]

export type { PanelPlan, Query, RowPlan }
