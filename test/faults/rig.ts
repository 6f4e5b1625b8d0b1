import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'
import { type Client, createClient } from './client.ts'

export interface RigOptions {
  /** The shared Redis when absent. */
  readonly redisUrl?: string
  /** Routes; a name that the simulated provider reads as a script is one. Each is served by `first` alone. */
  readonly scripts?: readonly string[]
  /** More routes. */
  readonly routes?: object
  /** Sections of the config, over those below. */
  readonly config?: object
  /** How long their answers are made, at least. */
  readonly answerBytes?: number
  /** Settings of both providers. */
  readonly provider?: object
}

/** Two simulated providers in this process, which count the calls, and Baton's processes around them. */
export interface Rig {
  /** Speaks OpenAI's format, and `second` Anthropic's: `chain` goes from one to the other. */
  readonly first: SimProvider
  readonly second: SimProvider
  readonly redis: { readonly url: string; readonly prefix: string }
  readonly site: Deployment
  readonly client: Client
  /** The API that the client talks to; another one after `startApi`. */
  readonly api: Child
  readonly apiUrl: string
  startApi(): Promise<void>
  close(): Promise<void>
}

/** In which a worker is taken for dead: the shortest that the config allows. */
export const lockMs = 1_000

export const openRig = async (options: RigOptions = {}): Promise<Rig> => {
  const { scripts = [], routes, config, provider, answerBytes = 0 } = options
  const { url, prefix } = testRedis()
  const redis = { url: options.redisUrl ?? url, prefix }
  const first = createSimProvider({ answerBytes })
  const second = createSimProvider({ answerBytes })
  await Promise.all([first.start(), second.start()])
  // Breakers stay out of the way unless a test asks for them.
  const common = { api_key: 'key', breaker: { min_calls: 10_000 }, ...provider }
  const site = await openBaton({
    level: 'processes',
    config: {
      redis,
      server: { port: 0, shutdown_grace: '10s' },
      jobs: { lease: `${lockMs}ms` },
      webhooks: { allowed_networks: ['127.0.0.0/8'] },
      providers: {
        first: { type: 'openai', base_url: `${first.url}/v1`, ...common },
        second: { type: 'anthropic', base_url: second.url, ...common },
      },
      models: {
        plain: { provider: 'first' },
        chain: { provider: 'first', fallback_to: 'spare' },
        spare: { provider: 'second' },
        ...Object.fromEntries(scripts.map(script => [script, { provider: 'first' }])),
        ...routes,
      },
      ...config,
    },
    env: { LOG_LEVEL: 'debug' },
  })
  let api = await site.api()
  const client = createClient(() => api.url)
  return {
    first,
    second,
    redis,
    site,
    client,
    get api() {
      return api
    },
    get apiUrl() {
      return api.url
    },
    startApi: async () => {
      api = await site.api()
    },
    close: async () => {
      await client.close()
      await site.close()
      await Promise.all([first.stop(), second.stop()])
    },
  }
}

/** Submits to an API that is up. */
export const submitted = async (client: Client, order: Parameters<Client['submit']>[0]): Promise<string> => {
  const id = await client.submit(order)
  if (id === null) throw new Error(`not accepted: ${order.user}`)
  return id
}
