import type { ProviderConfig } from '../../config/schema.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { isJsonObject } from '../../json/json-object.ts'
import { basePath, withoutVersion } from '../base-path.ts'
import type { Catalogue } from '../catalogue.ts'
import type { Access } from '../credentials/access.ts'
import { createEntraTokens } from '../credentials/entra.ts'
import type { Reach } from '../credentials/token-servers.ts'
import { modelNamesIn } from '../model-names.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { openai } from './openai.ts'

/** Versions of the API that is served at `/openai/v1`, where the model stands in the body. */
const isV1 = (version: string): boolean => !/^\d/.test(version)

/** Both the resource's root and the base that the portal shows (`…/openai/v1`, `…/openai`) are taken. */
const rootOf = (base: URL): string => basePath(base).replace(/\/openai(?:\/v1)?$/, '')

const listingOf = (base: URL, version: string): string =>
  `${rootOf(base)}/openai${isV1(version) ? '/v1' : ''}/models${version === 'v1' ? '' : `?api-version=${version}`}`

/**
 * The dated versions name the deployment in the path. The endpoints that came later (Responses) never did.
 * The v1 API needs no version; `preview` turns on what is not released yet.
 */
const pathOf = (base: URL, endpoint: Endpoint, deployment: string, version: string): string => {
  const root = rootOf(base)
  if (isV1(version)) {
    return `${root}/openai/v1${withoutVersion(endpoint)}${version === 'v1' ? '' : `?api-version=${version}`}`
  }
  const place =
    endpoint === '/v1/responses' ? '/openai' : `/openai/deployments/${encodeURIComponent(deployment)}`
  return `${root}${place}${withoutVersion(endpoint)}?api-version=${version}`
}

const isReady = (entry: unknown): boolean =>
  !isJsonObject(entry) || (entry.status ?? 'succeeded') === 'succeeded'

/**
 * What is called are deployments, and `/models` has models. Of the APIs that a resource has itself, only early versions list
 * deployments; those that came later leave that to Azure's management. Resources still answer the early one.
 * https://learn.microsoft.com/rest/api/azureopenai/deployments/list (2022-12-01)
 */
const deployments: Catalogue = {
  paths: base => [`${rootOf(base)}/openai/deployments?api-version=2022-12-01`],
  namesIn: ([pages = []]) => {
    const [page] = pages
    return modelNamesIn(isJsonObject(page) && Array.isArray(page.data) ? page.data.filter(isReady) : [])
  },
}

const accessOf = (config: ProviderConfig, reach: Reach): Access<string> => ({
  source: createEntraTokens(config, reach),
  signed: async ({ path, headers }, token) => ({
    path,
    headers: { authorization: `Bearer ${token}`, ...headers },
  }),
  secretsIn: token => [token],
  isRefusal: ({ status }) => status === 401,
})

/**
 * Azure speaks OpenAI's own format, so bodies pass through; models are the names of deployments. Without a key it is shown a
 * token of Entra ID.
 */
export const azure = (config: ProviderConfig): UpstreamType => {
  const { resource, api_version = 'v1', api_key, api_keys } = config
  return {
    ...openai,
    baseUrl: resource === undefined ? null : `https://${resource}.openai.azure.com`,
    nativePath: (base, endpoint, deployment) => pathOf(base, endpoint, deployment, api_version),
    listing: base => listingOf(base, api_version),
    catalogue: deployments,
    keyHeaders: apiKey => ({ 'api-key': apiKey }),
    ...(api_key === undefined && api_keys === undefined && { openAccess: reach => accessOf(config, reach) }),
  }
}
