import { describe, expect, test } from 'vitest'
import {
  explicitRetryAfterMs,
  longestWaitMs,
  parseGoDuration,
  parseHttpDate,
  parseReset,
  parseRfc3339,
  regainAccessMs,
  retryAfterMs,
} from '../../../src/domain/classify/retry-after.ts'

const nowMs = Date.parse('2026-11-30T22:30:00Z')
const nowSeconds = nowMs / 1000

type Row = [name: string, headers: Record<string, string>, wait: number | null]

const table = (title: string, rows: readonly Row[]) =>
  describe(title, () => {
    test.each(rows)('%s', (_name, headers, wait) => expect(retryAfterMs(headers, nowMs)).toBe(wait))
  })

describe('retry-after headers', () => {
  table('retry-after', [
    ['nothing said', {}, null],
    ['seconds', { 'retry-after': '20' }, 20_000],
    ['fraction of seconds', { 'retry-after': '1.5' }, 1_500],
    ['spaces around', { 'retry-after': ' 3 ' }, 3_000],
    ['zero', { 'retry-after': '0' }, 0],
    ['negative', { 'retry-after': '-5' }, 0],
    ['HTTP date', { 'retry-after': 'Mon, 30 Nov 2026 22:30:30 GMT' }, 30_000],
    ['HTTP date in the past', { 'retry-after': 'Mon, 30 Nov 2026 22:00:00 GMT' }, 0],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['fraction of milliseconds, rounded up', { 'retry-after-ms': '0.4' }, 1],
    ['milliseconds win', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1_500],
    ['garbage milliseconds give way', { 'retry-after-ms': 'soon', 'retry-after': '2' }, 2_000],
    ['garbage', { 'retry-after': 'soon' }, null],
    ['empty', { 'retry-after': '' }, null],
    ['not a number', { 'retry-after': 'NaN' }, null],
    ['infinity', { 'retry-after': 'Infinity' }, null],
    ['two values', { 'retry-after': '1, 2' }, null],
    ['more than a day', { 'retry-after': '86401' }, longestWaitMs],
    ['absurd', { 'retry-after': '9'.repeat(400) }, longestWaitMs],
    ['a far date', { 'retry-after': 'Fri, 31 Dec 2099 23:59:59 GMT' }, longestWaitMs],
  ])

  const limit = (resource: string, remaining: string, reset: string) => ({
    [`x-ratelimit-remaining-${resource}`]: remaining,
    [`x-ratelimit-reset-${resource}`]: reset,
  })

  table('x-ratelimit-reset-*', [
    [
      'the limit that is used up',
      { ...limit('requests', '0', '1s'), ...limit('tokens', '500', '6m0s') },
      1_000,
    ],
    [
      'both used up: the later',
      { ...limit('requests', '0', '1s'), ...limit('tokens', '0', '6m0s') },
      360_000,
    ],
    ['none used up', { ...limit('requests', '3', '1s'), ...limit('tokens', '500', '6m0s') }, null],
    [
      'remaining unsaid: the later',
      { 'x-ratelimit-reset-requests': '12ms', 'x-ratelimit-reset-tokens': '2s' },
      2_000,
    ],
    ['remaining garbage counts as unsaid', limit('requests', 'few', '1s'), 1_000],
    ['project tokens', limit('project-tokens', '0', '3s'), 3_000],
    ['retry-after wins', { 'retry-after': '7', ...limit('requests', '0', '1m0s') }, 7_000],
    ['garbage', limit('requests', '0', 'soon'), null],
    [
      'unsuffixed, Unix milliseconds',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${nowMs + 4_000}` },
      4_000,
    ],
    ['beyond a day', limit('requests', '0', '100h0m0s'), longestWaitMs],
  ])

  const reset = (resource: string, remaining: string, at: string) => ({
    [`anthropic-ratelimit-${resource}-remaining`]: remaining,
    [`anthropic-ratelimit-${resource}-reset`]: at,
  })

  table('anthropic-ratelimit-*-reset', [
    ['requests', reset('requests', '0', '2026-11-30T22:30:05Z'), 5_000],
    ['tokens', reset('tokens', '0', '2026-11-30T22:30:06Z'), 6_000],
    ['input tokens', reset('input-tokens', '0', '2026-11-30T22:30:07Z'), 7_000],
    ['output tokens', reset('output-tokens', '0', '2026-11-30T22:30:08Z'), 8_000],
    [
      'only what is used up',
      { ...reset('requests', '9', '2026-11-30T23:30:00Z'), ...reset('tokens', '0', '2026-11-30T22:30:01Z') },
      1_000,
    ],
    ['in the past', reset('requests', '0', '2026-11-30T22:29:00Z'), 0],
    ['garbage', reset('requests', '0', 'tomorrow'), null],
  ])

  test('explicitRetryAfterMs leaves resets out', () => {
    expect(explicitRetryAfterMs(limit('requests', '0', '1s'), nowMs)).toBeNull()
    expect(explicitRetryAfterMs({ 'retry-after': '4' }, nowMs)).toBe(4_000)
  })

  test.each([
    ['12ms', 12],
    ['1s', 1_000],
    ['6m0s', 360_000],
    ['1h2m3s', 3_723_000],
    ['7.66s', 7_660],
    ['2m59.56s', 179_560],
    ['0s', 0],
    ['', null],
    ['5', null],
    ['s', null],
    ['1d', null],
    ['-1s', null],
    ['1s soon', null],
    ['1.s', null],
  ])('parseGoDuration(%j)', (text, ms) => {
    const parsed = parseGoDuration(text)
    if (ms === null) expect(parsed).toBeNull()
    else expect(parsed).toBeCloseTo(ms, 6)
  })

  const epoch = Date.parse('1994-11-06T08:49:37Z')

  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', epoch],
    ['Sunday, 06-Nov-94 08:49:37 GMT', epoch],
    ['Sun Nov  6 08:49:37 1994', epoch],
    ['Sun, 06 Foo 1994 08:49:37 GMT', null],
    ['Sun 5', null],
    ['Sunny', null],
    ['1994-11-06T08:49:37Z', null],
    ['20', null],
    ['', null],
  ])('parseHttpDate(%j)', (text, timeMs) => expect(parseHttpDate(text)).toBe(timeMs))

  test.each([
    ['2026-12-01T00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01t00:00:00z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T02:00:00+02:00', Date.UTC(2026, 11, 1)],
    ['2026-12-01T00:00:00.250Z', Date.UTC(2026, 11, 1) + 250],
    ['2026-13-01T00:00:00Z', null],
    ['2026-12-01T00:00:00', null],
    ['2026-12-01', null],
    ['', null],
  ])('parseRfc3339(%j)', (text, timeMs) => expect(parseRfc3339(text)).toBe(timeMs))

  test.each([
    ['a Go duration', '6m0s', 360_000],
    ['RFC 3339', '2026-11-30T22:30:05Z', 5_000],
    ['bare seconds', '30', 30_000],
    ['Unix seconds', `${nowSeconds + 9}`, 9_000],
    ['Unix milliseconds', `${nowMs + 9}`, 9],
    ['garbage', 'soon', null],
  ])('parseReset of %s', (_name, text, ms) => expect(parseReset(text, nowMs)).toBe(ms))

  test.each([
    ['You will regain access on 2026-12-01 at 00:00 UTC.', 5_400_000],
    ['you will regain access on 2026-12-01 at 06:30 utc', 28_800_000],
    ['You will regain access on 2026-12-01', 5_400_000],
    ['You will regain access on 2026-11-01 at 00:00 UTC.', 0],
    ['You will regain access on 2027-01-01 at 00:00 UTC.', longestWaitMs],
    ['You will regain access on 2026-99-99 at 00:00 UTC.', null],
    ['You will regain access soon.', null],
  ])('regainAccessMs(%j)', (text, ms) => expect(regainAccessMs(text, nowMs)).toBe(ms))
})
