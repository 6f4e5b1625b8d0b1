import type { Resolve } from './address-guard.ts'

export interface ResolveWithin {
  /** Whose share of lookups it takes of. */
  readonly share: string | undefined
  readonly timeoutMs: number
  /** Ends the wait early. */
  readonly signal?: AbortSignal
}

/** A name's addresses; null when they were not there in time, or `signal` has aborted. Rejects as `resolve` does. */
export const resolveWithin = async (
  resolve: Resolve,
  hostname: string,
  { share, timeoutMs, signal }: ResolveWithin,
): Promise<readonly string[] | null> => {
  const patience = new AbortController()
  const ended = Promise.withResolvers<null>()
  const end = (): void => {
    ended.resolve(null)
    patience.abort()
  }
  const timer = setTimeout(end, timeoutMs)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  try {
    const asked = resolve(hostname, { ...(share !== undefined && { share }), signal: patience.signal })
    return await Promise.race([ended.promise, asked])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}
