import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'

const header = 'x-baton-timeout'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** Deadlines of running calls are looked at four times a second. */
const shortestMs = 250

/**
 * How long the caller of a door wants to wait at most, in ms: `x-baton-timeout`, in seconds or with a unit. Null where it does not
 * say. Throws `invalid_request` for what is no time, or longer than `longestMs`.
 */
export const timeoutMsOf = ({ headers }: FastifyRequest, longestMs: number): number | null => {
  const text = headers[header]
  if (text === undefined) return null
  const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)?$/.exec(String(text).trim()) ?? []
  const ms = amount === undefined ? Number.NaN : Math.round(Number(amount) * units[unit]!)
  if (ms >= shortestMs && ms <= longestMs) return ms
  throw new BatonError(
    'invalid_request',
    `${header}: expected seconds, or a time with a unit such as 500ms, 30s or 2m, from ${shortestMs}ms to ${longestMs / 1_000}s.`,
    { param: header },
  )
}
