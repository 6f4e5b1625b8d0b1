import type { LookupFunction } from 'node:net'
import type { Config, ProviderConfig } from '../config/schema.ts'
import { carriedWhole } from '../domain/routing/adjustments.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { anyModel } from '../domain/routing/wildcards.ts'
import { type ProxySettings, proxyFor } from '../net/choose-proxy.ts'
import { headersMaker } from './call-headers.ts'
import { readCatalogue } from './catalogue.ts'
import { keyStatusOf, pingOf, unknownModelRequest } from './check.ts'
import { authorized } from './credentials/access.ts'
import { lowerCaseNames } from './header-names.ts'
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
  const env = around.env ?? {}
  const access = type.openAccess?.({ proxyOf, lookup: around.lookup, now, env })
  const open = (address: URL) => {
    const connections = createTransport({
      baseUrl: address,
      timeoutMs: config.timeout,
      connectTimeoutMs: config.connect_timeout,
      maxResponseBytes: config.max_response_bytes,
      proxy: proxyOf(address),
      lookup: around.lookup,
    })
    const at = { origin: address.origin, timeoutMs: config.timeout }
    const shown = access && authorized(connections, access, at)
    return { send: (shown ?? connections).send, prove: shown?.prove, close: connections.close }
  }
  const transport = open(base)

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
  const elsewhere = catalogue?.host?.(base, env)
  const lists = elsewhere === undefined ? transport : elsewhere && open(elsewhere)
  const listModels: Provider['listModels'] =
    catalogue && lists
      ? (apiKey, signal) => {
          const headers = { ...catalogue.headers, ...headersOf({ apiKey, how: 'translated' }) }
          return readCatalogue(catalogue, base, path => lists.send('GET', path, headers, null, signal))
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
    ...(transport.prove && { prove: transport.prove }),
    ping: (model, apiKey, signal) => call({ ...pingOf(type, model), apiKey, signal }),
    close: async () => {
      await Promise.all([transport.close(), lists?.close(), access?.source.close()])
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
