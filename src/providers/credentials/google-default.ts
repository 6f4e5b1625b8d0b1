import { readFile } from 'node:fs/promises'
import type { AuthClient, JWTInput, OAuth2ClientOptions } from 'google-auth-library'
import type { UpstreamOutcome } from '../../domain/upstream.ts'
import { breakOf } from '../upstream-call.ts'
import { withoutCredentials } from './credential-error.ts'
import { googleScope } from './google-account.ts'
import { type Asked, unsent } from './renewed.ts'
import { createErrand, type Errand, type TokenServers } from './token-servers.ts'

export interface GoogleToken {
  readonly token: string
  /** Whose quota it is. */
  readonly project: string
}

/** What the config says beside nothing: the JSON of credentials, or a file with it. */
export interface GoogleSettings {
  readonly credentials?: string | undefined
  readonly credentials_file?: string | undefined
  readonly project?: string | undefined
}

const usualPlaces =
  'No credentials of Google were found: GOOGLE_APPLICATION_CREDENTIALS names no file, gcloud has left none, and there is no metadata server. ' +
  'Set `credentials` or `credentials_file`, run "gcloud auth application-default login", or give the pod or machine a service account.'

export const projectless = 'Google does not say which project the credentials are for. Set `project`.'

/** In words, by the class of the library. */
const sources: Readonly<Record<string, string>> = {
  Compute: 'the metadata server',
  UserRefreshClient: `a person's login with gcloud`,
  Impersonated: 'an impersonated service account',
  IdentityPoolClient: 'workload identity federation',
  AwsClient: 'workload identity federation with AWS',
  PluggableAuthClient: 'workload identity federation with a program',
  ExternalAccountAuthorizedUserClient: 'workforce identity federation',
}

interface Failure {
  readonly message?: unknown
  readonly response?: { readonly status?: number; readonly data?: unknown }
}

/** The library's own sentences name files and settings; answers of servers may be of any kind. */
const wordsOf = ({ message, response }: Failure): string => {
  const { error, error_description } = (response?.data ?? {}) as Record<string, unknown>
  const said =
    typeof error_description === 'string' ? error_description : (error as Failure | undefined)?.message
  if (response === undefined) return String(message).split('\n')[0]!.slice(0, 300)
  const code = typeof error === 'string' ? error : `status ${response.status}`
  return typeof said === 'string' ? `${code}: ${said.slice(0, 300)}` : code
}

const refusalOf = (error: unknown): string => {
  const words = wordsOf((error ?? {}) as Failure)
  if (words.startsWith('Could not load the default credentials')) return usualPlaces
  if (words.startsWith('Unable to detect a Project Id')) return projectless
  return `Google's credentials cannot be used (${words.replace(/\.$/, '')}). Compare them with docs/providers.md.`
}

type Library = typeof import('./google-library.ts')
type Common = Pick<OAuth2ClientOptions, 'transporter'> & { readonly scopes: string[] }

/**
 * The client for the JSON of credentials, by its kind. The library would choose as well, and write to the console that whoever
 * is given the JSON by strangers must look at it first; ours comes from the operator.
 */
const clientFor = (library: Library, json: { readonly type?: unknown }, common: Common): AuthClient => {
  const settings = { ...json, ...common } as never
  switch (json.type) {
    case 'authorized_user': {
      const client = new library.UserRefreshClient(common)
      client.fromJSON(json as JWTInput)
      return client
    }
    case 'impersonated_service_account':
      return new library.GoogleAuth({ scopes: common.scopes }).fromImpersonatedJSON(json as never)
    case 'external_account_authorized_user':
      return new library.ExternalAccountAuthorizedUserClient(settings)
    default: {
      const { credential_source: source = {} } = json as { credential_source?: Record<string, unknown> }
      if ('environment_id' in source) return new library.AwsClient(settings)
      return 'executable' in source
        ? new library.PluggableAuthClient(settings)
        : new library.IdentityPoolClient(settings)
    }
  }
}

/** The exchange of another cloud's token goes by connections of the library's own, and what became of it is in its error. */
const troubleOf = (error: unknown, { gaxios }: Library): UpstreamOutcome | null => {
  const { response, code } = error as Failure & { readonly code?: unknown }
  // The library's own error holds the request, and with it the other cloud's token.
  if (error instanceof gaxios.GaxiosError && response === undefined)
    return unsent(breakOf(error, false).reason, Object.assign(new Error('no answer'), { code }))
  const status = response?.status ?? 0
  return status >= 500 || status === 429
    ? { kind: 'answer', status, headers: {}, text: '', json: undefined }
    : null
}

/** What the library sends by, in place of its own connections: ours know proxies and name servers. */
const fetchBy =
  (errand: Errand): typeof fetch =>
  async (address, init) => {
    const headers = Object.fromEntries(new Headers(init?.headers))
    const body = init?.body === undefined || init.body === null ? null : String(init.body)
    const method = init?.method === 'POST' ? 'POST' : 'GET'
    const { status, headers: got, text } = await errand.ask(method, new URL(String(address)), headers, body)
    return new Response(text, { status, headers: got })
  }

/**
 * A token by Google's application default credentials: the file that the config or GOOGLE_APPLICATION_CREDENTIALS names, the
 * one that gcloud keeps, the metadata server; of a person, a service account, or another cloud's identity. Everything is read
 * anew each time, as files and memberships may have changed. A metadata server that is not there costs 3 s at the most.
 */
export const askGoogle = async (
  servers: TokenServers,
  { credentials, credentials_file, project }: GoogleSettings,
  nowMs: number,
): Promise<Asked<GoogleToken>> => {
  const library = await import('./google-library.ts')
  const errand = createErrand(servers)
  const transporter = new library.gaxios.Gaxios({ fetchImplementation: fetchBy(errand) })
  const common = { scopes: [googleScope], transporter }
  try {
    const json = credentials ?? (credentials_file && (await readFile(credentials_file, 'utf8')))
    const auth = new library.GoogleAuth({
      ...(project !== undefined && { projectId: project }),
      ...(json ? { authClient: clientFor(library, JSON.parse(json), common) } : {}),
      ...{ scopes: common.scopes, clientOptions: common },
    })
    // That there was no metadata server a while ago is not for ever.
    library.gcpMetadata.resetIsAvailableCache()
    const client = await auth.getClient()
    const { token } = await client.getAccessToken()
    if (!token) return withoutCredentials(refusalOf(new Error('no token came')))
    const source = sources[client.constructor.name] ?? `Google's application default credentials`
    const value = { token, project: project ?? (await auth.getProjectId()) }
    return { value, endsAtMs: client.credentials.expiry_date ?? nowMs + 60_000, source }
  } catch (error) {
    return errand.trouble ?? troubleOf(error, library) ?? withoutCredentials(refusalOf(error))
  }
}
