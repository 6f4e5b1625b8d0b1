import { readFileSync } from 'node:fs'
import type { ProviderConfig } from '../../config/schema.ts'
import { isGoogleCredentials, isServiceAccount } from '../../config/vendor-settings.ts'
import { isJsonObject } from '../../json/json-object.ts'
import type { Catalogue } from '../catalogue.ts'
import type { Access, Signable } from '../credentials/access.ts'
import { withoutCredentials } from '../credentials/credential-error.ts'
import { askForAccount, type ServiceAccount } from '../credentials/google-account.ts'
import { askGoogle, type GoogleToken, projectless } from '../credentials/google-default.ts'
import { type Asked, type CredentialSource, isOutcome, renewed } from '../credentials/renewed.ts'
import { createTokenServers, type Reach } from '../credentials/token-servers.ts'
import { modelNamesIn } from '../model-names.ts'
import { callsOf, type SdkAdapter } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { geminiSupport } from './google.ts'

const sdk: SdkAdapter = {
  supported: geminiSupport(true),
  headers: [],
  dryRunAnswer: {},
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createGoogleVertex } = await import('@ai-sdk/google-vertex')
    const { PassThroughClient } = await import('../credentials/google-library.ts')
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

/** Stands in paths until it is known for whom the credentials are. */
const unknownProject = '-project-of-credentials-'

/** Throws where the text is no credentials of Google's, without quoting it. */
const accountOf = (text: string, setting: string): ServiceAccount | null => {
  if (isServiceAccount(text)) return JSON.parse(text) as ServiceAccount
  if (!isGoogleCredentials(text)) throw new Error(`${setting} is not the JSON of credentials of Google's`)
  return null
}

const withProject = (headers: Signable['headers'], project: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === unknownProject ? project : value]),
  )

/** The key of a service account; null for whatever else Google has. */
const readAccount = ({ credentials, credentials_file }: ProviderConfig): ServiceAccount | null => {
  if (credentials !== undefined) return accountOf(credentials, 'credentials')
  if (credentials_file === undefined) return null
  return accountOf(readFileSync(credentials_file, 'utf8'), 'credentials_file')
}

const sourceOf = (config: ProviderConfig, reach: Reach): CredentialSource<GoogleToken> => {
  const { credentials, credentials_file, project } = config
  const account = readAccount(config)
  const servers = createTokenServers(reach)
  const ask = async (): Promise<Asked<GoogleToken>> => {
    if (account === null) return askGoogle(servers, { credentials, credentials_file, project }, reach.now())
    const whose = project ?? account.project_id
    if (whose === undefined) return withoutCredentials(projectless)
    const asked = await askForAccount(servers, account, reach.now())
    return isOutcome(asked) ? asked : { ...asked, value: { token: asked.value, project: whose } }
  }
  return renewed(ask, reach.now, servers.close)
}

/** What `generateContent` does not answer, or not with text. */
const answersOtherwise = /embedding|-live-|native-audio|-tts/

/** https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list */
const geminiCatalogue = (project: string): Catalogue => ({
  paths: () => ['/v1beta1/publishers/google/models?pageSize=200'],
  // The list belongs to no project: without this, a person's login has none to count the request to.
  headers: { 'x-goog-user-project': project },
  next: ['nextPageToken', 'pageToken'],
  namesIn: ([pages = []]) =>
    pages
      .flatMap(page => modelNamesIn(isJsonObject(page) ? page.publisherModels : []))
      .map(name => name.replace(/^publishers\/google\/models\//, ''))
      .filter(name => name.startsWith('gemini-') && !answersOtherwise.test(name)),
})

const accessOf = (config: ProviderConfig, reach: Reach): Access<GoogleToken> => ({
  source: sourceOf(config, reach),
  signed: async ({ path, headers }, { token, project }) => ({
    path: path.replace(unknownProject, encodeURIComponent(project)),
    headers: { authorization: `Bearer ${token}`, ...withProject(headers, project) },
  }),
  secretsIn: ({ token }) => [token],
  isRefusal: ({ status }) => status === 401,
})

/** Gemini on Vertex AI: the Gemini API's own format, a project's quota, and tokens of an identity of Google's. */
export const vertex = (config: ProviderConfig): UpstreamType => {
  const place = `/v1beta1/projects/${config.project ?? unknownProject}/locations/${config.location}`
  return {
    dialect: 'google',
    baseUrl: `https://${hostOf(config.location ?? '')}`,
    native: [],
    nativePath: () => {
      throw new Error('no endpoint is native to Vertex AI')
    },
    // Google's models are listed for whoever asks, and a project's own not at every location: neither proves an access.
    listing: null,
    catalogue: geminiCatalogue(config.project ?? unknownProject),
    translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
    translatedTo: null,
    // Tuned models stand at endpoints of their own, beside Google's.
    sdkBase: (base, model) => base + place + (model.startsWith('endpoints/') ? '' : '/publishers/google'),
    sdk,
    keyHeaders: () => ({}),
    openAccess: reach => accessOf(config, reach),
  }
}
