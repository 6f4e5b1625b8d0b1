import type { DraftProvider } from './draft.ts'
import { presetOf } from './presets.ts'
import { isServiceAccount, type vendorSettings } from './vendor-settings.ts'

/** A setting of a provider, and what is wrong about it. */
type Fault = readonly [setting: string, message: string]

type VendorSetting = keyof typeof vendorSettings

const typeOf: Readonly<Record<VendorSetting, string>> = {
  format: 'simulated',
  resource: 'azure',
  api_version: 'azure',
  project: 'vertex',
  location: 'vertex',
  credentials: 'vertex',
  credentials_file: 'vertex',
  region: 'bedrock',
  access_key_id: 'bedrock',
  secret_access_key: 'bedrock',
  session_token: 'bedrock',
}

/** Types that cannot be called without an `api_key`. */
const keyed = new Set(['openai', 'anthropic', 'azure', 'google', 'cohere', 'mistral'])

export const needsKey = (type: string | undefined): boolean =>
  type !== undefined && (keyed.has(type) || presetOf(type)?.key === 'needed')

const hasKey = ({ api_key, api_keys }: DraftProvider): boolean =>
  api_key !== undefined || api_keys !== undefined

const needs = (provider: DraftProvider, ...settings: (VendorSetting | 'base_url')[]): Fault[] =>
  settings
    .filter(setting => provider[setting] === undefined)
    .map(setting => [setting, `a provider of type ${provider.type} needs ${setting}`])

/** The two keys of AWS, or a bearer key; a session token comes with the two. */
const bedrockFaults = (provider: DraftProvider): Fault[] => {
  const { access_key_id: id, secret_access_key: secret, session_token: session } = provider
  const faults = needs(provider, 'region')
  const signs = id !== undefined || secret !== undefined
  if (signs && hasKey(provider)) faults.push(['access_key_id', 'stands beside a bearer key; keep one'])
  if (!signs && !hasKey(provider)) {
    const message = 'a provider of type bedrock needs access_key_id and secret_access_key, or api_key'
    faults.push(['access_key_id', message])
  }
  if (signs) faults.push(...needs(provider, 'access_key_id', 'secret_access_key'))
  if (session !== undefined && !signs) {
    faults.push(['session_token', 'comes with access_key_id and secret_access_key, which are missing'])
  }
  return faults
}

const vertexFaults = (provider: DraftProvider): Fault[] => {
  const { credentials, credentials_file: file } = provider
  const faults = needs(provider, 'project', 'location')
  if (hasKey(provider)) faults.push(['api_key', 'is no use to type vertex, which takes credentials'])
  if (credentials === undefined && file === undefined) {
    faults.push(['credentials', 'a provider of type vertex needs credentials or credentials_file'])
  }
  if (credentials !== undefined && file !== undefined) {
    faults.push(['credentials_file', 'credentials and credentials_file are both set; keep one'])
  }
  if (credentials !== undefined && !isServiceAccount(credentials)) {
    faults.push(['credentials', "expected the JSON of a service account's key"])
  }
  return faults
}

const azureFaults = ({ resource, base_url, type }: DraftProvider): Fault[] => {
  if (resource === undefined && base_url === undefined) {
    return [['resource', `a provider of type ${type} needs resource or base_url`]]
  }
  return resource !== undefined && base_url !== undefined
    ? [['resource', 'resource and base_url are both set; keep one']]
    : []
}

const faultsByType: Readonly<Record<string, (provider: DraftProvider) => Fault[]>> = {
  azure: azureFaults,
  vertex: vertexFaults,
  bedrock: bedrockFaults,
  'openai-compatible': provider => needs(provider, 'base_url'),
}

/** What a provider lacks to be called, and what it has no use for. Quotes no value. */
export const vendorFaults = (provider: DraftProvider): Fault[] => {
  const { type = '' } = provider
  const foreign = Object.entries(typeOf)
    .filter(([setting, owner]) => provider[setting as VendorSetting] !== undefined && owner !== type)
    .map(([setting, owner]): Fault => [setting, `only a provider of type ${owner} has ${setting}`])
  const keyless: Fault[] =
    needsKey(type) && !hasKey(provider)
      ? [['api_key', `a provider of type ${type} needs api_key or api_keys`]]
      : []
  return [...keyless, ...foreign, ...(faultsByType[type]?.(provider) ?? [])]
}
