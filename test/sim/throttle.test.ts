import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { goDuration, rateLimitHeaders, retryAfterHeaders } from '../../src/sim/rate-limit-headers.ts'
import { createThrottle } from '../../src/sim/throttle.ts'
import { ask, post, startSim } from './provider-fixture.ts'

describe('the throttle of the simulated provider', () => {
  test('a bucket empties with its burst and refills at its rate', () => {
    const throttle = createThrottle({ rpm: 60, burst: 2 }, 0)
    const waitMs = (nowMs: number) => throttle.admit(10, nowMs).denial?.waitMs ?? 0
    expect([waitMs(0), waitMs(0), waitMs(0)]).toEqual([0, 0, 1_000])
    expect(waitMs(400)).toBeCloseTo(600)
    expect(waitMs(1_000)).toBe(0)
    expect(waitMs(1_000)).toBe(1_000)
  })

  test('a bucket never holds more than its burst, however long it rests', () => {
    const throttle = createThrottle({ rps: 10, burst: 3 }, 0)
    const admitted = Array.from({ length: 5 }, () => throttle.admit(1, 3_600_000).denial === null)
    expect(admitted).toEqual([true, true, true, false, false])
  })

  test('a clock that steps back refills nothing and breaks nothing', () => {
    const throttle = createThrottle({ rpm: 60, burst: 1 }, 10_000)
    throttle.admit(1, 10_000)
    expect(throttle.admit(1, 5_000).denial?.waitMs).toBe(1_000)
  })

  test('a call turned away for its tokens spends no request', () => {
    const throttle = createThrottle({ rpm: 60, burst: 5, tokensPerMinute: 600 }, 0)
    expect(throttle.admit(600, 0).denial).toBeNull()
    const { denial, limits } = throttle.admit(60, 0)
    expect(denial).toEqual({ scope: 'tokens', requested: 60, waitMs: 6_000, exact: false })
    expect(limits.requests?.remaining).toBe(4)
    expect(limits.tokens).toEqual({ limit: 600, remaining: 0, resetMs: 60_000 })
  })

  test('a call larger than the whole token limit waits for a full bucket and then owes the rest', () => {
    const throttle = createThrottle({ tokensPerMinute: 600 }, 0)
    expect(throttle.admit(1_200, 0).denial).toBeNull()
    expect(throttle.admit(1_200, 60_000).denial?.waitMs).toBe(60_000)
    expect(throttle.admit(1_200, 120_000).denial).toBeNull()
  })

  test('a call that finds all places taken is turned away until another leaves, and takes no place', () => {
    const throttle = createThrottle({ atOnce: 2, silent: true }, 0)
    const deny = () => throttle.admit(1, 0).denial
    expect([deny(), deny()]).toEqual([null, null])
    expect([deny(), deny()].map(denial => denial?.scope)).toEqual(['at once', 'at once'])
    throttle.leave()
    expect(deny()).toBeNull()
    expect(deny()?.scope).toBe('at once')
  })

  test.each([
    [0, '0s'],
    [11.2, '12ms'],
    [1_000, '1s'],
    [1_500, '1.5s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_723_000, '1h2m3s'],
    [3_600_000, '1h0m0s'],
  ])('%d ms are told as %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text)
  })

  const limits = {
    requests: { limit: 60, remaining: 3, resetMs: 1_500 },
    tokens: { limit: 90_000, remaining: 12_345, resetMs: 360_000 },
    told: 'all' as const,
  }

  test('OpenAI tells limits in integers and Go durations', () => {
    expect(rateLimitHeaders('openai', limits, 0)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '1.5s',
      'x-ratelimit-limit-tokens': '90000',
      'x-ratelimit-remaining-tokens': '12345',
      'x-ratelimit-reset-tokens': '6m0s',
    })
  })

  test('Anthropic tells resets in RFC 3339 and tokens in thousands', () => {
    expect(rateLimitHeaders('anthropic', limits, Date.UTC(2026, 0, 1))).toEqual({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '3',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:02Z',
      'anthropic-ratelimit-tokens-limit': '90000',
      'anthropic-ratelimit-tokens-remaining': '12000',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:06:00Z',
    })
  })

  test.each([
    [{ waitMs: 1, exact: false }, { 'retry-after': '1' }],
    [{ waitMs: 1_001, exact: false }, { 'retry-after': '2' }],
    [
      { waitMs: 250, exact: true },
      { 'retry-after': '1', 'retry-after-ms': '250' },
    ],
  ])('retry-after is whole seconds, at least one: %o', (wait, headers) => {
    expect(retryAfterHeaders({ scope: 'requests', requested: 1, ...wait })).toEqual(headers)
  })

  test.each([
    ['/v1/chat/completions', 'Too many concurrent requests. Please try again later.'],
    ['/v1/messages', 'Number of concurrent connections has exceeded your rate limit.'],
  ])(
    'a server whose places are taken says 429 at %s until a call ends or goes away',
    async (path, message) => {
      const sim = await startSim({
        behaviour: { throttle: { atOnce: 1, silent: true }, fault: { kind: 'hang' } },
      })
      const call = (signal: AbortSignal | null = null) => post(sim.url + path, ask('gpt-4'), {}, signal)
      const hanging = new AbortController()
      const gone = expect(call(hanging.signal)).rejects.toThrow('aborted')
      await until(() => sim.calls.inFlight === 1 && sim.calls.calls === 1)
      const denied = await call()
      expect(denied.status).toBe(429)
      expect(JSON.parse(denied.text).error.message).toBe(message)
      hanging.abort()
      await gone
      await until(() => sim.calls.inFlight === 0)
      const again = new AbortController()
      const goneAgain = expect(call(again.signal)).rejects.toThrow('aborted')
      await until(() => sim.calls.outcomes.hang === 2)
      again.abort()
      await goneAgain
    },
  )

  test('a throttled server says 429 until its clock has moved on, and tells its limits on success too', async () => {
    let nowMs = Date.UTC(2026, 0, 1)
    const sim = await startSim({ behaviour: { throttle: { rpm: 30, burst: 1 } }, now: () => nowMs })
    const call = () => post(`${sim.url}/v1/chat/completions`, ask('gpt-4'))

    const first = await call()
    expect(first.status).toBe(200)
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('30')
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(first.headers.get('x-ratelimit-reset-requests')).toBe('2s')

    const second = await call()
    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('2')
    expect(JSON.parse(second.text)).toEqual({
      error: {
        message:
          'Rate limit reached for gpt-4 in organization org-sim on requests per min (RPM): Limit 30, Used 30, Requested 1. Please try again in 2s.',
        type: 'requests',
        param: null,
        code: 'rate_limit_exceeded',
      },
    })

    nowMs += 2_000
    expect((await call()).status).toBe(200)
  })
})
