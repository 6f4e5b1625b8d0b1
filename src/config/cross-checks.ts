import ipaddr from 'ipaddr.js'
import { findLoops, modelEntryOf } from '../domain/routing/chain.ts'
import { isWildcard } from '../domain/routing/wildcards.ts'
import { addressFault } from './address-checks.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Draft, DraftProvider, DraftRoute } from './draft.ts'
import { durationText } from './durations.ts'
import type { Finding, Path } from './fault.ts'
import { aliasFindings, fallbackFindings, wildcardFindings } from './name-checks.ts'
import { vendorMeant } from './other-words.ts'
import { presetOf } from './presets.ts'
import { canListModels } from './provider-settings.ts'
import { redisFindings } from './redis-checks.ts'
import { asideFindings, strategyFindings } from './route-checks.ts'
import { vendorFaults } from './vendor-checks.ts'

/** What is wrong between settings that may each be right. */
export const crossCheckFindings = (draft: Draft): Finding[] => [
  ...Object.entries(draft.providers).flatMap(([name, provider]) => providerFindings(name, provider)),
  ...Object.entries(draft.providers).flatMap(([name, provider]) => ownAddressFindings(draft, name, provider)),
  ...Object.entries(draft.models).flatMap(([name, route]) => routeFindings(draft, name, route)),
  ...loopFindings(draft),
  ...aliasFindings(draft),
  ...draft.webhooks.allowed_networks.flatMap(networkFindings),
  ...keyFindings(draft),
  ...hostFindings(draft),
  ...originFindings(draft),
  ...drainFindings(draft),
  ...adminFindings(draft),
  ...redisFindings(draft.redis),
  ...storageFindings(draft),
]

const relation = (path: Path, message: string, suggestion?: string): Finding => ({
  code: 'relation',
  path,
  message,
  suggestion,
})

const providerFindings = (name: string, provider: DraftProvider): Finding[] => {
  const at = (...rest: Path): Path => ['providers', name, ...rest]
  const { api_key, api_keys, timeout, connect_timeout: connectTimeout } = provider
  const findings: Finding[] = []
  if (api_key !== undefined && api_keys !== undefined) {
    findings.push(relation(at('api_keys'), 'api_key and api_keys are both set; keep one'))
  }
  findings.push(...vendorFaults(provider).map(([setting, message]) => relation(at(setting), message)))
  if (timeout !== undefined && connectTimeout !== undefined && connectTimeout > timeout) {
    findings.push(relation(at('connect_timeout'), `is longer than timeout (${durationText(timeout)})`))
  }
  const address = addressFault(provider)
  if (address !== null) findings.push(relation(at('base_url'), address.message, address.suggestion))
  findings.push(...healthCheckFindings(at('health_check'), provider))
  for (const [model, facts] of Object.entries(provider.models)) {
    findings.push(...windowFindings(at('models', model), facts))
  }
  return findings
}

/** vLLM listens on 8000 unless told otherwise, and so does Baton: a job would be submitted anew by each of its calls. */
const ownAddressFindings = (
  { server: { port = 8_000 } }: Draft,
  name: string,
  provider: DraftProvider,
): Finding[] => {
  const address = provider.base_url ?? presetOf(provider.type)?.baseUrl
  const url = URL.parse(address ?? '')
  const isOwn = url !== null && isLoopback(url.hostname.replace(/^\[|\]$/g, '')) && Number(url.port) === port
  return isOwn && port !== 0
    ? [
        relation(
          ['providers', name, 'base_url'],
          `${url.host} is where Baton itself listens: give the server's own address, or another server.port`,
        ),
      ]
    : []
}

const healthCheckFindings = (path: Path, provider: DraftProvider): Finding[] => {
  const { type, health_check: check, models } = provider
  if (!check?.enabled) return []
  const { kind = 'models', model } = check
  if (kind === 'models') {
    if (!canListModels(type)) {
      const message = `a provider of type ${type} has no list of models to ask for`
      return [relation([...path, 'kind'], message, 'completion')]
    }
    return model === undefined ? [] : [relation([...path, 'model'], 'only kind completion names a model')]
  }
  const listed = Object.entries(models).map(([name, facts]) => facts.upstream_model ?? name)
  return model === undefined || listed.length === 0 || listed.includes(model)
    ? []
    : [relation([...path, 'model'], 'the provider does not list this model', didYouMean(model, listed))]
}

const windowFindings = (path: Path, facts: DraftRoute): Finding[] => {
  const { context_window: window, max_output_tokens: output } = facts
  return window !== undefined && output !== undefined && output > window
    ? [relation([...path, 'max_output_tokens'], `is larger than context_window (${window})`)]
    : []
}

const routeFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => {
  const path: Path = ['models', name]
  return [
    ...targetFindings(draft, name, route),
    ...fallbackFindings(draft, name, route),
    ...wildcardFindings(name, route),
    ...windowFindings(path, route),
    ...asideFindings(draft, name, route),
    ...strategyFindings(draft, name, route),
  ]
}

const targetFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => {
  const { provider, upstream_model } = route
  if (provider === undefined) return []
  if (!Object.hasOwn(draft.providers, provider)) {
    const suggestion = didYouMean(provider, Object.keys(draft.providers))
    const type = suggestion === undefined ? vendorMeant(provider) : undefined
    const [prefix = '', ...model] = provider.split('/')
    const advice =
      model.length > 0 && Object.hasOwn(draft.providers, prefix)
        ? `: a route names both by themselves, as {provider: ${prefix}, upstream_model: ${model.join('/')}}`
        : type === undefined
          ? ''
          : `: write one under providers, with type: ${type}`
    return [relation(['models', name, 'provider'], `there is no provider "${provider}"${advice}`, suggestion)]
  }
  const entries = draft.providers[provider]?.models ?? {}
  const listed = Object.keys(entries)
  // A provider that lists no models takes any; one that does takes those of what a wildcard stands for.
  if (isWildcard(name) || listed.length === 0 || modelEntryOf(entries, name, upstream_model) !== undefined)
    return []
  const model = upstream_model ?? name
  const path: Path = ['models', name, ...(upstream_model === undefined ? [] : ['upstream_model'])]
  return [
    relation(path, `provider "${provider}" does not list the model "${model}"`, didYouMean(model, listed)),
  ]
}

const loopFindings = ({ models }: Draft): Finding[] =>
  findLoops(models).map(loop =>
    relation(['models', loop[0] ?? '', 'fallback_to'], `loops: ${loop.join(' -> ')}`),
  )

const networkFindings = (network: unknown, index: number): Finding[] => {
  if (typeof network !== 'string' || ipaddr.isValidCIDR(network)) return []
  const path: Path = ['webhooks', 'allowed_networks', index]
  const prefix = ipaddr.isValid(network) ? (ipaddr.parse(network).kind() === 'ipv4' ? 32 : 128) : null
  return [
    relation(
      path,
      'expected a network such as 10.0.0.0/8',
      prefix === null ? undefined : `${network}/${prefix}`,
    ),
  ]
}

/** Which tenant and role such a key has would depend on the order of the list. */
const keyFindings = ({ api_keys }: Draft): Finding[] => {
  const keys = api_keys.map(item =>
    typeof item === 'object' && item !== null ? (item as { key?: unknown }).key : item,
  )
  return keys.flatMap((key, index): Finding[] => {
    const first = keys.indexOf(key)
    if (typeof key !== 'string' || first === index) return []
    const path: Path = ['api_keys', index, ...(typeof api_keys[index] === 'string' ? [] : ['key'])]
    return [relation(path, `is the same key as api_keys[${first}]`)]
  })
}

const hostFindings = ({ server: { host }, api_keys }: Draft): Finding[] =>
  host === undefined || isLoopback(host) || api_keys.length > 0
    ? []
    : [relation(['server', 'host'], 'is reachable from other machines: that needs api_keys')]

const adminFindings = ({ server, api_keys }: Draft): Finding[] => {
  const { port = 8_000, admin_host: host = '127.0.0.1', admin_port: adminPort } = server
  if (adminPort === undefined) return []
  const findings: Finding[] = []
  if (adminPort === port && port !== 0) {
    findings.push(relation(['server', 'admin_port'], 'is also the port of the API: take another one'))
  }
  const isOperator = (key: unknown): boolean => (key as { role?: unknown } | null)?.role === 'operator'
  if (!isLoopback(host) && !api_keys.some(isOperator)) {
    const message = 'is reachable from other machines: that needs a key of the role operator in api_keys'
    findings.push(relation(['server', 'admin_host'], message))
  }
  return findings
}

/** A page of any site could do what a client may. */
const originFindings = ({ server: { cors_origins: origins }, api_keys }: Draft): Finding[] =>
  origins.includes('*') && api_keys.length === 0
    ? [
        relation(
          ['server', 'cors_origins', origins.indexOf('*')],
          'lets every web page in: that needs api_keys',
        ),
      ]
    : []
/** Where it is not set, it is 20 s. */
const defaultGraceMs = 20_000

const drainFindings = ({
  server: { shutdown_grace: graceMs = defaultGraceMs, drain_delay: delayMs = 0 },
}: Draft): Finding[] =>
  delayMs === 0 || delayMs < graceMs
    ? []
    : [
        relation(
          ['server', 'drain_delay'],
          `is no shorter than shutdown_grace (${durationText(graceMs)}), of which it is a part`,
        ),
      ]

const storageFindings = ({ storage: { path, s3 } }: Draft): Finding[] => {
  if (s3 === undefined) return []
  const findings: Finding[] = []
  if (path !== undefined) findings.push(relation(['storage', 's3'], 'path and s3 are both set; keep one'))
  const { access_key_id: id, secret_access_key: secret } = s3
  if ((id === undefined) !== (secret === undefined)) {
    const missing = id === undefined ? 'access_key_id' : 'secret_access_key'
    findings.push(relation(['storage', 's3', missing], 'is missing: one key is no use without the other'))
  }
  if (id !== undefined && s3.profile !== undefined)
    findings.push(relation(['storage', 's3', 'profile'], 'stands beside access_key_id; keep one'))
  return findings
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback')
