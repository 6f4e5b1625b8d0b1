import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { statusOfError } from '../../../src/domain/classify/event-error.ts'
import { providerErrorOf } from '../../../src/domain/classify/provider-error.ts'
import type { BreakReason, UpstreamBreak } from '../../../src/domain/upstream.ts'
import { anthropic, anthropicError, openai, openaiError, responses } from './outcomes.ts'

const broken = (reason: BreakReason, rest: Partial<UpstreamBreak> = {}): UpstreamBreak => ({
  ...{ kind: 'break', reason, sent: true, cause: null },
  ...rest,
})
const partial = { choices: [{ message: { content: 'half of' } }] }

describe('classify with streams that broke', () => {
  test.each([
    ['reset', 'stream_broken'],
    ['protocol', 'stream_broken'],
    ['cut_short', 'stream_broken'],
    ['error_event', 'stream_broken'],
    ['idle_timeout', 'idle_timeout'],
    ['timeout', 'timeout'],
    ['aborted', 'aborted'],
  ] as const)('%s after content is %s', (reason, told) => {
    expect(classify(broken(reason, { partial }), openai)).toEqual({
      kind: 'transient',
      reason: told,
      retryAfterMs: null,
      possiblyBilled: true,
    })
  })

  test.each(['reset', 'protocol', 'cut_short', 'first_token_timeout'] as const)(
    '%s before content is what it is',
    reason => {
      expect(classify(broken(reason), openai)).toMatchObject({ kind: 'transient', reason })
    },
  )

  /** As documented: the error events of https://docs.claude.com/en/api/errors and OpenAI's codes. */
  const told = [
    [anthropic, anthropicError('overloaded_error', 'Overloaded'), 529, 'overloaded/overloaded_error'],
    [anthropic, anthropicError('rate_limit_error'), 429, 'rate_limited/rate_limit_error'],
    [anthropic, anthropicError('api_error', 'Internal server error'), 500, 'transient/api_error'],
    [anthropic, anthropicError('timeout_error'), 504, 'transient/timeout_error'],
    [anthropic, anthropicError('invalid_request_error'), 400, 'rejected/invalid_request_error'],
    [anthropic, anthropicError('authentication_error'), 401, 'bad_credentials/authentication_error'],
    [anthropic, anthropicError('permission_error'), 403, 'bad_credentials/permission_error'],
    [anthropic, anthropicError('billing_error'), 402, 'out_of_quota/billing_error'],
    [anthropic, anthropicError('request_too_large'), 413, 'rejected/request_too_large'],
    [openai, openaiError(null, 'server_error'), 500, 'transient/server_error'],
    [openai, openaiError('rate_limit_exceeded', 'requests'), 429, 'rate_limited/rate_limit_exceeded'],
    [openai, openaiError('insufficient_quota', 'insufficient_quota'), 429, 'out_of_quota/insufficient_quota'],
    [
      openai,
      openaiError('server_is_overloaded', 'service_unavailable_error'),
      503,
      'overloaded/server_is_overloaded',
    ],
    [openai, openaiError('context_length_exceeded'), 400, 'too_long/context_length_exceeded'],
    [openai, openaiError('invalid_api_key'), 401, 'bad_credentials/invalid_api_key'],
    [openai, openaiError('content_filter'), 400, 'refused/content_filter'],
    // OpenRouter and vLLM give the status itself.
    [openai, openaiError(429, null), 429, 'rate_limited/http_429'],
    [openai, openaiError(502, null, 'Provider disconnected unexpectedly'), 502, 'transient/http_502'],
    [responses, { error: { code: 'server_error', message: 'No.' } }, 500, 'transient/server_error'],
    [
      responses,
      { error: { code: 'rate_limit_exceeded', message: 'No.' } },
      429,
      'rate_limited/rate_limit_exceeded',
    ],
    [openai, { error: { message: 'something of its own' } }, 500, 'transient/http_500'],
  ] as const

  test.each(told)('%#: an error of a stream has the status that it has as an answer', (_, error, status) => {
    expect(statusOfError(error)).toBe(status)
  })

  test.each(told)(
    '%#: an error after content means what it means before',
    (context, error, status, verdict) => {
      const judged = classify(broken('error_event', { partial, error }), context)
      expect(`${judged.kind}/${judged.reason}`).toBe(verdict)
      expect(judged).toMatchObject({ saidStatus: status, possiblyBilled: true, retryAfterMs: null })
      const answer = {
        kind: 'answer',
        status,
        headers: {},
        text: JSON.stringify(error),
        json: error,
      } as const
      const plain = classify(answer, context)
      expect(`${plain.kind}/${plain.reason}`).toBe(verdict)
    },
  )

  test('an owner reads the provider’s words', () => {
    const outcome = broken('error_event', {
      partial,
      error: anthropicError('overloaded_error', 'Overloaded'),
    })
    const verdict = classify(outcome, anthropic)
    expect(providerErrorOf(outcome, verdict, text => text)).toEqual({
      code: 'overloaded_error',
      message: 'Overloaded',
    })
    const silent = broken('idle_timeout', { partial })
    expect(providerErrorOf(silent, classify(silent, anthropic), text => text)).toEqual({
      code: 'idle_timeout',
      message: 'The stream fell silent in the middle of the answer.',
    })
  })
})
