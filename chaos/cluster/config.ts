import { firstProvider, type ProviderName, routeConfig, secondProvider } from '../plan/routes.ts'
import { tenantConfig } from '../plan/tenants.ts'

/**
 * In which a silent process is taken for dead: short, so that a run meets many such moments, but longer than a process can
 * have to wait for its turn on a machine with far more processes than cores.
 */
export const lockMs = 4_000
export const redisPrefix = 'chaos'
export const graceMs = 5_000

export interface ConfigParts {
  readonly providerUrls: Readonly<Record<ProviderName, string>>
  readonly apiPort: number
  readonly secret: string
  readonly concurrency: number
  /** Beside the prefix; the address where it is not given to each process. */
  readonly redis: object
}

/** A config as a person would write it, but for the times, which fit a run of minutes. */
export const clusterConfig = (parts: ConfigParts): object => {
  const upstream = {
    api_key: 'chaos',
    concurrency: parts.concurrency,
    // Longer than any worker is frozen: one that woke to a call out of time would never bring a late result.
    timeout: '10s',
    connect_timeout: '2s',
    // Models that fail by script would be left alone for minutes in the end, for longer than a run waits for its last jobs.
    breaker: { window: '5s', min_calls: 20, reset: '2s', max_reset: '10s' },
    // So that the simulated providers know which process a call is from.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the config puts the variable in.
    headers: { 'x-sim-caller': '${CHAOS_NAME}' },
  }
  const { providerUrls } = parts
  return {
    redis: { prefix: redisPrefix, ...parts.redis },
    server: { port: parts.apiPort, shutdown_grace: `${graceMs}ms` },
    storage: { path: 'blobs' },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the config puts the variable in.
    dns: { servers: ['${CHAOS_DNS}'] },
    webhooks: {
      ...{ secret: parts.secret, allowed_networks: ['127.0.0.0/8'], timeout: '3s' },
      // Few slots, so that hanging receivers could take them all; and short times, which fit a run of
      // minutes.
      concurrency: 10,
      breaker: { consecutive_failures: 5, reset: '1s', max_reset: '4s' },
    },
    // No job may fail because it met too many faults: then nothing could be said about the others.
    jobs: { lease: `${lockMs}ms`, max_attempts: 1_000 },
    providers: {
      [firstProvider]: { type: 'openai', base_url: `${providerUrls[firstProvider]}/v1`, ...upstream },
      [secondProvider]: { type: 'anthropic', base_url: providerUrls[secondProvider], ...upstream },
    },
    models: routeConfig(),
    ...tenantConfig(),
  }
}
