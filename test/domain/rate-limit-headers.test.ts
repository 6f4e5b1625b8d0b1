import { describe, expect, it } from 'vitest'
import { paceOf, parseRateLimitHeaders } from '../../src/domain/rate-limit-headers.ts'

const nowMs = Date.UTC(2026, 0, 1)
const openAi = (limit: number, remaining: number, reset: string) => ({
  'x-ratelimit-limit-requests': String(limit),
  'x-ratelimit-remaining-requests': String(remaining),
  'x-ratelimit-reset-requests': reset,
})

describe('toldLimits', () => {
  it.each([
    ["OpenAI's", openAi(600, 599, '100ms'), { perMinute: 600, remaining: 599, resetMs: 100 }],
    [
      "Anthropic's",
      {
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:02Z',
      },
      { perMinute: 50, remaining: 49, resetMs: 2_000 },
    ],
    [
      'a limit alone',
      { 'x-ratelimit-limit-requests': '60' },
      { perMinute: 60, remaining: null, resetMs: null },
    ],
    [
      'a reset that has gone by',
      {
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-reset': '2025-12-31T23:59:59Z',
      },
      { perMinute: 50, remaining: null, resetMs: 0 },
    ],
    [
      "Cerebras's, beside those of a day",
      {
        'x-ratelimit-limit-requests-day': '14400',
        'x-ratelimit-limit-requests-minute': '30',
        'x-ratelimit-remaining-requests-minute': '29',
        'x-ratelimit-reset-requests-minute': '11.4',
      },
      { perMinute: 30, remaining: 29, resetMs: 11_400 },
    ],
    // It comes near to a day's pace: 1,440 a day are one a minute.
    [
      'a window of a minute, of which one was used',
      openAi(1_000, 999, '60s'),
      { perMinute: 1_000, remaining: 999, resetMs: 60_000 },
    ],
    [
      'a number with space around it',
      { 'x-ratelimit-limit-requests': ' 60 ' },
      { perMinute: 60, remaining: null, resetMs: null },
    ],
  ])('reads %s', (_, headers, requests) => {
    expect(parseRateLimitHeaders(headers, nowMs)).toEqual({ requests, tokens: null })
  })

  it.each([
    ['a minute behind', 'Thu, 01 Jan 2026 00:01:05 GMT', '2026-01-01T00:01:06Z', 1_000],
    ['a minute ahead', 'Wed, 31 Dec 2025 23:58:55 GMT', '2025-12-31T23:58:56Z', 1_000],
    ['the same but for the fractions', 'Wed, 31 Dec 2025 23:59:59 GMT', '2026-01-01T00:00:01Z', 1_000],
    ['about the same, and the date no date', 'yesterday', '2026-01-01T00:00:01Z', 1_000],
  ])('reads times by the clock of who answered, where ours is %s', (_, date, reset, resetMs) => {
    const headers = {
      date,
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': reset,
    }
    expect(parseRateLimitHeaders(headers, nowMs)?.requests).toEqual({ perMinute: 50, remaining: 49, resetMs })
  })

  it('reads tokens beside requests', () => {
    const headers = {
      ...openAi(600, 10, '59s'),
      'x-ratelimit-limit-tokens': '90000',
      'x-ratelimit-remaining-tokens': '45000',
      'x-ratelimit-reset-tokens': '30s',
    }
    expect(parseRateLimitHeaders(headers, nowMs)).toEqual({
      requests: { perMinute: 600, remaining: 10, resetMs: 59_000 },
      tokens: { perMinute: 90_000, remaining: 45_000, resetMs: 30_000 },
    })
  })

  it('reads tokens alone', () => {
    const headers = {
      'anthropic-ratelimit-tokens-limit': '40000',
      'anthropic-ratelimit-tokens-remaining': '39000',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:02Z',
    }
    expect(parseRateLimitHeaders(headers, nowMs)).toEqual({
      requests: null,
      tokens: { perMinute: 40_000, remaining: 39_000, resetMs: 2_000 },
    })
  })

  it.each([
    ['none', {}],
    ['only what is left', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1s' }],
    ['what is no number', { 'x-ratelimit-limit-requests': '60, 60;w=60' }],
    ['nothing at all', { 'x-ratelimit-limit-requests': '0' }],
    ['requests a day, of which one was used', openAi(10_000, 9_999, '8.64s')],
    ['requests a day, of which half were used', openAi(200, 100, '12h0m0s')],
  ])('knows no limit per minute from %s', (_, headers) => {
    expect(parseRateLimitHeaders(headers, nowMs)).toBeNull()
  })
})

describe('paceOf', () => {
  it.each([
    ['a bucket that is full', { perMinute: 600, remaining: 600, resetMs: 0 }, null],
    ['a bucket that is nearly empty', { perMinute: 600, remaining: 3, resetMs: 59_700 }, null],
    ['a window with enough left', { perMinute: 600, remaining: 300, resetMs: 10_000 }, null],
    [
      'a window that others use up',
      { perMinute: 600, remaining: 9, resetMs: 20_000 },
      { perMinute: 30, forMs: 20_000 },
    ],
    [
      'a window with nothing left',
      { perMinute: 600, remaining: 0, resetMs: 30_000 },
      { perMinute: 2, forMs: 30_000 },
    ],
    [
      'a window with nothing left whose time is not that of a bucket',
      { perMinute: 600, remaining: 0, resetMs: 50_000 },
      { perMinute: 1.2, forMs: 50_000 },
    ],
    [
      'a window with a little more than a minute to go',
      { perMinute: 600, remaining: 60, resetMs: 61_000 },
      { perMinute: 60, forMs: 60_000 },
    ],
    ['what does not say', { perMinute: 600, remaining: null, resetMs: 30_000 }, null],
  ])('of %s', (_, told, pace) => {
    expect(paceOf(told)).toEqual(pace)
  })
})
