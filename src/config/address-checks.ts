import type { DraftProvider } from './draft.ts'
import { presetOf } from './presets.ts'

/** What is wrong about an address, and the one that is meant. */
export interface AddressFault {
  readonly message: string
  readonly suggestion?: string
}

/** What calls add to the address, or other APIs of a server have in its place. */
const ends =
  /\/(?:chat\/completions|completions|embeddings|responses|messages|models|api\/(?:chat|generate|tags)|api)\/*$/

/** Of vendors whose own address has a path. */
const usual: Readonly<Record<string, string>> = {
  openai: 'https://api.openai.com/v1',
  mistral: 'https://api.mistral.ai/v1',
  cohere: 'https://api.cohere.com/v2',
  google: 'https://generativelanguage.googleapis.com/v1beta',
}

const usualOf = (type: string): URL | null => URL.parse(usual[type] ?? presetOf(type)?.baseUrl ?? '')

/** A suggestion repeats the address, so not where that may hold a secret. */
const meant = (url: URL, path: string): Pick<AddressFault, 'suggestion'> =>
  url.username === '' && url.password === '' && url.search === '' ? { suggestion: url.origin + path } : {}

/**
 * An address is the one that a vendor's own clients are given: without the endpoint, which is added, and with the path of the
 * API where the vendor, or the server of one's own, is known to have one.
 */
export const addressFault = ({ type = '', base_url = '' }: DraftProvider): AddressFault | null => {
  const url = URL.parse(base_url)
  if (url === null) return null
  const known = usualOf(type)
  const end = type === 'azure' ? null : ends.exec(url.pathname)
  if (end !== null) {
    const isOllama = end[0].startsWith('/api')
    const path = isOllama ? '/v1' : url.pathname.slice(0, end.index)
    return { message: 'ends with an endpoint, which calls add by themselves', ...meant(url, path) }
  }
  const isServer = presetOf(type)?.key === 'taken'
  if (
    known !== null &&
    url.pathname === '/' &&
    (isServer || url.host === known.host) &&
    known.pathname !== '/'
  )
    return { message: `has no ${known.pathname} at its end`, ...meant(url, known.pathname) }
  return null
}
