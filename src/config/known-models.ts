import { createRequire } from 'node:module'
import type { KnownModels, ModelFacts } from '../domain/routing/chain.ts'
import type { Price, TieredPrice } from '../domain/usage.ts'
import { presetOf } from './presets.ts'

/** As much of `@pydantic/genai-prices` as is asked of it. Its tables come with it: nothing is fetched. */
interface PricePackage {
  calcPrice(usage: object, model: string, options: { readonly providerId: string }): Calculation | null
  findProvider(options: { readonly providerApiUrl: string }): { readonly id: string } | undefined
}

interface Calculation {
  readonly model: { readonly context_window?: number }
  /** The prices of today, each alone or by the size of the prompt. */
  readonly model_price: Readonly<Record<string, number | Tiers | undefined>>
}

interface Tiers {
  readonly base: number
  readonly tiers: readonly { readonly start: number; readonly price: number }[]
}

interface ProviderPlace {
  readonly type: string
  readonly base_url?: string | undefined
}

/** By type, as long as it is the vendor's own address. */
const vendors: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  azure: 'azure',
  google: 'google',
  vertex: 'google',
  cohere: 'cohere',
  bedrock: 'aws',
  mistral: 'mistral',
}

// Loaded when a model is looked up: it takes a tenth of a second, and those who serve their own models need none of it.
let loaded: PricePackage | null = null
const load = (): PricePackage => {
  loaded ??= createRequire(import.meta.url)('@pydantic/genai-prices') as PricePackage
  return loaded
}

/** No vendor sells tokens at such an address: it is a proxy, or a server of one's own. */
const isPrivate = (url: string): boolean => {
  const { hostname } = new URL(url)
  return !hostname.includes('.') || /^[\d.]+$|^\[|\.(?:local|internal)$/.test(hostname)
}

const vendorOf = ({ type, base_url: url }: ProviderPlace): string | undefined => {
  if (url === undefined) return vendors[type] ?? presetOf(type)?.prices
  return isPrivate(url) ? undefined : load().findProvider({ providerApiUrl: url })?.id
}

const baseOf = (price: number | Tiers | undefined): number | undefined =>
  typeof price === 'object' ? price.base : price

/** The price of prompts of more than `start` tokens. */
const priceFrom = (price: number | Tiers | undefined, start: number): number | undefined =>
  typeof price === 'object' ? (price.tiers.findLast(tier => tier.start <= start)?.price ?? price.base) : price

const priceOf = ({ model_price: prices }: Calculation): Price | undefined => {
  const { input_mtok: input, output_mtok: output, cache_read_mtok: read, cache_write_mtok: write } = prices
  const all = [input, output, read, write]
  const at = (pick: (price: number | Tiers | undefined) => number | undefined) => ({
    input: pick(input) ?? 0,
    output: pick(output) ?? 0,
    cache_read: pick(read),
    cache_write: pick(write),
  })
  if (input === undefined && output === undefined) return undefined
  const starts = all.flatMap(price => (typeof price === 'object' ? price.tiers.map(tier => tier.start) : []))
  const tiers: TieredPrice[] = [...new Set(starts)]
    .sort((a, b) => a - b)
    .map(above => ({ above, ...at(price => priceFrom(price, above)) }))
  return { ...at(baseOf), ...(tiers.length > 0 && { tiers }) }
}

/** Where a wildcard leads to a provider, clients choose the names. */
const mostFound = 5_000

/**
 * What is publicly known of vendors' models, from the tables of `@pydantic/genai-prices`: prices of today, and context
 * windows. Nothing is known of models behind addresses that are not a vendor's.
 */
export const knownModels = ({
  providers,
}: {
  readonly providers: Readonly<Record<string, ProviderPlace>>
}): KnownModels => {
  const found = new Map<string, ModelFacts | undefined>()
  const find = (name: string, model: string): ModelFacts | undefined => {
    const vendor = vendorOf(providers[name]!)
    const calculation = vendor === undefined ? null : load().calcPrice({}, model, { providerId: vendor })
    return calculation
      ? { context_window: calculation.model.context_window, price: priceOf(calculation) }
      : undefined
  }
  return (name, model) => {
    const key = `${name}/${model}`
    if (!found.has(key)) {
      if (found.size >= mostFound) found.clear()
      found.set(key, find(name, model))
    }
    return found.get(key)
  }
}
