import { readFileSync } from 'node:fs'
import type { ProviderConfig } from '../../config/schema.ts'
import { isServiceAccount } from '../../config/vendor-settings.ts'
import { callsOf, type SdkAdapter } from '../sdk-adapter.ts'
import { createGoogleTokens, type ServiceAccount } from '../token-source.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { geminiSupport } from './google.ts'

const sdk: SdkAdapter = {
  supported: geminiSupport(true),
  headers: [],
  dryRunAnswer: {},
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createGoogleVertex } = await import('@ai-sdk/google-vertex')
    const { PassThroughClient } = await import('google-auth-library')
    // The token that counts comes from our own source: a failure to get one must be told from a failed call. An empty
    // key keeps the SDK from looking for one in the environment.
    const googleAuthOptions = { authClient: new PassThroughClient() }
    return createGoogleVertex({ apiKey: '', baseURL: baseUrl, fetch, googleAuthOptions })(model)
  }),
}

const hostOf = (location: string): string => {
  if (location === 'global') return 'aiplatform.googleapis.com'
  if (location === 'eu' || location === 'us') return `aiplatform.${location}.rep.googleapis.com`
  return `${location}-aiplatform.googleapis.com`
}

/** Throws where the text is no key of a service account, without quoting it. */
const accountOf = (text: string, setting: string): ServiceAccount => {
  if (!isServiceAccount(text)) throw new Error(`${setting} is not the JSON of a service account's key`)
  return JSON.parse(text) as ServiceAccount
}

const readAccount = ({ credentials, credentials_file }: ProviderConfig): ServiceAccount =>
  credentials === undefined
    ? accountOf(readFileSync(credentials_file ?? '', 'utf8'), 'credentials_file')
    : accountOf(credentials, 'credentials')

/** Gemini on Vertex AI: the Gemini API's own format, a project's quota, and tokens of a service account. */
export const vertex = (config: ProviderConfig): UpstreamType => {
  const account = readAccount(config)
  const place = `/v1beta1/projects/${config.project}/locations/${config.location}`
  return {
    dialect: 'google',
    baseUrl: `https://${hostOf(config.location ?? '')}`,
    native: [],
    nativePath: () => {
      throw new Error('no endpoint is native to Vertex AI')
    },
    // Only a project's own models are listed in its place, and not at every location.
    listing: null,
    catalogue: null,
    translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
    translatedTo: null,
    // Tuned models stand at endpoints of their own, beside Google's.
    sdkBase: (base, model) => base + place + (model.startsWith('endpoints/') ? '' : '/publishers/google'),
    sdk,
    keyHeaders: () => ({}),
    openTokens: (proxyOf, now, lookup) => createGoogleTokens(account, proxyOf, now, lookup),
  }
}
