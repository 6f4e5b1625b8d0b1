import { withoutCredentials } from './credential-error.ts'
import { type Asked, type CredentialSource, renewed } from './renewed.ts'
import { createErrand, createTokenServers, type Errand, type Reach } from './token-servers.ts'

export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What the config says of where to look. */
export interface AwsSettings {
  readonly region: string
  /** Of `~/.aws/config`; AWS_PROFILE, or `default`, when absent. */
  readonly profile?: string | undefined
  /** Taken on with what is found. */
  readonly role_arn?: string | undefined
  /** In place of what would be looked for. */
  readonly keys?: AwsKeys | undefined
}

const nothingFound =
  'No credentials of AWS were found: neither in the environment, a profile, a web identity, an endpoint of the container nor the role of the instance. ' +
  'Set `access_key_id` and `secret_access_key`, name a `profile`, or give the pod or machine a role.'

/** The SDK's own marks of where credentials came from, the last step first. */
const sources: readonly (readonly [mark: string, words: string])[] = [
  ['CREDENTIALS_HTTP', `the endpoint of this container or pod`],
  ['CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN', 'the web identity of this pod'],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', 'the web identity of a profile'],
  ['CREDENTIALS_PROFILE_SSO', 'the SSO login of a profile'],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', 'the SSO login of a profile'],
  ['CREDENTIALS_SSO', 'an SSO login'],
  ['CREDENTIALS_PROFILE_LOGIN', 'the login of a profile'],
  ['CREDENTIALS_PROFILE_PROCESS', 'the program of a profile'],
  ['CREDENTIALS_PROFILE', 'a profile'],
  ['CREDENTIALS_ENV_VARS', 'the environment'],
]

interface Found extends AwsKeys {
  readonly expiration?: Date | undefined
  readonly $source?: Readonly<Record<string, string>>
}

const sourceOf = ({ $source = {} }: Found, { profile, role_arn, keys }: AwsSettings): string => {
  // The metadata service alone leaves no mark.
  const unmarked = keys === undefined ? 'the role of this instance' : 'the config'
  const [, words = unmarked] = sources.find(([mark]) => mark in $source) ?? []
  const named = profile === undefined ? words : `${words} ("${profile}")`
  const isRole = 'CREDENTIALS_STS_ASSUME_ROLE' in $source && role_arn === undefined
  const of = isRole ? `a role, by ${named}` : named
  return role_arn === undefined ? of : `the role ${role_arn}, by ${of}`
}

interface Failure {
  readonly name?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** The SDK's own sentences name profiles, files and settings, and its services what they refuse. */
const refusalOf = ({ name = 'Error', message = '', $metadata }: Failure): string => {
  const words = message.split('\n')[0]!.slice(0, 300).replace(/\.$/, '')
  if (words === 'Could not load credentials from any providers') return nothingFound
  return $metadata?.httpStatusCode === undefined
    ? `AWS credentials cannot be had (${words || name}). Compare \`profile\` and \`role_arn\` with ~/.aws/config.`
    : `AWS refuses (${name}: ${words}). See whether the role exists, and trusts who takes it on.`
}

interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

const addressOf = ({ protocol, hostname, port, path, query = {} }: SdkRequest): URL => {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) url.searchParams.append(name, one ?? '')
  return url
}

/** What the SDK sends by, in place of its own connections: ours know proxies and name servers. */
const handlerFor = (errand: Errand) => ({
  handle: async (request: SdkRequest) => {
    const body =
      request.body === undefined ? null : Buffer.from(request.body as string | Uint8Array).toString()
    const { host: _, ...headers } = request.headers
    const method = request.method === 'POST' ? 'POST' : 'GET'
    const { status, headers: got, text } = await errand.ask(method, addressOf(request), headers, body || null)
    return { response: { statusCode: status, headers: got, body: Buffer.from(text) } }
  },
  updateHttpClientConfig: () => undefined,
  httpHandlerConfigs: () => ({}),
  destroy: () => undefined,
})

/** What it would say to the console. */
const silence = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Its own memory goes by the clock of this host: ahead of AWS's, what has just come would be asked for without end. */
const anew: object = { forceRefresh: true }

/** For what is on this machine, or not there at all. */
const nearby = { timeout: 1_000, maxRetries: 1 }

/**
 * Keys of AWS where its own tools find them: environment, profiles, SSO, web identity, the container's endpoint, the role of
 * the instance. Everything is read anew each time. The SDK is loaded with the first question.
 */
export const createAwsKeys = (settings: AwsSettings, reach: Reach): CredentialSource<AwsKeys> => {
  const { region, profile, role_arn, keys } = settings
  const servers = createTokenServers(reach)

  const ask = async (): Promise<Asked<AwsKeys>> => {
    const { fromIni, fromNodeProviderChain, fromTemporaryCredentials } = await import('./aws-library.ts')
    const errand = createErrand(servers)
    // Once more at the most: the job may go elsewhere meanwhile.
    const clientConfig = { region, requestHandler: handlerFor(errand), logger: silence, maxAttempts: 2 }
    const common = { ignoreCache: true, clientConfig, logger: silence }
    // The chain would pass over a profile that is not there, to whatever the machine may do.
    const chain =
      profile === undefined
        ? // The first version of the metadata service can be reached by whoever makes a server fetch an address.
          fromNodeProviderChain({ ...nearby, ...common, ec2MetadataV1Disabled: true })
        : fromIni({ ...common, profile })
    const find = async (): Promise<Found> => {
      const own: Found = keys ?? (await chain(anew))
      if (role_arn === undefined) return own
      const params = { RoleArn: role_arn, RoleSessionName: 'baton' }
      const taken = await fromTemporaryCredentials({ masterCredentials: own, params, clientConfig })()
      return { ...taken, ...(own.$source && { $source: own.$source }) }
    }
    try {
      const found = await find()
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = found
      const value = { accessKeyId, secretAccessKey, sessionToken }
      return { value, endsAtMs: expiration?.getTime() ?? null, source: sourceOf(found, settings) }
    } catch (error) {
      return errand.trouble ?? withoutCredentials(refusalOf(error as Failure))
    }
  }
  return renewed(ask, reach.now, servers.close)
}
