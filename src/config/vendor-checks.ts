import type { DraftProvider } from './draft.ts'
import { presetOf } from './presets.ts'
import { isGoogleCredentials, type vendorSettings } from './vendor-settings.ts'

/** A setting of a provider, and what is wrong about it. */
type Fault = readonly [setting: string, message: string]

type VendorSetting = keyof typeof vendorSettings

const typeOf: Readonly<Record<VendorSetting, string>> = {
  format: 'simulated',
  resource: 'azure',
  api_version: 'azure',
  tenant_id: 'azure',
  client_id: 'azure',
  client_secret: 'azure',
  client_secret_file: 'azure',
  authority: 'azure',
  scope: 'azure',
  project: 'vertex',
  location: 'vertex',
  credentials: 'vertex',
  credentials_file: 'vertex',
  region: 'bedrock',
  profile: 'bedrock',
  role_arn: 'bedrock',
  access_key_id: 'bedrock',
  secret_access_key: 'bedrock',
  session_token: 'bedrock',
  access_key_id_file: 'bedrock',
  secret_access_key_file: 'bedrock',
  session_token_file: 'bedrock',
}

/** Types that cannot be called without an `api_key`. */
const keyed = new Set(['openai', 'anthropic', 'google', 'cohere', 'mistral'])

export const needsKey = (type: string | undefined): boolean =>
  type !== undefined && (keyed.has(type) || presetOf(type)?.key === 'needed')

const hasKey = ({ api_key, api_keys }: DraftProvider): boolean =>
  api_key !== undefined || api_keys !== undefined

const needs = (provider: DraftProvider, ...settings: (VendorSetting | 'base_url')[]): Fault[] =>
  settings
    .filter(setting => provider[setting] === undefined)
    .map(setting => [setting, `a provider of type ${provider.type} needs ${setting}`])

/** The first of these settings that is there, beside what makes it useless. */
const beside = (provider: DraftProvider, settings: readonly VendorSetting[], what: string): Fault[] => {
  const found = settings.find(setting => provider[setting] !== undefined)
  return found === undefined ? [] : [[found, `stands beside ${what}; keep one`]]
}

/** A bearer key, or what signs: the two keys of AWS, or those that are found. A session token comes with the two. */
const bedrockFaults = (provider: DraftProvider): Fault[] => {
  const { access_key_id: id, secret_access_key: secret, session_token: session, profile } = provider
  const faults = needs(provider, 'region')
  const signs = id !== undefined || secret !== undefined
  if (hasKey(provider)) {
    const signing = ['access_key_id', 'secret_access_key', 'profile', 'role_arn'] as const
    faults.push(...beside(provider, signing, 'a bearer key'))
  }
  if (signs) faults.push(...needs(provider, 'access_key_id', 'secret_access_key'))
  if (signs && profile !== undefined) faults.push(...beside(provider, ['profile'], 'access_key_id'))
  if (session !== undefined && !signs) {
    faults.push(['session_token', 'comes with access_key_id and secret_access_key, which are missing'])
  }
  return faults
}

const vertexFaults = (provider: DraftProvider): Fault[] => {
  const { credentials } = provider
  const faults = needs(provider, 'location')
  if (hasKey(provider)) faults.push(['api_key', 'is no use to type vertex, which takes credentials'])
  if (credentials !== undefined && !isGoogleCredentials(credentials)) {
    faults.push([
      'credentials',
      "expected the JSON of a service account's key, or of other credentials of Google's",
    ])
  }
  return faults
}

const entraSettings = ['tenant_id', 'client_id', 'client_secret', 'authority', 'scope'] as const

const azureFaults = (provider: DraftProvider): Fault[] => {
  const { resource, base_url, type, client_secret } = provider
  const faults: Fault[] = []
  if (resource === undefined && base_url === undefined)
    faults.push(['resource', `a provider of type ${type} needs resource or base_url`])
  if (resource !== undefined && base_url !== undefined)
    faults.push(['resource', 'resource and base_url are both set; keep one'])
  if (hasKey(provider)) faults.push(...beside(provider, entraSettings, 'a key, which needs no Entra ID'))
  else if (client_secret !== undefined) faults.push(...needs(provider, 'tenant_id', 'client_id'))
  return faults
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
