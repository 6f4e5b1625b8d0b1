import Anthropic1 from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'

export type Client = Anthropic1
type Params = Anthropic1.Messages.BatchCreateParams.Request['params']

/** An entry of `requests`, as their users write it. */
export const row = (custom_id: string, model: string, more: object = {}) => ({
  custom_id,
  params: { model, max_tokens: 50, messages: [{ role: 'user', content: 'hello' }], ...more } as Params,
})

/** What their users write is the same for both; their types have different names. */
export const clients = [
  { name: 'sdk 1', Client: Anthropic1, version: '2026-10-21', keyHeader: 'authorization' },
  {
    name: 'sdk 0',
    Client: Anthropic0 as unknown as typeof Anthropic1,
    version: '2023-06-01',
    keyHeader: 'x-api-key',
  },
]

export interface Tapped {
  readonly client: Client
  /** Its requests up to now. */
  readonly asked: { readonly url: string; readonly headers: Headers }[]
}

/** A client whose requests are noted. The first `lost` answers do not get to it. */
export const tap = (
  Class: typeof Anthropic1,
  options: { apiKey: string; baseURL: string },
  lost = 0,
): Tapped => {
  const asked: { url: string; headers: Headers }[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push({ url: String(url), headers: new Headers(init?.headers) })
    const answer = await globalThis.fetch(url, init)
    if (asked.length > lost) return answer
    await answer.text()
    throw new TypeError('the connection was lost')
  }
  return { client: new Class({ ...options, fetch }), asked }
}
