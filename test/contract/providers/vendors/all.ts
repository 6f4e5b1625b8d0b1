import { openProvider, openUpstream, requestOf } from '../open-provider.ts'
import { answering, type RecordingUpstream } from '../recording-upstream.ts'
import { bedrock } from './bedrock.ts'
import { cohere } from './cohere.ts'
import { google } from './gemini.ts'
import { mistral } from './mistral.ts'
import type { Call, KnownError, Said, Vendor } from './vendor.ts'
import { vertex } from './vertex.ts'

/** The APIs that are reached by translation alone. */
export const vendors: readonly Vendor[] = [google, vertex, cohere, bedrock, mistral]

export const chats = '/v1/chat/completions'
export const messages = '/v1/messages'
export const responses = '/v1/responses'
type Translated = typeof chats | typeof messages | typeof responses

const hi = [{ role: 'user', content: 'hi' }]

const least: Readonly<Record<Translated, object>> = {
  [chats]: { messages: hi },
  [messages]: { max_tokens: 99, messages: hi },
  [responses]: { input: 'hi' },
}

/** The least that each of the formats takes. */
export const bodyFor = (endpoint: Translated, more: object = {}): object => ({
  model: 'route',
  ...least[endpoint],
  ...more,
})

/** A provider of the vendor's type that calls `upstream`. */
export const openVendor = async (vendor: Vendor, upstream: RecordingUpstream, more: object = {}) =>
  openProvider({ ...(await vendor.settings(upstream.url)), ...more })

/** What arrives at the vendor, as it understands it, and what the client is given for its answer. */
export const converse = async (
  vendor: Vendor,
  endpoint: Translated,
  body: object,
  said: Said = { text: 'four' },
) => {
  const upstream = await openUpstream(answering(200, vendor.answer(said)))
  const provider = await openVendor(vendor, upstream)
  const outcome = await provider.call(
    requestOf(endpoint, bodyFor(endpoint, body), { model: vendor.model, apiKey: vendor.key }),
  )
  const [arrival] = upstream.arrivals
  const sent = arrival ? (JSON.parse(arrival.text) as Record<string, unknown>) : null
  return {
    outcome,
    dialect: provider.dialect,
    arrivals: upstream.arrivals,
    sent,
    seen: sent && vendor.read(sent),
    json: outcome.kind === 'answer' ? outcome.json : outcome,
  }
}

/** The outcome of one call that is answered like this. */
export const answered = async (vendor: Vendor, endpoint: Translated, error: KnownError) => {
  const upstream = await openUpstream(answering(error.status, error.body, { ...error.headers }))
  const provider = await openVendor(vendor, upstream)
  const request = requestOf(endpoint, bodyFor(endpoint), { model: vendor.model, apiKey: vendor.key })
  return { provider, outcome: await provider.call(request), arrivals: upstream.arrivals }
}

export const callTurn = (vendor: Vendor, { id, name, input }: Call): string =>
  `assistant: call ${name} ${JSON.stringify(input)}${vendor.byName ? '' : ` as ${vendor.idOf(id)}`}`

export const resultTurn = (vendor: Vendor, { id, name }: Call, result: string): string =>
  `tool: ${vendor.byName ? name : vendor.idOf(id)} ${result}`
