/** What one request holds of the bytes in flight; nothing at first. */
export interface Holding {
  readonly bytes: number
  /** Takes that many more bytes if they fit; else changes nothing, and answers whose share is used up. */
  grow(bytes: number): 'taken' | RefusedBytes
  /** Takes the bytes in any case: they are in memory already. */
  add(bytes: number): void
  /** Gives all back. May be called again. */
  release(): void
}

/** `all`: the process holds as much as it may. `tenant`: the tenant does. */
export type RefusedBytes = 'all' | 'tenant'

export interface BytesInFlight {
  hold(tenant: string): Holding
  /**
   * Resolves once `holding` has the bytes, first come first served, or with false when `signal` aborts
   * before.
   */
  wait(holding: Holding, bytes: number, signal: AbortSignal): Promise<boolean>
  /** Calls back when bytes are given back. */
  onRelease(listener: () => void): void
  readonly held: number
}

export interface BytesInFlightOptions {
  readonly maxBytes: number
  /** The most that one tenant may hold. */
  readonly maxTenantBytes: number
}

/** Requests up to this size count as small: a reserve is kept for them. */
export const smallBytes = 64 * 1024
/** The part of all bytes, and of each tenant's share, that is kept for small requests. */
const reserve = 1 / 8

interface Count {
  readonly max: number
  held: number
  /** The bytes held by requests that are not small. */
  large: number
}

const countOf = (max: number): Count => ({ max, held: 0, large: 0 })

/**
 * Bounds the bytes of bodies and answers that a process holds.
 *
 * A large request enters while the large ones leave the reserve free, and always when it is the only one: so
 * no request is too large to be served, and none keeps out small ones. A refused or waiting request holds
 * nothing, so two can never wait for each other.
 */
export const createBytesInFlight = ({ maxBytes, maxTenantBytes }: BytesInFlightOptions): BytesInFlight => {
  const all = countOf(maxBytes)
  const tenants = new Map<string, Count>()
  const listeners: (() => void)[] = []
  const waiting = new Set<{ readonly tenant: string; readonly take: () => boolean }>()

  const fits = (count: Count, before: number, bytes: number): boolean => {
    if (before + bytes <= smallBytes) {
      const isReserved = count.held - count.large + bytes <= count.max * reserve
      return isReserved || count.held + bytes <= count.max
    }
    const wasLarge = before > smallBytes ? before : 0
    const othersLarge = count.large - wasLarge
    return othersLarge === 0 || othersLarge + before + bytes <= count.max * (1 - reserve)
  }

  const letIn = (): void => {
    // One that does not fit lets others of its own tenant wait behind it, and those of other tenants pass.
    const behind = new Set<string>()
    for (const entry of waiting) {
      if (behind.has(entry.tenant)) continue
      if (!entry.take()) behind.add(entry.tenant)
    }
  }

  const hold = (tenant: string): Holding & { readonly tenant: string } => {
    let bytes = 0
    const change = (to: number): void => {
      const own = tenants.get(tenant) ?? countOf(maxTenantBytes)
      tenants.set(tenant, own)
      const largeOf = (size: number): number => (size > smallBytes ? size : 0)
      for (const count of [all, own]) {
        count.held += to - bytes
        count.large += largeOf(to) - largeOf(bytes)
      }
      if (own.held === 0) tenants.delete(tenant)
      bytes = to
    }
    return {
      tenant,
      get bytes() {
        return bytes
      },
      grow: more => {
        if (!fits(all, bytes, more)) return 'all'
        if (!fits(tenants.get(tenant) ?? countOf(maxTenantBytes), bytes, more)) return 'tenant'
        change(bytes + more)
        return 'taken'
      },
      add: more => change(bytes + more),
      release: () => {
        if (bytes === 0) return
        change(0)
        letIn()
        for (const told of listeners) told()
      },
    }
  }

  return {
    hold,
    wait: (holding, bytes, signal) => {
      if (signal.aborted) return Promise.resolve(false)
      const { tenant } = holding as ReturnType<typeof hold>
      const isQueued = [...waiting].some(entry => entry.tenant === tenant)
      if (!isQueued && holding.grow(bytes) === 'taken') return Promise.resolve(true)
      return new Promise(resolve => {
        const settle = (taken: boolean): void => {
          waiting.delete(entry)
          signal.removeEventListener('abort', leave)
          resolve(taken)
        }
        const leave = (): void => settle(false)
        const take = (): boolean => {
          const isTaken = holding.grow(bytes) === 'taken'
          if (isTaken) settle(true)
          return isTaken
        }
        const entry = { tenant, take }
        waiting.add(entry)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    onRelease: listener => void listeners.push(listener),
    get held() {
      return all.held
    },
  }
}
