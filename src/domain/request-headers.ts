import { type Dialect, dialectOf, type Endpoint } from './endpoint.ts'

/**
 * Headers of a client's request that are forwarded to the provider: names in lower case, values as they came.
 */
export type RequestHeaders = Readonly<Record<string, string>>

export const noHeaders: RequestHeaders = {}

/** How a vendor's clients ask for what is not released yet: a list of names, apart by commas. */
export const betaHeaders: Readonly<Record<Dialect, string>> = {
  openai: 'openai-beta',
  anthropic: 'anthropic-beta',
}

/** Which vendor a header speaks to; null for one that any provider is sent. */
export const vendorOf = (header: string): Dialect | null =>
  header === betaHeaders.anthropic ? 'anthropic' : header === betaHeaders.openai ? 'openai' : null

/**
 * The header of the request's own format, and those that the config lists; no header of another vendor's
 * format.
 */
const namesFor = (endpoint: Endpoint, configured: readonly string[]): readonly string[] => [
  betaHeaders[dialectOf(endpoint)],
  ...configured.filter(name => vendorOf(name) === null),
]

type GivenHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What of a request's headers belongs to it. `configured`: names in lower case. */
export const travellingHeaders = (
  given: GivenHeaders,
  endpoint: Endpoint,
  configured: readonly string[],
): RequestHeaders => {
  let travelling: Record<string, string> | null = null
  for (const name of namesFor(endpoint, configured)) {
    const value = given[name]
    const text = (typeof value === 'object' ? value.join(', ') : (value ?? '')).trim()
    if (text === '') continue
    travelling ??= {}
    travelling[name] = text
  }
  return travelling ?? noHeaders
}

/** Characters of names and values together. */
export const sizeOfHeaders = (headers: RequestHeaders): number =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0)

const listOf = (value: string): readonly string[] =>
  value
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')

/** Two lists as one, each name once, those of `first` first. A single list is returned unchanged. */
export const mergedList = (first: string | undefined, second: string | undefined): string | undefined => {
  if (first === undefined || second === undefined) return first ?? second
  return [...new Set([...listOf(first), ...listOf(second)])].join(',')
}

/** A text that is the same exactly when the headers mean the same; empty without any. */
export const headersKey = (headers: RequestHeaders): string => {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    vendorOf(name) === null ? value : [...new Set(listOf(value))].sort(),
  ])
  return entries.length === 0 ? '' : JSON.stringify(entries.sort())
}

/**
 * Betas that say nothing about the answer: how a prompt is cached or a stream is cut, and those that belong
 * to another path. A provider that has never heard of them answers the same.
 */
const silent =
  /^(?:prompt-caching|extended-cache-ttl|fine-grained-tool-streaming|message-batches|token-counting)-/

/** The vendor's header whose betas change an answer, or how it is made; null where there is none. */
export const askedBetas = (headers: RequestHeaders): string | null => {
  const name = Object.keys(headers).find(header => vendorOf(header) !== null)
  return name !== undefined && listOf(headers[name]!).some(beta => !silent.test(beta)) ? name : null
}
