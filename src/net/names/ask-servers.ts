import { Resolver } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'

export interface Answer {
  /** IPv4 before IPv6: where one of the two leads nowhere it is mostly that, and sockets try both. */
  readonly addresses: readonly string[]
  readonly ttlMs: number
}

/** `ENOTFOUND`: there is no such name, or it has no address. `EAI_AGAIN`: no authoritative answer came. */
export type NameErrorCode = 'ENOTFOUND' | 'EAI_AGAIN'

/** Named as by the system's resolver. */
export class NameError extends Error {
  readonly code: NameErrorCode
  constructor(code: NameErrorCode, hostname: string, cause?: unknown) {
    super(code === 'ENOTFOUND' ? `no address of ${hostname} is known` : `${hostname} was not resolved`, {
      cause,
    })
    this.code = code
  }
}

/**
 * Asks name servers by c-ares: none of the few threads of the process, which files need as well, is held by a
 * silent one.
 */
export interface NameServers {
  /**
   * The addresses of a full name. Rejects with a NameError, at the latest after what is left until
   * `deadlineMs`.
   */
  ask(name: string, leftMs: number): Promise<Answer>
  /** Ends what is under way. */
  cancel(): void
}

/** A lost packet is sent again after this; a server that is silent gets about twice as long more. */
const firstTryMs = 1_500
const tries = 2
/**
 * The other kind of address is waited for so long after one is there (RFC 8305 has 50 ms, which a far server
 * may miss).
 */
const otherKindMs = 300
/** Then what is missing is soon asked for again. */
const partialTtlMs = 5_000

type Found = readonly { readonly address: string; readonly ttl: number }[]
type Outcome = { readonly found: Found } | { readonly code: NameErrorCode; readonly cause: unknown }

const outcomeOf = async (asking: Promise<Found>): Promise<Outcome> => {
  try {
    return { found: await asking }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    return { code: code === 'ENOTFOUND' || code === 'ENODATA' ? 'ENOTFOUND' : 'EAI_AGAIN', cause }
  }
}

const isFound = (outcome: Outcome | null): outcome is { readonly found: Found } =>
  outcome !== null && 'found' in outcome && outcome.found.length > 0

export const createNameServers = (servers: readonly string[]): NameServers => {
  const resolver = new Resolver({ timeout: firstTryMs, tries })
  if (servers.length > 0) resolver.setServers(servers)

  const ask = async (name: string, leftMs: number): Promise<Answer> => {
    const patience = new AbortController()
    const wait = (ms: number): Promise<null> =>
      delay(ms, null, { signal: patience.signal, ref: false }).catch(() => null)
    const v4 = outcomeOf(resolver.resolve4(name, { ttl: true }))
    const v6 = outcomeOf(resolver.resolve6(name, { ttl: true }))
    try {
      const late = wait(leftMs)
      const first = await Promise.race([v4, v6, late])
      const rest = isFound(first) ? wait(Math.min(otherKindMs, leftMs)) : late
      const both = await Promise.all([Promise.race([v4, rest]), Promise.race([v6, rest])])
      return answerOf(name, both)
    } finally {
      patience.abort()
    }
  }
  return { ask, cancel: () => resolver.cancel() }
}

const answerOf = (name: string, both: readonly (Outcome | null)[]): Answer => {
  const found = both.filter(isFound).flatMap(outcome => outcome.found)
  if (found.length === 0) {
    const failed = both.find(outcome => outcome !== null && 'code' in outcome && outcome.code === 'EAI_AGAIN')
    const isKnown = both.every(outcome => outcome !== null) && failed === undefined
    const cause = failed && 'cause' in failed ? failed.cause : undefined
    throw new NameError(isKnown ? 'ENOTFOUND' : 'EAI_AGAIN', name, cause)
  }
  const ttlMs = Math.min(...found.map(({ ttl }) => ttl)) * 1_000
  const isWhole = both.every(outcome => outcome !== null)
  return {
    addresses: [...new Set(found.map(({ address }) => address))],
    ttlMs: isWhole ? ttlMs : Math.min(ttlMs, partialTtlMs),
  }
}
