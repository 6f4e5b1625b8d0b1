import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { serveApi } from '../src/api/serve.ts'
import { openContext } from '../src/context/context.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { acquireRedis } from '../src/redis/dev/acquire.ts'
import { openBatchWorker } from '../workers/batch.ts'
import { openProviderWorker } from '../workers/provider.ts'
import { openWebhookWorker } from '../workers/webhook.ts'
import { demoConfig, type SimulatedServices } from './simulated-services.ts'

export interface BatonOptions {
  readonly services: SimulatedServices
  readonly secret: string
  /** A Redis that runs already; a private one is started when absent. */
  readonly redisUrl: string | undefined
  readonly log: Logger
}

/** Starts Baton by the parts that production is made of, in this one process. Answers the API's address. */
export const openBaton = async (life: Lifecycle, options: BatonOptions): Promise<string> => {
  const { services, secret, log } = options
  const prefix = `demo-${randomBytes(5).toString('hex')}`
  const dir = await life.open(
    'demo folder',
    () => mkdtemp(join(tmpdir(), 'baton-demo-')),
    dir => rm(dir, { recursive: true, force: true }),
  )
  const redisAt = await openRedis(life, options.redisUrl, { prefix, dir, log })
  const config = demoConfig(services, { prefix, secret, dir: join(dir, 'blobs') })
  const context = await openContext(life, { config, redisAt, log })
  for (const name of Object.keys(config.providers)) await openProviderWorker(life, context, name)
  await openWebhookWorker(life, context)
  await openBatchWorker(life, context)
  return (await serveApi(life, context)).url
}

/** A private server goes with all its data; in another one, only the demo's own keys are removed. */
const openRedis = async (
  life: Lifecycle,
  url: string | undefined,
  { prefix, dir, log }: { readonly prefix: string; readonly dir: string; readonly log: Logger },
): Promise<string> => {
  if (url !== undefined) {
    return life.open(
      'demo keys',
      () => url,
      () => removeKeys(url, prefix),
    )
  }
  const redis = await life.open(
    'redis server',
    () => acquireRedis({ dir: join(dir, 'redis'), log }),
    redis => redis.stop(),
  )
  return redis.url
}

const removeKeys = async (url: string, prefix: string): Promise<void> => {
  const redis = new Redis(url)
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      if (keys.length > 0) await redis.unlink(...keys)
    }
  } finally {
    redis.disconnect()
  }
}
