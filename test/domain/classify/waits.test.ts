import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
import { anthropic, anthropicFails, json, openai, openaiError } from './outcomes.ts'

const regain =
  'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.'

describe('x-should-retry decides whether to try here again, and nothing else', () => {
  const rows: [name: string, wish: string, status: number, body: unknown, kind: string][] = [
    ['a 400 to be retried', 'true', 400, openaiError(null), 'transient'],
    ['a 409 not to be retried goes to another target', 'false', 409, openaiError('conflict'), 'unsupported'],
    [
      'a 500 not to be retried goes to another provider',
      'false',
      500,
      openaiError(null, 'server_error'),
      'overloaded',
    ],
    ['a 500 to be retried', 'true', 500, openaiError(null, 'server_error'), 'transient'],
    ['a 429', 'false', 429, openaiError('rate_limit_exceeded', 'requests'), 'rate_limited'],
    ['a quota', 'true', 429, openaiError('insufficient_quota'), 'out_of_quota'],
    ['a key', 'true', 401, openaiError('invalid_api_key'), 'bad_credentials'],
    ['a model', 'true', 404, openaiError('model_not_found'), 'unknown_model'],
    ['an overlong prompt', 'true', 400, openaiError('context_length_exceeded'), 'too_long'],
    ['garbage', 'maybe', 400, openaiError(null), 'rejected'],
  ]
  test.each(rows)('%s', (_name, wish, status, body, kind) => {
    expect(classify(json(status, body, { 'x-should-retry': wish }), openai).kind).toBe(kind)
  })
})

describe('retryAfterMs', () => {
  const inGmt = (fromNowMs: number): string => new Date(openai.nowMs + fromNowMs).toUTCString()
  const reset = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6s' }
  const rows: [name: string, answer: UpstreamAnswer, wait: number | null][] = [
    ['429 with retry-after', json(429, {}, { 'retry-after': '20' }), 20_000],
    [
      '429 with a time of theirs, whose clock is an hour behind ours',
      json(429, {}, { date: inGmt(-3_600_000), 'retry-after': inGmt(-3_580_000) }),
      20_000,
    ],
    ['429 with a reset', json(429, {}, reset), 6_000],
    ['503 with retry-after', json(503, {}, { 'retry-after': '3' }), 3_000],
    ['503 ignores resets of limits it did not hit', json(503, {}, reset), null],
    ['529 with retry-after', json(529, {}, { 'retry-after': '3' }), 3_000],
    ['401 has nothing to wait for', json(401, {}, { 'retry-after': '3' }), null],
    ['a spending limit ends on its date', anthropicFails(400, 'invalid_request_error', regain), 5_400_000],
    [
      'a monthly cap ends on its date',
      anthropicFails(429, 'rate_limit_error', regain, 'enforced_spend_limit_reached'),
      5_400_000,
    ],
    ['a quota without a date', json(429, openaiError('insufficient_quota'), reset), null],
  ]
  test.each(rows)('%s', (_name, answer, wait) => {
    expect(classify(answer, anthropic).retryAfterMs).toBe(wait)
  })
})
