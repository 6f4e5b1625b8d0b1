import { createHash } from 'node:crypto'
import type { ProviderConfig } from './schema.ts'

/** Types that need no key where their cloud knows this machine. */
export const hasIdentity = (type: string): boolean => ['azure', 'bedrock', 'vertex'].includes(type)

/** Every setting that says as whom a cloud is called, or what proves it. */
const identitySettings = [
  ...['tenant_id', 'client_id', 'client_secret', 'authority', 'scope'],
  ...['project', 'credentials', 'credentials_file'],
  ...['profile', 'role_arn', 'access_key_id', 'secret_access_key', 'session_token'],
] as const satisfies readonly string[]

/**
 * Names the identity as which a provider without a key is called, as far as the config tells, without telling it; null for a provider
 * that is shown a key, or nothing.
 */
export const identityOf = (provider: ProviderConfig): string | null => {
  const { type, api_key, api_keys } = provider
  if (!hasIdentity(type) || api_key !== undefined || api_keys !== undefined) return null
  const told = identitySettings.map(setting => (provider as Record<string, unknown>)[setting] ?? null)
  return createHash('sha256')
    .update(JSON.stringify([type, told]))
    .digest('hex')
    .slice(0, 8)
}
