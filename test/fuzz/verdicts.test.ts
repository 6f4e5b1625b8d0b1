import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClassifyContext, classify } from '../../src/domain/classify/classify.ts'
import { longestWaitMs } from '../../src/domain/classify/retry-after.ts'
import { type VerdictKind, verdictKinds } from '../../src/domain/classify/verdict.ts'
import { dialectOf } from '../../src/domain/endpoint.ts'
import type { BreakReason, UpstreamAnswer } from '../../src/domain/upstream.ts'
import { patienceMs, runs } from './runs.ts'
import { answer, endpoint, goodAnswer } from './upstream-answers.ts'

const context: fc.Arbitrary<ClassifyContext> = fc.record({
  endpoint,
  dialect: fc.constantFrom('openai', 'anthropic'),
  nowMs: fc.integer({ min: 0, max: 4e12 }),
})

/** Kinds that stop a key or a target for everyone. */
const harmful: readonly VerdictKind[] = ['out_of_quota', 'bad_credentials', 'unknown_model', 'overloaded']
const waits: readonly VerdictKind[] = ['rate_limited', 'out_of_quota', 'overloaded', 'transient']

describe('verdicts on random answers', () => {
  describe('a verdict on any answer', { timeout: patienceMs }, () => {
    it('is one of the closed set, with a code for a reason and a wait within bounds', () => {
      fc.assert(
        fc.property(answer, context, (given, where) => {
          const verdict = classify(given, where)
          expect(verdictKinds).toContain(verdict.kind)
          expect(verdict.reason).toMatch(/^[a-z0-9_.-]{1,64}$/)
          const { retryAfterMs } = verdict
          if (retryAfterMs === null) return
          expect(waits).toContain(verdict.kind)
          expect(Number.isInteger(retryAfterMs)).toBe(true)
          expect(retryAfterMs).toBeGreaterThanOrEqual(0)
          expect(retryAfterMs).toBeLessThanOrEqual(longestWaitMs)
        }),
        runs(10_000),
      )
    })

    it('says ok of a 2xx alone, and that a lost answer may be billed of a 2xx alone', () => {
      fc.assert(
        fc.property(answer, context, (given, where) => {
          const { kind, possiblyBilled } = classify(given, where)
          const is2xx = given.status >= 200 && given.status <= 299
          const answered = kind === 'ok' || kind === 'refused'
          if (kind === 'ok') expect(is2xx).toBe(true)
          expect(possiblyBilled).toBe(is2xx && !answered)
        }),
        runs(3_000),
      )
    })

    it('does not change what it judges', () => {
      const frozen = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return
        Object.freeze(value)
        for (const inner of Object.values(value)) frozen(inner)
      }
      fc.assert(
        fc.property(answer, context, (given, where) => {
          frozen(given)
          expect(classify(given, where)).toEqual(classify(given, where))
        }),
        runs(1_000),
      )
    })
  })

  describe('a good answer', { timeout: patienceMs }, () => {
    it('is never a failure, whatever stands beside it', () => {
      fc.assert(
        fc.property(goodAnswer, fc.integer({ min: 0, max: 4e12 }), (good, nowMs) => {
          const where = { endpoint: good.endpoint, dialect: dialectOf(good.endpoint), nowMs }
          expect(classify(good.answer, where)).toMatchObject({
            kind: 'ok',
            retryAfterMs: null,
            possiblyBilled: false,
          })
        }),
        runs(5_000),
      )
    })
  })

  describe('what a provider writes in words', { timeout: patienceMs }, () => {
    /** Looks like a code, so that nothing but where it stands keeps it out. */
    const secret = 'sk_live_4242'
    const message = fc.tuple(fc.string(), fc.string()).map(([before, after]) => `${before}${secret}${after}`)
    const quoting = message.chain(text =>
      fc.constantFrom<unknown>(
        { error: { message: text, type: 'invalid_request_error' } },
        { error: { message: text, param: text, code: null } },
        { error: { message: secret, param: secret, failed_generation: secret } },
        { error: { code: text.includes(' ') ? text : `${text} `, message: text } },
        { error: text.includes(' ') ? text : `${text} !` },
        { type: 'error', error: { type: 'invalid_request_error', message: text }, request_id: secret },
        { object: 'error', message: text, detail: secret },
        { detail: text, message: text, prompt: secret },
        { choices: [{ message: { content: null, reasoning: text }, finish_reason: 'stop' }] },
        { choices: [{ error: { message: text } }], id: secret },
        { content: [], stop_reason: `${text} .` },
      ),
    )

    it('never leaks into the reason', () => {
      fc.assert(
        fc.property(
          quoting,
          fc.constantFrom(200, 302, 400, 401, 403, 404, 413, 429, 500, 503),
          context,
          (json, status, where) => {
            const text = JSON.stringify(json)
            const given: UpstreamAnswer = {
              kind: 'answer',
              status,
              headers: { 'x-echo': secret },
              text,
              json,
            }
            expect(classify(given, where).reason).not.toContain(secret)
            expect(classify({ ...given, json: undefined }, where).reason).not.toContain(secret)
          },
        ),
        runs(3_000),
      )
    })

    it('stops nobody else by quoting the caller', () => {
      const evil = fc.constantFrom(
        'your credit balance is too low to access the API',
        'incorrect api key provided: sk-1',
        'insufficient quota',
        'the model gpt-4 does not exist',
        'model not found',
        'this organization has been disabled',
        'spending limit reached',
        'overloaded, at capacity, server busy',
        'input was flagged',
        'you have reached your specified API usage limits. You will regain access on 2099-01-01 at 00:00 UTC.',
      )
      const opening = fc.constantFrom(
        "Invalid value for 'metadata.x': '",
        'Unknown name "',
        "'messages[3]': ",
      )
      fc.assert(
        fc.property(
          opening,
          evil,
          fc.constantFrom(400, 413, 422),
          context,
          (before, words, status, where) => {
            const json = {
              error: { message: `${before}${words}'`, type: 'invalid_request_error', code: null },
            }
            const text = JSON.stringify(json)
            const { kind, retryAfterMs } = classify(
              { kind: 'answer', status, headers: {}, text, json },
              where,
            )
            expect(harmful).not.toContain(kind)
            expect(retryAfterMs).toBeNull()
          },
        ),
        runs(1_000),
      )
    })
  })

  it('a call without a whole answer is always worth another', () => {
    const reasons: readonly BreakReason[] = [
      ...(['dns', 'connect', 'tls', 'reset', 'timeout', 'protocol', 'aborted'] as const),
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...reasons),
        fc.boolean(),
        fc.anything(),
        context,
        (reason, sent, cause, at) => {
          expect(classify({ kind: 'break', reason, sent, cause }, at)).toEqual({
            kind: 'transient',
            reason,
            retryAfterMs: null,
            possiblyBilled: sent,
          })
        },
      ),
      runs(500),
    )
  })
})
