import { literalAddress, type Resolve, resolveWithin } from './address-guard.ts'
import type { PostAnswer } from './post.ts'

export interface Wanted {
  readonly hostname: string
  /** In whose share the name is looked up. */
  readonly tenant: string
  readonly signal: AbortSignal
}

/**
 * Finds the addresses of receivers before a connection is asked for: in the share of the tenant whose delivery it is, which a
 * connection, that many deliveries use, knows nothing of.
 */
export interface Reach {
  /** Runs an attempt with what is left of the time, once the name is resolved; else answers why there is none. */
  within(
    wanted: Wanted,
    timeoutMs: number,
    attempt: (leftMs: number) => Promise<PostAnswer>,
  ): Promise<PostAnswer>
  /** What a connection may dial: as found for the attempts under way, or looked up. */
  readonly resolve: Resolve
}

interface Host {
  addresses: readonly string[]
  attempts: number
}

export const createReach = (resolve: Resolve): Reach => {
  const hosts = new Map<string, Host>()

  const found = async (
    hostname: string,
    addresses: readonly string[],
    attempt: () => Promise<PostAnswer>,
  ): Promise<PostAnswer> => {
    const host = hosts.get(hostname) ?? { addresses, attempts: 0 }
    hosts.set(hostname, host)
    host.addresses = addresses
    host.attempts += 1
    try {
      return await attempt()
    } finally {
      host.attempts -= 1
      if (host.attempts === 0) hosts.delete(hostname)
    }
  }

  return {
    within: async ({ hostname, tenant, signal }, timeoutMs, attempt) => {
      if (literalAddress(hostname) !== null) return attempt(timeoutMs)
      const startedAtMs = performance.now()
      try {
        const addresses = await resolveWithin(resolve, hostname, { share: tenant, timeoutMs, signal })
        if (addresses === null) return { status: null, cause: signal.aborted ? 'aborted' : 'timeout' }
        const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAtMs))
        return await found(hostname, addresses, () => attempt(leftMs))
      } catch (error) {
        return { status: null, cause: 'failed', error: error as Error }
      }
    },
    resolve: async (hostname, how) => hosts.get(hostname)?.addresses ?? resolve(hostname, how),
  }
}
