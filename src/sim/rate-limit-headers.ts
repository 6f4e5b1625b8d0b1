import type { Dialect } from '../domain/endpoint.ts'
import type { Denial, RateLimit, RateLimits } from './throttle.ts'

type Headers = Record<string, string>

/** Milliseconds as Go prints a duration: `0s`, `12ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export function goDuration(ms: number): string {
  const whole = Math.ceil(ms)
  if (whole === 0) return '0s'
  if (whole < 1_000) return `${whole}ms`
  const hours = whole >= 3_600_000 ? `${Math.floor(whole / 3_600_000)}h` : ''
  const minutes = whole >= 60_000 ? `${Math.floor(whole / 60_000) % 60}m` : ''
  return `${hours}${minutes}${(whole % 60_000) / 1_000}s`
}

/** RFC 3339 in whole seconds, rounded up so that a client who waits until then is not early. */
const rfc3339 = (ms: number): string =>
  new Date(Math.ceil(ms / 1_000) * 1_000).toISOString().replace('.000Z', 'Z')

/** The limit itself, and what is left of it. */
interface LimitHeaders {
  readonly limit: Headers
  readonly left: Headers
}

const openAi = (name: 'requests' | 'tokens', limit: RateLimit): LimitHeaders => ({
  limit: { [`x-ratelimit-limit-${name}`]: String(Math.floor(limit.limit)) },
  left: {
    [`x-ratelimit-remaining-${name}`]: String(limit.remaining),
    [`x-ratelimit-reset-${name}`]: goDuration(limit.resetMs),
  },
})

function anthropic(name: 'requests' | 'tokens', limit: RateLimit, nowMs: number): LimitHeaders {
  // Anthropic rounds what is left of tokens to thousands.
  const remaining = name === 'tokens' ? Math.floor(limit.remaining / 1_000) * 1_000 : limit.remaining
  return {
    limit: { [`anthropic-ratelimit-${name}-limit`]: String(Math.floor(limit.limit)) },
    left: {
      [`anthropic-ratelimit-${name}-remaining`]: String(remaining),
      [`anthropic-ratelimit-${name}-reset`]: rfc3339(nowMs + limit.resetMs),
    },
  }
}

export function rateLimitHeaders(dialect: Dialect, limits: RateLimits, nowMs: number): Headers {
  const headers: Headers = {}
  if (limits.told === 'nothing') return headers
  for (const name of ['requests', 'tokens'] as const) {
    const limit = limits[name]
    if (limit === null) continue
    const all = dialect === 'openai' ? openAi(name, limit) : anthropic(name, limit, nowMs)
    Object.assign(headers, limits.told === 'all' ? all.limit : {}, all.left)
  }
  return headers
}

/** Both providers send whole seconds, never 0. */
export function retryAfterHeaders({ waitMs, exact }: Denial): Headers {
  const headers: Headers = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) }
  if (exact) headers['retry-after-ms'] = String(Math.ceil(waitMs))
  return headers
}
