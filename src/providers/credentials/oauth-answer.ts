import type { UpstreamOutcome } from '../../domain/upstream.ts'
import { withoutCredentials } from './credential-error.ts'
import type { Asked } from './renewed.ts'
import { unsent } from './renewed.ts'
import { isPassing, passing } from './token-servers.ts'

const longestWords = 300

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, longestWords) : '')

/** RFC 6749, 5.2. The description of Entra ID ends with lines for its support. */
const refusalIn = (json: unknown): string => {
  const { error, error_description } = (json ?? {}) as Record<string, unknown>
  const description = textOf(error_description).split(/\r?\n/)[0]!.replace(/\.$/, '')
  return [textOf(error), description].filter(part => part !== '').join(': ')
}

/** Lasting so long from now, or until then: servers of managed identities write both as text. */
const endOf = ({ expires_in, expires_on }: Record<string, unknown>, askedAtMs: number): number => {
  const seconds = Number(expires_in)
  if (seconds > 0) return askedAtMs + seconds * 1_000
  const end = Number(expires_on)
  return end > 0 ? end * 1_000 : askedAtMs
}

export interface TokenQuestion {
  readonly askedAtMs: number
  /** Where the token comes from, in words for an operator. */
  readonly source: string
  /** Who was asked, as the subject of a sentence. */
  readonly server: string
  /** What to do where it refuses. */
  readonly remedy: string
}

/** What the answer of a server of tokens comes to. */
export const tokenOf = (
  outcome: UpstreamOutcome,
  { askedAtMs, source, server, remedy }: TokenQuestion,
): Asked<string> => {
  if (outcome.kind === 'break' || isPassing(outcome)) return passing(outcome)
  const json = (outcome.json ?? {}) as Record<string, unknown>
  if (outcome.status >= 300) {
    const words = refusalIn(json) || `status ${outcome.status}`
    return withoutCredentials(`${server} refuses (${words}). ${remedy}`)
  }
  const { access_token: value } = json
  if (typeof value !== 'string' || value === '')
    return unsent('protocol', new Error('the token server gave no token'))
  return { value, endsAtMs: endOf(json, askedAtMs), source }
}
