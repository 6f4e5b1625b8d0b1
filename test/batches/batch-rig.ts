import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, type ConfigInput, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'
import { type BatchDesk, openDesk } from './batch-desk.ts'

export interface BatchRigOptions {
  readonly config?: ConfigInput
  /** Settings of the provider `first`. */
  readonly first?: ConfigInput
  /** Providers that have a worker; both by default. */
  readonly workers?: readonly string[]
  /** Batch workers in this process, each with connections of its own; one by default. */
  readonly feeders?: number
  readonly webhooks?: boolean
}

/** Baton's workers in this process around two simulated providers, with batches made straight in the store. */
export interface BatchRig extends BatchDesk {
  /** Speaks OpenAI's format, and `second` Anthropic's: the route `chain` goes from one to the other. */
  readonly first: SimProvider
  readonly second: SimProvider
  readonly baton: Baton
  /** Another feeder, as one more process would be. */
  feeder(): Promise<Baton>
  /** Those that were started, in order. */
  readonly feeders: readonly Baton[]
}

export const openBatchRig = async (options: BatchRigOptions = {}): Promise<BatchRig> => {
  const first = createSimProvider()
  const second = createSimProvider()
  await Promise.all([first.start(), second.start()])
  const dir = await mkdtemp(join(tmpdir(), 'baton-blobs-'))
  const breaker = { min_calls: 100_000 }
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, api_key: 'k', breaker, ...options.first },
      second: { type: 'anthropic', base_url: second.url, api_key: 'k', breaker },
    },
    models: {
      plain: { provider: 'first', price: { input: 1, output: 2 }, capabilities: { tools: false } },
      chain: { provider: 'first', upstream_model: 'fail-429', fallback_to: 'claude' },
      claude: { provider: 'second' },
      mixed: { provider: 'first', price: { input: 1, output: 2 }, fallback_to: 'claude' },
      'fail-400': { provider: 'first' },
      hang: { provider: 'first' },
      split: {
        provider: 'first',
        upstream_model: 'hang',
        fallback_to: 'claude',
        strategy: 'weighted',
        weights: { split: 1, claude: 1 },
      },
      'slow-50ms': { provider: 'first' },
      'throttle-60000ms': { provider: 'first' },
    },
    storage: { path: dir },
    ...options.config,
  }
  const { url, prefix } = testRedis()
  const feeders: Baton[] = []
  const feeder = async (): Promise<Baton> => {
    const another = await openBaton({ level: 'workers', config, prefix, batches: true, workers: [] })
    feeders.push(another)
    return another
  }
  const baton = await openBaton({
    level: 'workers',
    config,
    prefix,
    webhooks: options.webhooks ?? false,
    ...(options.workers && { workers: options.workers }),
  })
  for (let i = 0; i < (options.feeders ?? 1); i++) await feeder()
  const desk = openDesk({ url, prefix }, dir)

  return {
    ...desk,
    first,
    second,
    baton,
    feeder,
    feeders,
    close: async () => {
      await Promise.all(feeders.map(each => each.stop()))
      await baton.stop()
      await Promise.all([first.stop(), second.stop()])
      await desk.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
