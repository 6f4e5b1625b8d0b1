import { readFile } from 'node:fs/promises'
import { withoutCredentials } from './credential-error.ts'
import { tokenOf } from './oauth-answer.ts'
import { type Asked, type CredentialSource, renewed } from './renewed.ts'
import { createTokenServers, postForm, type Reach, type TokenServers } from './token-servers.ts'

/** What the config says; the variables of Azure's own libraries stand in for what it does not. */
export interface EntraSettings {
  readonly tenant_id?: string | undefined
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
  /** The address of the authority, for sovereign clouds. */
  readonly authority?: string | undefined
  readonly scope?: string | undefined
}

/** Each of them one documented request, in the order of Azure's own libraries. */
interface Settled extends EntraSettings {
  readonly federatedTokenFile?: string | undefined
  /** App Service, Functions and Container Apps. */
  readonly identityEndpoint?: string | undefined
  readonly identityHeader?: string | undefined
  readonly metadataHost: string
}

const publicAuthority = 'https://login.microsoftonline.com'
const usualScope = 'https://cognitiveservices.azure.com/.default'
const metadataHost = 'http://169.254.169.254'
/** The metadata service is next to the machine; where there is none, nobody answers. */
const metadataMs = 3_000

const nothingFound =
  'No identity for Entra ID was found: neither a client secret, nor a federated token, nor a managed identity answers. ' +
  'Set `api_key`, or `tenant_id`, `client_id` and `client_secret`, or give the pod or machine an identity.'
const refusedRemedy = 'Compare `tenant_id`, `client_id` and the secret or federated credential with Entra ID.'
const identityRemedy = 'See which identities this machine has, and set `client_id` where there are several.'

/** Azure's libraries take a name without a scheme as well. */
const addressOf = (authority: string): string =>
  (authority.includes('://') ? authority : `https://${authority}`).replace(/\/+$/, '')

const settledOf = (settings: EntraSettings, env: Reach['env']): Settled => ({
  tenant_id: settings.tenant_id ?? env.AZURE_TENANT_ID,
  client_id: settings.client_id ?? env.AZURE_CLIENT_ID,
  client_secret: settings.client_secret ?? env.AZURE_CLIENT_SECRET,
  authority: addressOf(settings.authority ?? (env.AZURE_AUTHORITY_HOST || publicAuthority)),
  scope: settings.scope ?? usualScope,
  federatedTokenFile: env.AZURE_FEDERATED_TOKEN_FILE,
  identityEndpoint: env.IDENTITY_ENDPOINT,
  identityHeader: env.IDENTITY_HEADER,
  metadataHost: env.AZURE_POD_IDENTITY_AUTHORITY_HOST || metadataHost,
})

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
const fromAuthority = async (
  servers: TokenServers,
  { tenant_id, client_id, authority, scope }: Settled,
  proof: Readonly<Record<string, string>>,
  source: string,
  askedAtMs: number,
): Promise<Asked<string>> => {
  const url = new URL(`${authority}/${encodeURIComponent(tenant_id!)}/oauth2/v2.0/token`)
  const form = { grant_type: 'client_credentials', client_id: client_id!, scope: scope!, ...proof }
  return tokenOf(await postForm(servers, url, form), {
    ...{ askedAtMs, source },
    server: `Entra ID at ${url.host}`,
    remedy: refusedRemedy,
  })
}

/** The token that Kubernetes writes into the pod is changed every hour, so it is read for each request. */
const federated = async (
  servers: TokenServers,
  settled: Settled,
  file: string,
  askedAtMs: number,
): Promise<Asked<string>> => {
  const client_assertion = await readFile(file, 'utf8').catch(() => null)
  if (client_assertion === null)
    return withoutCredentials(`The federated token ${file} cannot be read. See whether it is mounted.`)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const proof = { client_assertion_type, client_assertion: client_assertion.trim() }
  return fromAuthority(servers, settled, proof, `workload identity (${file})`, askedAtMs)
}

/** A managed identity is asked for a resource, which is a scope without its end. */
const identityUrl = (base: string, version: string, { client_id, scope }: Settled): URL => {
  const url = new URL(base)
  url.searchParams.set('api-version', version)
  url.searchParams.set('resource', scope!.replace(/\/\.default$/, ''))
  if (client_id !== undefined) url.searchParams.set('client_id', client_id)
  return url
}

/** https://learn.microsoft.com/azure/app-service/overview-managed-identity */
const fromAppService = async (
  servers: TokenServers,
  settled: Settled,
  askedAtMs: number,
): Promise<Asked<string>> => {
  const url = identityUrl(settled.identityEndpoint!, '2019-08-01', settled)
  const outcome = await servers.ask('GET', url, { 'x-identity-header': settled.identityHeader! }, null)
  const source = 'the managed identity of this app'
  return tokenOf(outcome, { askedAtMs, source, server: 'The identity endpoint', remedy: identityRemedy })
}

/** https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token */
const fromMetadata = async (
  servers: TokenServers,
  settled: Settled,
  askedAtMs: number,
): Promise<Asked<string>> => {
  const base = `${settled.metadataHost.replace(/\/+$/, '')}/metadata/identity/oauth2/token`
  const url = identityUrl(base, '2018-02-01', settled)
  const outcome = await servers.ask('GET', url, { metadata: 'true' }, null, metadataMs)
  // Where nobody is, this is no machine of Azure's, and nothing that passes.
  if (outcome.kind === 'break') return withoutCredentials(nothingFound)
  const source = 'the managed identity of this machine'
  return tokenOf(outcome, { askedAtMs, source, server: 'The metadata service', remedy: identityRemedy })
}

/**
 * Tokens of Entra ID for Azure OpenAI: by a client secret, a federated token (workload identity of Kubernetes), or a managed
 * identity. The first of them that is there is asked for, and not the next where it refuses.
 */
export const createEntraTokens = (settings: EntraSettings, reach: Reach): CredentialSource<string> => {
  const settled = settledOf(settings, reach.env)
  const servers = createTokenServers(reach)
  const ask = async (): Promise<Asked<string>> => {
    const askedAtMs = reach.now()
    const { tenant_id, client_id, client_secret, federatedTokenFile, identityEndpoint, identityHeader } =
      settled
    const isClient = tenant_id !== undefined && client_id !== undefined
    if (isClient && client_secret !== undefined) {
      const source = `the client ${client_id} of Entra ID`
      return fromAuthority(servers, settled, { client_secret }, source, askedAtMs)
    }
    if (isClient && federatedTokenFile) return federated(servers, settled, federatedTokenFile, askedAtMs)
    return identityEndpoint && identityHeader
      ? fromAppService(servers, settled, askedAtMs)
      : fromMetadata(servers, settled, askedAtMs)
  }
  return renewed(ask, reach.now, servers.close)
}
