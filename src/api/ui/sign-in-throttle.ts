import { BatonError } from '../../domain/errors.ts'

const mostFailures = 10
const windowMs = 60_000
const mostAddresses = 10_000

/** Ten wrong keys a minute from one address, then no more until that minute is over. Of one process. */
export const createSignInThrottle = (now: () => number) => {
  const failures = new Map<string, { count: number; untilMs: number }>()
  const of = (address: string) => {
    const entry = failures.get(address)
    return entry !== undefined && entry.untilMs > now() ? entry : { count: 0, untilMs: now() + windowMs }
  }
  return {
    /** Throws `too_many_sign_ins`. */
    assertOpen: (address: string): void => {
      const { count, untilMs } = of(address)
      if (count < mostFailures) return
      throw new BatonError('too_many_sign_ins', 'Too many wrong keys from this address; wait a minute.', {
        retryAfterMs: untilMs - now(),
      })
    },
    failed: (address: string): void => {
      const entry = of(address)
      // The oldest goes: the memory of a process is not for whoever has many addresses.
      if (failures.size >= mostAddresses) failures.delete(failures.keys().next().value!)
      failures.set(address, { ...entry, count: entry.count + 1 })
    },
  }
}
