/** Speaks OpenAI's format, and so that of all requests of a run. */
export const firstProvider = 'alpha'
/** Speaks Anthropic's: what it is asked is translated. */
export const secondProvider = 'beta'
export const providers = [firstProvider, secondProvider] as const
export type ProviderName = (typeof providers)[number]

/** Served by one provider first and by the other when that cannot. */
export const routes = ['gpt-4', 'claude-3-sonnet'] as const

/** The simulated provider reads such a model's name as its script: the first call fails, later ones are answered. */
export const scriptedRoutes = ['error-500-then-ok', 'throttle-300ms-then-ok', 'overloaded-then-ok'] as const
export const rejectedRoute = 'bad-request'
export const stuckRoute = 'hang'

/** The section `models` of the config. */
export const routeConfig = () => ({
  'gpt-4': { provider: firstProvider, fallback_to: 'second-alone' },
  'claude-3-sonnet': { provider: secondProvider, fallback_to: 'first-alone' },
  'first-alone': { provider: firstProvider },
  'second-alone': { provider: secondProvider },
  [scriptedRoutes[0]]: { provider: firstProvider },
  [scriptedRoutes[1]]: { provider: firstProvider },
  [scriptedRoutes[2]]: { provider: firstProvider, fallback_to: 'second-alone' },
  [rejectedRoute]: { provider: firstProvider },
  [stuckRoute]: { provider: secondProvider },
})
