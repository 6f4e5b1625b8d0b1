import type { CallSignal } from '../../domain/interrupt.ts'
import type { UpstreamBreak, UpstreamOutcome } from '../../domain/upstream.ts'

/** What shows a provider who calls. */
export interface Credentials<Value> {
  readonly value: Value
  /** Unix ms; null for what does not end. */
  readonly endsAtMs: number | null
  /** Where it comes from, in words for an operator; holds nothing secret. */
  readonly source: string
}

/** Credentials, or what kept them from coming. */
export type Asked<Value> = Credentials<Value> | UpstreamOutcome

export const isOutcome = (asked: object): asked is UpstreamOutcome => 'kind' in asked

export interface CredentialSource<Value> {
  /**
   * Never throws, and settles at once when `signal` aborts. What is asked for is shared: a call that gives up after
   * `timeoutMs` leaves it to the others. `refused`: what a provider would not have, so that others are asked for.
   */
  get(signal: CallSignal, timeoutMs: number, refused?: Credentials<Value>): Promise<Asked<Value>>
  close(): Promise<void>
}

/** Credentials of the config, which nobody renews. */
export const fixed = <Value>(value: Value, source: string): CredentialSource<Value> => {
  const credentials = { value, endsAtMs: null, source }
  return { get: async () => credentials, close: async () => undefined }
}

/** Credentials are renewed so long before their end, or halfway where they last less than twice that. */
const renewBeforeMs = 5 * 60_000
/** What ends within this is not used: a call may wait on its way. A tenth of what lasts shorter. */
const spareMs = 30_000
/** While what is held is good, a renewal that failed is tried again after this. */
const retryMs = 10_000
/** The longest that a server of tokens is waited for. */
const longestAskMs = 30_000

export const unsent = (reason: UpstreamBreak['reason'], cause: unknown): UpstreamBreak => ({
  kind: 'break',
  reason,
  sent: false,
  cause,
})

interface Held<Value> {
  readonly credentials: Credentials<Value>
  readonly renewAtMs: number
  readonly goodUntilMs: number
}

const heldOf = <Value>(credentials: Credentials<Value>, nowMs: number): Held<Value> => {
  const { endsAtMs } = credentials
  if (endsAtMs === null) return { credentials, renewAtMs: Infinity, goodUntilMs: Infinity }
  const lastsMs = Math.max(0, endsAtMs - nowMs)
  return {
    credentials,
    renewAtMs: endsAtMs - Math.min(renewBeforeMs, lastsMs / 2),
    goodUntilMs: endsAtMs - Math.min(spareMs, lastsMs / 10),
  }
}

/** Settles with `late` where `asked` does not settle in its time. */
const within = <Value>(asked: Promise<Value>, timeoutMs: number, late: () => Value): Promise<Value> => {
  const { promise, resolve } = Promise.withResolvers<Value>()
  const timer = setTimeout(() => resolve(late()), timeoutMs)
  return Promise.race([asked, promise]).finally(() => clearTimeout(timer))
}

/** For one call of several that wait. */
const waitFor = <Value>(
  asked: Promise<Asked<Value>>,
  signal: CallSignal,
  timeoutMs: number,
): Promise<Asked<Value>> => {
  const { promise, resolve } = Promise.withResolvers<Asked<Value>>()
  const abort = (): void => resolve(unsent('aborted', signal.reason))
  if (signal.aborted) abort()
  else signal.onabort = abort
  const late = (): UpstreamOutcome => unsent('timeout', new Error(`no credentials within ${timeoutMs} ms`))
  return within(Promise.race([asked, promise]), timeoutMs, late).finally(() => {
    signal.onabort = null
  })
}

/**
 * Asks for credentials once for all calls, and anew before they end: nothing → held → held and asked anew → held. While what
 * is held is good, no call waits for its renewal, and none fails with it. An `ask` that throws is a fault of ours, and ends its
 * calls alone. Times are those that all
 * processes go by: the clock of this host may be off.
 */
export const renewed = <Value>(
  ask: () => Promise<Asked<Value>>,
  now: () => number,
  close: () => Promise<void> = async () => undefined,
): CredentialSource<Value> => {
  let held: Held<Value> | null = null
  let asking: Promise<Asked<Value>> | null = null
  let restsUntilMs = 0

  const keep = (asked: Asked<Value>): Asked<Value> => {
    if (isOutcome(asked)) restsUntilMs = now() + retryMs
    else held = heldOf(asked, now())
    return asked
  }

  const renew = (): Promise<Asked<Value>> => {
    const late = (): UpstreamOutcome =>
      unsent('timeout', new Error(`no credentials within ${longestAskMs} ms`))
    const failed = (error: unknown): UpstreamOutcome => unsent('protocol', error)
    asking ??= within(ask().catch(failed), longestAskMs, late)
      .then(keep)
      .finally(() => {
        asking = null
      })
    return asking
  }

  return {
    get: async (signal, timeoutMs, refused) => {
      const nowMs = now()
      if (held === null || held.credentials === refused || nowMs >= held.goodUntilMs)
        return waitFor(renew(), signal, timeoutMs)
      if (nowMs >= held.renewAtMs && nowMs >= restsUntilMs) void renew()
      return held.credentials
    },
    close,
  }
}
