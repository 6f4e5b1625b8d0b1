import type { CallSignal } from '../domain/interrupt.ts'
import type { Claim, JobStore } from '../jobs/types.ts'
import type { BytesInFlight, Holding } from '../rate-limits/bytes-in-flight.ts'
import type { Isolation } from './isolation.ts'

/** One claim, and what its body takes of the bytes that this process may have. */
export interface HeldBody {
  /**
   * The claim with its body. A long body waits until there is memory for it, unless the job is interrupted.
   */
  read(interrupt: CallSignal): Promise<Claim>
  release(): void
}

export type HoldBody = (claim: Claim) => HeldBody

interface BodyParts {
  readonly bytes: BytesInFlight
  readonly store: Pick<JobStore, 'withBody'>
  readonly isolation: Pick<Isolation, 'isOpen'>
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
}

const lookMs = 500

/** Short bodies came with their claims and are counted; long ones are read when there is memory for them. */
export const createBodyHolder = ({ bytes, store, isolation, persist }: BodyParts): HoldBody => {
  const waitForRoom = async (holding: Holding, count: number, interrupt: CallSignal): Promise<void> => {
    const left = new AbortController()
    // A job that is to run alone waits for all others, and may hold the memory that they wait for: then they
    // stop waiting.
    const looking = setInterval(() => {
      if (!isolation.isOpen) left.abort()
    }, lookMs)
    interrupt.onabort = () => left.abort()
    if (interrupt.aborted) left.abort()
    await bytes.wait(holding, count, left.signal)
    interrupt.onabort = null
    clearInterval(looking)
  }

  return claim => {
    const holding = bytes.hold(claim.tenant)
    return {
      read: async interrupt => {
        if (!claim.unread) {
          holding.add(claim.body.length)
          return claim
        }
        await waitForRoom(holding, claim.unread, interrupt)
        return persist(() => store.withBody(claim))
      },
      release: holding.release,
    }
  }
}
