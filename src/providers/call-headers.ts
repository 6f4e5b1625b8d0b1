import type { UpstreamDialect } from '../domain/endpoint.ts'
import { betaHeaders, mergedList, noHeaders, vendorOf } from '../domain/request-headers.ts'
import type { UpstreamType } from './upstream-type.ts'

type Headers = Readonly<Record<string, string>>

const plainHeaders: Headers = {
  'content-type': 'application/json',
  accept: 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'baton',
}

export interface Made {
  readonly apiKey: string | null
  readonly how: 'native' | 'translated'
  /** What was made for this request, by the AI SDK as a rule: its list of betas has those of the config already. */
  readonly made?: Headers
  /** Those of the client's request. */
  readonly forwarded?: Headers | undefined
}

/** A vendor's own header goes to that vendor alone, and only with a request in its own format. */
const fittingOf = (dialect: UpstreamDialect, how: Made['how'], forwarded: Headers = noHeaders): Headers => {
  const fits = ([name]: [string, string]): boolean => {
    const vendor = vendorOf(name)
    return vendor === null || (vendor === dialect && how === 'native')
  }
  return Object.fromEntries(Object.entries(forwarded).filter(fits))
}

/** What the config sets wins, but for lists of betas, which are put together. */
export const headersMaker = (type: UpstreamType, configured: Headers) => {
  const lists = Object.values(betaHeaders)
  return ({ apiKey, how, made = noHeaders, forwarded }: Made): Record<string, string> => {
    const fitting = fittingOf(type.dialect, how, forwarded)
    const headers: Record<string, string> = {
      ...plainHeaders,
      ...type.headers,
      ...(apiKey === null ? {} : type.keyHeaders(apiKey, how)),
      ...fitting,
      ...made,
      ...configured,
    }
    for (const name of lists) {
      const list = made[name] ?? mergedList(configured[name], fitting[name])
      if (list !== undefined) headers[name] = list
    }
    return headers
  }
}
