import { configSchema } from '../src/config/schema.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createSimProvider, type SimProvider } from '../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../src/sim/webhook-receiver.ts'
import { type Primary, primaryAtFirst, steerPrimary } from './primary.ts'

export const primaryName = 'primary'
export const backupName = 'backup'
export const route = 'gpt-4'
/** Served by the backup first: what is asked in OpenAI's format is translated. */
export const translatedRoute = 'claude-3-sonnet'

/** What is simulated: the two providers and the receiver of the webhooks. */
export interface SimulatedServices {
  readonly primary: Primary
  /** Good answers that the two providers have given. */
  readonly answered: () => number
  readonly primaryUrl: string
  readonly backupUrl: string
  readonly receiver: WebhookReceiver
}

const startProvider = (life: Lifecycle, name: string, sim: SimProvider): Promise<{ url: string }> =>
  life.open(
    name,
    () => sim.start(),
    () => sim.stop(),
  )

/** Healthy, but like any real account not without a limit: while it serves for both, some jobs have to park. */
const backupBehaviour = {
  latency: { kind: 'lognormal', medianMs: 180, sigma: 0.4 },
  throttle: { rps: 60, burst: 30 },
} as const

export const openSimulatedServices = async (life: Lifecycle, secret: string): Promise<SimulatedServices> => {
  const primary = createSimProvider({ format: 'openai', behaviour: primaryAtFirst })
  const backup = createSimProvider({ format: 'anthropic', behaviour: backupBehaviour })
  const receiver = createWebhookReceiver({ secret })
  const { url: primaryUrl } = await startProvider(life, primaryName, primary)
  const { url: backupUrl } = await startProvider(life, backupName, backup)
  await life.open(
    'webhook receiver',
    () => receiver.start(),
    () => receiver.stop(),
  )
  const answered = () => (primary.calls.outcomes.ok ?? 0) + (backup.calls.outcomes.ok ?? 0)
  return { primary: steerPrimary(primary), answered, primaryUrl, backupUrl, receiver }
}

export interface DemoPlaces {
  /** The prefix of the keys in Redis. */
  readonly prefix: string
  /** Signs the webhooks. */
  readonly secret: string
  /** For the bytes of files. */
  readonly dir: string
}

/** A config as a person would write it, but for the times, which fit a run of half a minute. */
export const demoConfig = (services: SimulatedServices, { prefix, secret, dir }: DemoPlaces) => {
  const upstream = {
    type: 'simulated',
    concurrency: 25,
    timeout: '2s',
    connect_timeout: '1s',
    breaker: { window: '5s', min_calls: 5, reset: '1s', max_reset: '2s' },
    recovery: { ramp: '4s', step_interval: '1s' },
  }
  return configSchema.parse({
    providers: {
      [primaryName]: { ...upstream, format: 'openai', base_url: `${services.primaryUrl}/v1` },
      [backupName]: { ...upstream, format: 'anthropic', base_url: services.backupUrl },
    },
    models: {
      [route]: { provider: primaryName, fallback_to: translatedRoute },
      [translatedRoute]: { provider: backupName },
    },
    server: { port: 0, shutdown_grace: '2s' },
    redis: { prefix },
    storage: { path: dir },
    webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    // An outage and two throttled accounts at once must not use the budget up on a slow machine.
    jobs: { max_attempts: 100, completion_window: '1h', retention: '1h' },
  })
}
