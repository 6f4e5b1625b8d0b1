import { durationText } from './durations.ts'
import type { Finding, Path } from './fault.ts'
import { at, pathsLike, withoutValue, withValue } from './places.ts'

/**
 * Keys by their old names, which work until 1.0. `*` stands for any name. An old key that ends in `_ms` had a
 * bare number of milliseconds; its new one has a duration text.
 */
export const renamedKeys: Readonly<Record<string, string>> = {
  'providers.*.timeout_ms': 'providers.*.timeout',
  'providers.*.connect_timeout_ms': 'providers.*.connect_timeout',
  'providers.*.backoff.base_ms': 'providers.*.backoff.base',
  'providers.*.backoff.cap_ms': 'providers.*.backoff.cap',
  'providers.*.breaker.window_ms': 'providers.*.breaker.window',
  'providers.*.breaker.reset_ms': 'providers.*.breaker.reset',
  'providers.*.recovery.max_reset': 'providers.*.breaker.max_reset',
  'providers.*.recovery.check': 'providers.*.recovery.step_interval',
  'models.*.cache.truncated': 'models.*.cache.store_truncated',
  'server.shutdown_grace_ms': 'server.shutdown_grace',
  'server.drain_delay_ms': 'server.drain_delay',
  'redis.wait_timeout_ms': 'redis.wait_timeout',
  'dns.timeout_ms': 'dns.timeout',
  'webhooks.allow': 'webhooks.allowed_networks',
  'webhooks.timeout_ms': 'webhooks.timeout',
  'webhooks.breaker.failures': 'webhooks.breaker.consecutive_failures',
  'webhooks.breaker.reset_ms': 'webhooks.breaker.reset',
  'webhooks.breaker.max_reset_ms': 'webhooks.breaker.max_reset',
  'jobs.lock_ms': 'jobs.lease',
  'jobs.sync_window': 'jobs.sync_timeout',
  'jobs.unmanned_after': 'jobs.worker_missing_after',
}

/** One use of an old key in a document. */
export interface RenamedKey {
  readonly old: Path
  readonly now: Path
}

export interface Renamed {
  /** The document with new keys in place of old ones. */
  readonly document: unknown
  readonly keys: readonly RenamedKey[]
  /** One for each old key, code `renamed_key`. */
  readonly warnings: readonly Finding[]
  /** One for each key that is given by both names. */
  readonly faults: readonly Finding[]
}

/** Takes a document whose variables are put in, in which no two places share a table. */
export const renameKeys = (written: unknown): Renamed => {
  let document = written
  const keys: RenamedKey[] = []
  const warnings: Finding[] = []
  const faults: Finding[] = []
  for (const [pattern, replacement] of Object.entries(renamedKeys)) {
    for (const old of pathsLike(written, pattern.split('.'))) {
      const now = replacement.split('.').map((part, i) => (part === '*' ? String(old[i]) : part))
      const key = { old, now }
      const finding = (message: string): Finding => ({ code: 'renamed_key', path: old, message })
      const value = convert(pattern, at(document, old))
      if (at(document, now) === undefined) {
        document = withValue(document, now, value)
        keys.push(key)
        const shown = pattern.endsWith('_ms') ? ` (${value})` : ''
        warnings.push(finding(`is named ${now.join('.')}${shown} now; the old name works until 1.0`))
      } else {
        faults.push(finding(`is the old name of ${now.join('.')}, which is set as well: keep the new one`))
      }
      document = withoutValue(document, old)
    }
  }
  return { document, keys, warnings, faults }
}

/**
 * Variables are always text. A value that is not a number of milliseconds is left for the schema to reject.
 */
const convert = (pattern: string, value: unknown): unknown =>
  pattern.endsWith('_ms') && /^\d+$/.test(String(value)) ? durationText(Number(value)) : value
