import type { LookupFunction } from 'node:net'
import { createNameResolver, type NameResolver } from './name-resolver.ts'
import { socketLookup } from './socket-lookup.ts'

/** How names are resolved: those that the operator chose, and those that clients did. */
export interface Names {
  /** For sockets to providers, to proxies and to the store of files. */
  readonly lookup: LookupFunction
  /** For hosts of webhooks. */
  readonly ofReceivers: Pick<NameResolver, 'resolve'>
  close(): void
}

export interface NamesOptions {
  /** In place of those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMs: number
}

export const openNames = (options: NamesOptions): Names => {
  const chosen = createNameResolver({ ...options, asksSystem: true })
  const receivers = createNameResolver(options)
  return {
    lookup: socketLookup(chosen),
    ofReceivers: receivers,
    close: () => {
      chosen.close()
      receivers.close()
    },
  }
}
