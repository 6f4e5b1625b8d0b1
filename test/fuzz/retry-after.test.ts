import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  explicitRetryAfterMs,
  longestWaitMs,
  parseGoDuration,
  parseHttpDate,
  parseReset,
  parseRfc3339,
  regainAccessMs,
  retryAfterMs,
} from '../../src/domain/classify/retry-after.ts'
import { patienceMs, runs } from './runs.ts'
import { headers, headerValue } from './upstream-answers.ts'

const now = fc.integer({ min: 0, max: 4e12 })
const bounded = (ms: number): number => Math.min(Math.max(Math.ceil(ms), 0), longestWaitMs)
const isWait = (ms: number | null): boolean =>
  ms === null || (Number.isInteger(ms) && ms >= 0 && ms <= longestWaitMs && !Object.is(ms, -0))

describe('random waits', () => {
  describe('waits, from any headers', { timeout: patienceMs }, () => {
    it('are null or whole milliseconds up to a day', () => {
      fc.assert(
        fc.property(headers, now, (given, nowMs) => {
          expect(isWait(retryAfterMs(given, nowMs))).toBe(true)
          expect(isWait(explicitRetryAfterMs(given, nowMs))).toBe(true)
        }),
        runs(10_000),
      )
    })

    it('are never read where there is no number, from any text', () => {
      fc.assert(
        fc.property(headerValue, now, (text, nowMs) => {
          for (const read of [
            parseGoDuration,
            parseHttpDate,
            parseRfc3339,
            (t: string) => parseReset(t, nowMs),
          ]) {
            expect(read(text)).not.toBeNaN()
          }
          expect(isWait(regainAccessMs(`You will regain access on ${text}`, nowMs))).toBe(true)
        }),
        runs(10_000),
      )
    })
  })

  describe('waits that are written down', { timeout: patienceMs }, () => {
    it('are read as they were meant, in seconds and in milliseconds', () => {
      fc.assert(
        fc.property(fc.nat(200_000), now, (amount, nowMs) => {
          expect(retryAfterMs({ 'retry-after': String(amount) }, nowMs)).toBe(bounded(amount * 1_000))
          expect(retryAfterMs({ 'retry-after-ms': String(amount) }, nowMs)).toBe(bounded(amount))
          expect(parseReset(String(amount), nowMs)).toBe(amount * 1_000)
        }),
        runs(2_000),
      )
    })

    it('are read as they were meant, as a date in each form', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1.5e9, max: 4e9 }), fc.nat(100_000), (nowSeconds, aheadSeconds) => {
          const nowMs = nowSeconds * 1_000
          const at = new Date(nowMs + aheadSeconds * 1_000)
          const waitMs = bounded(aheadSeconds * 1_000)
          expect(explicitRetryAfterMs({ 'retry-after': at.toUTCString() }, nowMs)).toBe(waitMs)
          const reset = (text: string) => retryAfterMs({ 'x-ratelimit-reset': text }, nowMs)
          expect(reset(at.toISOString())).toBe(waitMs)
          expect(reset(at.toISOString().replace('.000Z', '+00:00'))).toBe(waitMs)
          expect(reset(String(at.getTime()))).toBe(waitMs)
          expect(reset(String(at.getTime() / 1_000))).toBe(waitMs)
        }),
        runs(2_000),
      )
    })

    it("are read as they were meant, as Go's durations", () => {
      const unit = fc.constantFrom(['h', 3_600_000], ['m', 60_000], ['s', 1_000], ['ms', 1] as const)
      const part = fc.tuple(fc.nat(999), unit)
      fc.assert(
        fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), parts => {
          const text = parts.map(([amount, [name]]) => `${amount}${name}`).join('')
          const ms = parts.reduce((sum, [amount, [, each]]) => sum + amount * Number(each), 0)
          expect(parseGoDuration(text)).toBe(ms)
        }),
        runs(2_000),
      )
    })

    it('are the longest of the limits that are used up', () => {
      const limit = fc.record({ left: fc.constantFrom('0', '-1', '5', 'none'), seconds: fc.nat(90_000) })
      fc.assert(
        fc.property(limit, limit, now, (requests, tokens, nowMs) => {
          const given = {
            'x-ratelimit-remaining-requests': requests.left,
            'x-ratelimit-reset-requests': `${requests.seconds}s`,
            'x-ratelimit-remaining-tokens': tokens.left,
            'x-ratelimit-reset-tokens': `${tokens.seconds}s`,
          }
          const usedUp = [requests, tokens].filter(({ left }) => left !== '5').map(({ seconds }) => seconds)
          const expected = usedUp.length === 0 ? null : bounded(Math.max(...usedUp) * 1_000)
          expect(retryAfterMs(given, nowMs)).toBe(expected)
        }),
        runs(1_000),
      )
    })
  })
})
