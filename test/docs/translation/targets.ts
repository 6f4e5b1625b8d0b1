import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { openProvider, openUpstream, requestOf } from '../../contract/providers/open-provider.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { message } from '../../contract/providers/translated-chat.ts'
import { completion } from '../../contract/providers/translated-messages.ts'
import { vendors } from '../../contract/providers/vendors/all.ts'
import type { Probe } from './probes.ts'

export interface Target {
  readonly type: string
  readonly model: string
}

const claude = 'claude-sonnet-4-5'

const others: readonly Target[] = [
  { type: 'google', model: 'gemini-2.5-flash' },
  { type: 'vertex', model: 'gemini-2.5-flash' },
  { type: 'cohere', model: 'command-a-03-2025' },
  { type: 'bedrock', model: 'amazon.nova-pro-v1:0' },
  { type: 'bedrock', model: `anthropic.${claude}-20250929-v1:0` },
  { type: 'mistral', model: 'mistral-medium-latest' },
]

export const chatTargets: readonly Target[] = [
  { type: 'anthropic', model: claude },
  { type: 'anthropic', model: 'claude-opus-4-8' },
  ...others,
]

export const messageTargets: readonly Target[] = [
  { type: 'openai', model: 'gpt-4o' },
  { type: 'openai', model: 'gpt-5' },
  { type: 'openai-compatible', model: 'any' },
  ...others,
]

export const responseTargets: readonly Target[] = [
  { type: 'anthropic', model: claude },
  { type: 'anthropic', model: 'claude-opus-4-8' },
  { type: 'openai-compatible', model: 'any' },
  ...others,
]

export const replyOf = (type: string): object => {
  if (type === 'anthropic') return message
  return vendors.find(({ name }) => name === type)?.answer({ text: '4' }) ?? completion
}

/** How a provider of that type is set up, and the key of its calls. */
export const settingsOf = async (type: string, url: string) => {
  const vendor = vendors.find(({ name }) => name === type)
  return vendor
    ? { settings: await vendor.settings(url), key: vendor.key }
    : { settings: { type, base_url: type === 'anthropic' ? url : `${url}/v1` }, key: 'k' }
}

/** What becomes of probes on their way to a target, by what arrives there and what its provider says of it before. */
export const openTarget = async ({ type, model }: Target, endpoint: Endpoint) => {
  const upstream = await openUpstream(answering(200, replyOf(type)))
  const { settings, key } = await settingsOf(type, upstream.url)
  const provider = openProvider(settings)

  const arrivingFor = async (body: object): Promise<string> => {
    const before = upstream.arrivals.length
    const stream = 'stream' in body && body.stream === true ? { write: () => {} } : undefined
    const request = requestOf(endpoint, body, { model, adjust: true, apiKey: key, stream })
    const outcome = await provider.call(request)
    const arrival = upstream.arrivals[before]
    if (!arrival) throw new Error(`nothing arrived at ${model}: ${JSON.stringify(outcome)}`)
    return `${arrival.path} ${arrival.text}`
  }

  return async ({ field, body, without }: Probe): Promise<string> => {
    const { excluded, adjustments } = provider.carriage(endpoint, model, body)
    if (excluded.length > 0) return 'excluded'
    const own = adjustments.filter(adjustment => adjustment.field.startsWith(field))
    const arriving = await arrivingFor(body)
    if (own.length > 0) return [...new Set(own.map(({ action }) => action.replace('_', ' ')))].join(', ')
    return arriving === (await arrivingFor(without)) ? 'left behind' : 'carried'
  }
}
