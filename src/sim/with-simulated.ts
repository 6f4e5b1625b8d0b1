import type { Config } from '../config/schema.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'

/** What serves when nothing is configured, so that Baton can be tried without a key. */
export const simulatedDefaults = {
  providers: {
    'simulated-primary': { type: 'simulated', format: 'openai' },
    'simulated-backup': { type: 'simulated', format: 'anthropic' },
  },
  models: {
    'gpt-4': { provider: 'simulated-primary', fallback_to: 'claude-3-sonnet' },
    'claude-3-sonnet': { provider: 'simulated-backup' },
  },
} as const

/** Starts a simulated server for every `simulated` provider that names none, and writes its address into the config. */
export const withSimulated = async (life: Lifecycle, config: Config): Promise<Config> => {
  const providers = { ...config.providers }
  for (const [name, provider] of Object.entries(providers)) {
    if (provider.type !== 'simulated' || provider.base_url) continue
    const format = provider.format ?? 'openai'
    const sim = await life.open(
      `simulated ${name}`,
      async () => {
        const { createSimProvider } = await import('./sim-provider.ts')
        const sim = createSimProvider({ behaviour: { latency: { kind: 'uniform', minMs: 50, maxMs: 250 } } })
        await sim.start()
        return sim
      },
      sim => sim.stop(),
    )
    providers[name] = { ...provider, base_url: format === 'openai' ? `${sim.url}/v1` : sim.url }
  }
  return { ...config, providers }
}
