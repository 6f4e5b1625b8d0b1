import type { ProviderConfig } from './schema.ts'

export interface HealthCheckConfig {
  readonly kind: 'models' | 'completion'
  readonly intervalMs: number
  /** The provider's own name of a model; absent where a route's is to be taken. */
  readonly model?: string
}

const usual: HealthCheckConfig = { kind: 'models', intervalMs: 30_000 }

/** Types whose API has no list of models where completions are, or none that their key may read. */
const listless = new Set(['vertex', 'bedrock'])

export const canListModels = (type: string | undefined): boolean => type === undefined || !listless.has(type)

/**
 * How a provider is asked while no job calls it, or null. Unless the config says so, only those are asked that send no
 * bills: the simulated, and servers without a key, which are the user's own as a rule.
 */
export const healthCheckOf = (provider: ProviderConfig): HealthCheckConfig | null => {
  const { type, api_key, api_keys, health_check: asked } = provider
  if (asked) {
    const { kind, interval, model, enabled } = asked
    return enabled ? { kind, intervalMs: interval, ...(model === undefined ? {} : { model }) } : null
  }
  const isKeyless = api_key === undefined && api_keys === undefined
  return type === 'simulated' || (type === 'openai-compatible' && isKeyless) ? usual : null
}
