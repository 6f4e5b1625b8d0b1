import { apiKey, type BatonInput, backup, model, provider } from './deployment.ts'

/** The provider whose breaker is opened, in front of the same server as `provider`. */
export const broken = 'broken'

/** The provider with two keys, there too: a 429 of one says nothing of the other, so that it is called for every job. */
export const keyed = 'keyed'

/** Routes by what their first target does. All of them go on to `backup`, which answers. */
export const relayRoutes = {
  answers: model,
  throttles: 'throttled',
  turnsAway: 'turned-away',
  cooling: 'cooling',
  open: 'broken',
} as const

/** Longer than any run: what is out of use stays so. */
const foreverMs = 3_600_000

/**
 * Four providers. The upstream model decides what a call meets: it is a script of the simulated provider, so
 * one server serves all routes, and no route meets another's health.
 */
export const relayInput = (
  redisUrl: string,
  firstUrl: string,
  secondUrl: string,
  concurrency: number,
): BatonInput => {
  const at = (url: string, more: object = {}) => ({
    type: 'openai',
    base_url: `${url}/v1`,
    api_key: apiKey,
    concurrency,
    ...more,
  })
  const then = { fallback_to: 'second' }
  return {
    redisUrl,
    config: {
      server: { port: 0 },
      providers: {
        [provider]: at(firstUrl),
        [broken]: at(firstUrl, { breaker: { reset: `${foreverMs}ms` } }),
        [keyed]: at(firstUrl, { api_key: undefined, api_keys: [apiKey, `${apiKey}2`] }),
        [backup]: at(secondUrl),
      },
      models: {
        [relayRoutes.answers]: { provider, ...then },
        // May be called again at once, it says.
        [relayRoutes.throttles]: { provider, upstream_model: 'throttle-0ms', ...then },
        [relayRoutes.turnsAway]: { provider: keyed, upstream_model: 'throttle-0ms', ...then },
        [relayRoutes.cooling]: { provider, upstream_model: `throttle-${foreverMs}ms`, ...then },
        [relayRoutes.open]: { provider: broken, upstream_model: 'error-500', ...then },
        second: { provider: backup, upstream_model: model },
      },
    },
  }
}
