import type { Config } from './schema.ts'

/** Names of settings whose values are secret; of a header's, too. */
const secretName = /key|secret|token|passw|credential|auth|cookie|signature/i
/** Settings whose name looks like a secret's, but whose value is none. */
const openName = /_files?$/
/** Headers that identify the caller, and hold no secret. */
const openHeader =
  /^(?:accept.*|content-.*|user-agent|(?:http-)?referer|x-title|anthropic-(?:version|beta)|openai-(?:organization|project|beta))$/i

/** What stands in a URL before the host, as written and as sent. */
const ofUrl = (text: string): string[] => {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(text)) return []
  const { username, password } = URL.parse(text) ?? { username: '', password: '' }
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  }
  const parts = password === '' ? [username] : [password, `${username}:${password}`]
  return parts.flatMap(part => [part, decode(part)])
}

/** `Bearer KEY` is a secret, and so is KEY alone; so is what stands in the base64 of `Basic`. */
const ofHeader = (value: string): string[] => {
  const [, scheme, credentials] = /^(\S+)\s+(\S+)$/.exec(value.trim()) ?? []
  if (credentials === undefined) return [value.trim()]
  if (scheme!.toLowerCase() !== 'basic') return [value, credentials]
  const pair = Buffer.from(credentials, 'base64').toString()
  return [value, credentials, pair, pair.slice(pair.indexOf(':') + 1)]
}

/** The JSON of a service account's key. */
const ofDocument = (text: string): string[] => {
  if (!text.trim().startsWith('{')) return []
  try {
    const { private_key, private_key_id } = JSON.parse(text) ?? {}
    return [private_key, private_key_id].filter(part => typeof part === 'string')
  } catch {
    return []
  }
}

const collect = (value: unknown, name: string, parent: string): string[] => {
  if (typeof value === 'string') {
    if (parent === 'headers') return openHeader.test(name) ? [] : ofHeader(value)
    const isSecret = secretName.test(name) && !openName.test(name)
    return [...(isSecret ? [value, ...ofDocument(value)] : []), ...ofUrl(value)]
  }
  // The items of a list go by the list's name: `api_keys`.
  if (Array.isArray(value)) return value.flatMap(item => collect(item, name, parent))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => collect(child, key, name))
}

/**
 * Every secret that the config holds: keys of providers and clients, of webhooks, of Redis and of storage, in
 * headers and in URLs.
 */
export const secretsOf = (config: Config): readonly string[] => {
  const { providers, models: _, ...rest } = config
  // Names of models are anybody's choice, and no settings.
  const withoutModels = Object.values(providers).map(({ models: _, ...settings }) => settings)
  const found = [...collect(withoutModels, '', ''), ...collect(rest, '', '')]
  return [...new Set(found)].filter(secret => secret !== '')
}
