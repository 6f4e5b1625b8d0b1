/** Limits how many at once each of many may have, independently of the others. */
export interface Shares {
  /** Whether there was room; what is taken must be given back. */
  take(who: string): boolean
  giveBack(who: string): void
  /** Resolves when something of theirs was given back, or `signal` aborts. */
  changed(who: string, signal: AbortSignal | undefined): Promise<void>
}

interface Share {
  taken: number
  waiting: Set<() => void>
}

export const createShares = (perShare: number): Shares => {
  const shares = new Map<string, Share>()
  const shareOf = (who: string): Share => {
    const known = shares.get(who) ?? { taken: 0, waiting: new Set() }
    shares.set(who, known)
    return known
  }
  const forget = (who: string, { taken, waiting }: Share): void => {
    if (taken === 0 && waiting.size === 0) shares.delete(who)
  }

  return {
    take: who => {
      const share = shareOf(who)
      if (share.taken >= perShare) return false
      share.taken += 1
      return true
    },
    giveBack: who => {
      const share = shareOf(who)
      share.taken -= 1
      // All of them: the first may have found meanwhile what it needs, and leave its turn to the next.
      for (const wake of [...share.waiting]) wake()
      forget(who, share)
    },
    changed: (who, signal) =>
      new Promise(resolve => {
        const share = shareOf(who)
        const wake = (): void => {
          share.waiting.delete(wake)
          signal?.removeEventListener('abort', wake)
          forget(who, share)
          resolve()
        }
        share.waiting.add(wake)
        signal?.addEventListener('abort', wake)
        if (signal?.aborted) wake()
      }),
  }
}
