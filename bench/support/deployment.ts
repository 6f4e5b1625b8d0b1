import { configSchema } from '../../src/config/schema.ts'
import { type AppContext, openContext } from '../../src/context/context.ts'
import { createLifecycle, type Lifecycle } from '../../src/lifecycle/lifecycle.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'

/** What a process of Baton is started with: JSON, so that it can be handed to another process. */
export interface BatonInput {
  readonly redisUrl: string
  readonly config: Readonly<Record<string, unknown>>
  /** Whose worker it is, for one that is a provider's; `provider` when absent. */
  readonly worksOn?: string
}

export const provider = 'sim'
/** The provider that jobs are handed over to. */
export const backup = 'backup'
export const model = 'gpt-4'
export const apiKey = 'bench'

/** One provider and one route; what is not named here stands as it is shipped. */
export const batonInput = (redisUrl: string, simUrl: string, concurrency = 50): BatonInput => ({
  redisUrl,
  config: {
    server: { port: 0 },
    providers: { [provider]: { type: 'openai', base_url: `${simUrl}/v1`, api_key: apiKey, concurrency } },
    models: { [model]: { provider } },
  },
})

/** A process's own part of Baton, as the entry point opens it. */
export const openBaton = async (
  { redisUrl, config }: BatonInput,
  logLevel = 'info',
): Promise<{ life: Lifecycle; context: AppContext }> => {
  const log = createLogger(logLevel)
  const life = createLifecycle(1_000, log)
  return {
    life,
    context: await openContext(life, { config: configSchema.parse(config), redisAt: redisUrl, log }),
  }
}
