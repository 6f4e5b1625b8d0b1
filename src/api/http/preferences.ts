import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'

/** What a client asks for with `Prefer` (RFC 7240). */
export interface Preferences {
  readonly respondAsync: boolean
  /** How long the answer may be held back for; null when not asked. */
  readonly waitSeconds: number | null
}

/** Reads the header; preferences that are unknown or malformed are ignored, as the RFC wants. */
export const parsePrefer = (header: string | readonly string[] | undefined): Preferences => {
  const preferences = String(header ?? '')
    .toLowerCase()
    .split(/[,;]/)
    .map(preference => preference.trim())
  const wait = preferences.map(p => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(p)?.[1]).find(s => s !== undefined)
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds: wait === undefined ? null : Number(wait),
  }
}

const eventStream = 'text/event-stream'

/**
 * Whether a client wants events rather than JSON (RFC 9110, 12.5.1). They must be named: a client that
 * accepts anything expects no stream. At equal quality events win, as no client names them by default.
 */
export const acceptsEventStream = (header: string | undefined): boolean => {
  const accept = header?.toLowerCase() ?? ''
  if (!accept.includes(eventStream)) return false
  const qualities = new Map(accept.split(',').map(qualityOf))
  const stream = qualities.get(eventStream) ?? 0
  const json =
    qualities.get('application/json') ?? qualities.get('application/*') ?? qualities.get('*/*') ?? 0
  return stream > 0 && stream >= json
}

/** A malformed quality is passed over, like a malformed preference. */
const qualityOf = (range: string): readonly [type: string, quality: number] => {
  const [type = '', ...parameters] = range.split(';').map(part => part.trim())
  const quality = parameters.map(p => /^q\s*=\s*([01](?:\.\d*)?)$/.exec(p)?.[1]).find(q => q !== undefined)
  return [type, quality === undefined ? 1 : Number(quality)]
}

const onStreamFailure = 'x-baton-on-stream-failure'

/**
 * Whether a client wants its stream to begin anew at another target when one breaks off: `x-baton-on-stream-failure`, `restart` or
 * `error`, which is the default. Throws `invalid_request` for anything else.
 */
export const wantsRestart = ({ headers }: FastifyRequest): boolean => {
  const text = headers[onStreamFailure] ?? 'error'
  if (text === 'restart' || text === 'error') return text === 'restart'
  throw new BatonError('invalid_request', `${onStreamFailure}: expected restart or error.`, {
    param: onStreamFailure,
  })
}

/** Throws `invalid_request` where a response in the background asks for it: its readers go on by numbers that only grow. */
export const refuseRestart = (request: FastifyRequest): void => {
  if (!wantsRestart(request)) return
  throw new BatonError(
    'invalid_request',
    'The stream of a response in the background cannot begin anew, since its readers go on behind a sequence_number.',
    { param: onStreamFailure },
  )
}

const timeoutHeader = 'x-baton-timeout'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** Deadlines of running calls are looked at four times a second. */
const shortestMs = 250

/**
 * How long a caller of the sync API wants to wait at most, in ms: `x-baton-timeout`, in seconds or with a
 * unit. Null without the header. Throws `invalid_request` for what is no time, or longer than `longestMs`.
 */
export const timeoutMsOf = ({ headers }: FastifyRequest, longestMs: number): number | null => {
  const text = headers[timeoutHeader]
  if (text === undefined) return null
  const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)?$/.exec(String(text).trim()) ?? []
  const ms = amount === undefined ? Number.NaN : Math.round(Number(amount) * units[unit]!)
  if (ms >= shortestMs && ms <= longestMs) return ms
  throw new BatonError(
    'invalid_request',
    `${timeoutHeader}: expected seconds, or a time with a unit such as 500ms, 30s or 2m, from ${shortestMs}ms to ${longestMs / 1_000}s.`,
    { param: timeoutHeader },
  )
}
