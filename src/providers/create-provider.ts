import type { ProviderConfig } from '../config/schema.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { withModel } from './native-body.ts'
import type { Provider, UpstreamRequest } from './provider.ts'
import { createTranslation } from './translate.ts'
import { createTransport } from './transport.ts'
import { headersOf, pathOf, upstreamTypeOf } from './upstream-type.ts'

const lowerCaseNames = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/**
 * Builds the provider that `config` describes. Opens no connection before the first call.
 * Throws when the type needs a `base_url` and there is none.
 */
export const createProvider = (
  name: string,
  config: ProviderConfig,
  now: () => number = Date.now,
): Provider => {
  const { dialect, native, translated, baseUrl } = upstreamTypeOf(config)
  const url = config.base_url ?? baseUrl
  if (!url) throw new Error(`provider ${name}: type ${config.type} needs a base_url`)
  const base = new URL(url)
  const configuredHeaders = lowerCaseNames(config.headers)
  const transport = createTransport({
    baseUrl: base,
    timeoutMs: config.timeout_ms,
    connectTimeoutMs: config.connect_timeout_ms,
    maxResponseBytes: config.max_response_bytes,
  })

  const send = (endpoint: Endpoint, body: string, request: UpstreamRequest, extraHeaders = {}) =>
    transport.post(
      pathOf(dialect, base, endpoint),
      { ...headersOf(dialect, request.apiKey, configuredHeaders), ...extraHeaders },
      body,
      request.signal,
    )

  const translation = createTranslation({
    dialect,
    send,
    now,
    betas: configuredHeaders['anthropic-beta'],
  })

  return {
    name,
    dialect,
    serves: endpoint =>
      native.includes(endpoint) ? 'native' : endpoint === translated ? 'translated' : 'none',
    cannotCarry: (endpoint, body) => (endpoint === translated ? translation.cannotCarry(body) : []),
    call: request =>
      request.endpoint === translated
        ? translation.call(request)
        : send(request.endpoint, withModel(request.body, request.model), request),
    close: transport.close,
  }
}
