import { describe, expect, test } from 'vitest'
import { judge } from '../../src/dispatch/judgement.ts'
import type { UpstreamBreak } from '../../src/domain/upstream.ts'

const claim = { endpoint: '/v1/messages', body: '{}' } as const
const judged = (rest: Partial<UpstreamBreak>) =>
  judge({ kind: 'break', reason: 'reset', sent: true, cause: null, ...rest }, claim, 'anthropic', 0)

const partial = { content: [], usage: { input_tokens: 20, output_tokens: 3 } }

describe('the judgement of a stream that broke', () => {
  test('what it had used by then counts, for the job and for the limits', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '7',
      'anthropic-ratelimit-requests-reset': '1970-01-01T00:01:00Z',
    }
    const { usage, limits, health } = judged({ partial, headers })
    expect(usage).toEqual({ input_tokens: 20, output_tokens: 3 })
    expect(limits).toMatchObject({ tokens: 23, succeeded: false })
    expect(limits.reported).toMatchObject({ requests: { perMinute: 50, remaining: 7 } })
    expect(health).toEqual({ outcome: 'failure', reason: 'stream_broken', isUnreached: false })
  })

  test('before content nothing is known of it, and a lost connection shows no server', () => {
    const { usage, limits, health } = judged({})
    expect(usage).toBeNull()
    expect(limits).toMatchObject({ tokens: null, reported: null })
    expect(health).toEqual({ outcome: 'failure', reason: 'reset', isUnreached: true })
  })

  test('an error of a limit behind content is no failure of the provider', () => {
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'No.' } }
    const { verdict, health, limits } = judged({ reason: 'error_event', partial, error })
    expect(verdict.kind).toBe('rate_limited')
    expect(health.outcome).toBe('success')
    expect(limits.throttledForMs).toBeGreaterThan(0)
  })
})
