import type { LookupFunction } from 'node:net'
import type { Config, ProviderConfig } from '../config/schema.ts'
import { carriedWhole } from '../domain/routing/adjustments.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { anyModel } from '../domain/routing/wildcards.ts'
import { type ProxySettings, proxyFor } from '../net/choose-proxy.ts'
import { headersMaker } from './call-headers.ts'
import { keyStatusOf, pingOf, unknownModelRequest } from './check.ts'
import { authorized } from './credentials/access.ts'
import { lowerCaseNames } from './header-names.ts'
import { modelNamesIn } from './model-names.ts'
import { withModel } from './native-body.ts'
import { createNativeCalls } from './native-calls.ts'
import type { Provider } from './provider.ts'
import { StreamPaces } from './stream-limits.ts'
import { createTranslations, type Reasons } from './translate.ts'
import type { Send } from './translation-parts.ts'
import { createTransport } from './transport.ts'
import { upstreamTypeOf } from './types/by-name.ts'

/** What providers are reached by. */
export interface Surroundings extends ProxySettings {
  readonly lookup?: LookupFunction | undefined
  /** The environment of this process, for what names a cloud's own identity there. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/**
 * Builds the provider that `config` describes. Opens no connection before the first call.
 * Throws when the type needs a `base_url` and there is none, and where its credentials cannot be read.
 */
export const createProvider = (
  name: string,
  config: ProviderConfig,
  now: () => number = Date.now,
  reasons: Reasons = () => undefined,
  around: Surroundings = {},
): Provider => {
  const type = upstreamTypeOf(config)
  const { dialect, native, translated } = type
  const url = config.base_url ?? type.baseUrl
  if (!url) throw new Error(`provider ${name}: type ${config.type} needs a base_url`)
  const base = new URL(url)
  const headersOf = headersMaker(type, lowerCaseNames(config.headers))
  const proxyOf = (address: URL): URL | null => proxyFor(address, config.proxy, around)
  const access = type.openAccess?.(base, { proxyOf, lookup: around.lookup, now, env: around.env ?? {} })
  const connections = createTransport({
    baseUrl: base,
    timeoutMs: config.timeout,
    connectTimeoutMs: config.connect_timeout,
    maxResponseBytes: config.max_response_bytes,
    proxy: proxyOf(base),
    lookup: around.lookup,
  })
  const shown = access && authorized(connections, access, config.timeout)
  const transport = shown ?? connections

  const send: Send = (path, body, request, made, stream) =>
    transport.send(
      'POST',
      path,
      headersOf({ apiKey: request.apiKey, how: 'translated', made, forwarded: request.headers }),
      body,
      request.signal,
      stream,
    )

  const { first_token_timeout: first, idle_timeout: idle } = config.stream
  const paces = new StreamPaces({ first, idle, timeoutMs: config.timeout, reasons })
  const callNative = createNativeCalls({
    type,
    base,
    paces,
    streamsInside: config.upstream_stream,
    transport,
    headersOf,
    now,
  })
  const translations = createTranslations({ type, base, send, now, reasons, paces })

  const call: Provider['call'] = request =>
    translations.get(request.endpoint)?.call(request) ?? callNative(request)

  const check: Provider['check'] = async (apiKey, signal) => {
    const { listing } = type
    const outcome = await (listing === null
      ? call({ ...unknownModelRequest, apiKey, signal })
      : transport.send('GET', listing(base), headersOf({ apiKey, how: 'translated' }), null, signal))
    return {
      status: keyStatusOf(outcome, listing === null ? 'unknown_model' : 'listing', dialect, now()),
      outcome,
    }
  }

  const { catalogue } = type
  const listModels: Provider['listModels'] =
    catalogue !== null
      ? async (apiKey, signal) => {
          const headers = headersOf({ apiKey, how: 'translated' })
          const outcome = await transport.send('GET', catalogue(base), headers, null, signal)
          return outcome.kind === 'answer' && outcome.status < 300 ? modelNamesIn(outcome.json) : null
        }
      : undefined

  const { countPath } = type
  const countTokens: Provider['countTokens'] =
    countPath &&
    (({ body, headers, model, apiKey, signal }) =>
      transport.send(
        'POST',
        countPath(base),
        headersOf({ apiKey, how: 'native', forwarded: headers }),
        withModel(body, model),
        signal,
      ))

  return {
    name,
    dialect,
    serves: endpoint =>
      native.includes(endpoint) ? 'native' : translated.includes(endpoint) ? 'translated' : 'none',
    carriage: (endpoint, model, body) => translations.get(endpoint)?.carriage(model, body) ?? carriedWhole,
    call,
    check,
    ...(countTokens && { countTokens }),
    ...(listModels && { listModels }),
    ...(shown && { prove: shown.prove }),
    ping: (model, apiKey, signal) => call({ ...pingOf(type, model), apiKey, signal }),
    close: async () => {
      await Promise.all([connections.close(), access?.source.close()])
    },
  }
}

type Routes = ReadonlyMap<string, { readonly targets: readonly RouteTarget[] }>

/** Whether a provider's models think, as far as the config says so; a route's word counts as much as the provider's. */
const reasonsOf = (routes: Routes, provider: string): Reasons => {
  const told = new Map<string, boolean>()
  for (const { targets } of routes.values()) {
    for (const target of targets) {
      const reasons = target.capabilities?.reasoning
      if (target.provider === provider && reasons !== undefined)
        told.set(target.keptAs ?? target.model, reasons)
    }
  }
  return model => told.get(model) ?? told.get(anyModel)
}

/** All that the config describes, by name. */
export const createProviders = (
  { providers, proxy }: Pick<Config, 'providers' | 'proxy'>,
  routes: Routes,
  now: () => number,
  around: Pick<Surroundings, 'lookup' | 'env'> = {},
): ReadonlyMap<string, Provider> =>
  new Map(
    Object.entries(providers).map(([name, config]) => [
      name,
      createProvider(name, config, now, reasonsOf(routes, name), { ...proxy, ...around }),
    ]),
  )
