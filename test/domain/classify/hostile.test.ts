import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { verdictKinds } from '../../../src/domain/classify/verdict.ts'
import { endpoints } from '../../../src/domain/endpoint.ts'
import { json, nowMs, openai, openaiError, openaiFails, raw } from './outcomes.ts'

const huge = 'a '.repeat(5_000_000)
const nested = (depth: number) => JSON.parse(`${'{"error":'.repeat(depth)}1${'}'.repeat(depth)}`)
const values = [
  null,
  [],
  [[]],
  [null],
  {},
  0,
  -1,
  429,
  1e308,
  '',
  '429',
  true,
  huge,
  nested(5_000),
  { error: null },
]

const errorBodies: [string, unknown][] = [
  ...values.map((value, i): [string, unknown] => [`body #${i}`, value]),
  ...values.map((value, i): [string, unknown] => [`error #${i}`, { error: value }]),
  ...values.map((value, i): [string, unknown] => [
    `every field of the error #${i}`,
    openaiError(value, value, value as string),
  ]),
  ...values.map((value, i): [string, unknown] => [`details #${i}`, { error: { type: 'x', details: value } }]),
  ['names of the prototype', openaiError('__proto__', 'constructor', 'toString')],
  ['a prototype in the body', JSON.parse('{"__proto__":{"error":{"code":"insufficient_quota"}}}')],
]

const answerBodies: [string, unknown][] = values.flatMap((value, i): [string, unknown][] => [
  [`choices #${i}`, { choices: value }],
  [`choice #${i}`, { choices: [value] }],
  [
    `every field of the choice #${i}`,
    { choices: [{ message: value, finish_reason: value, text: value, error: value }] },
  ],
  [
    `every field of the message #${i}`,
    { choices: [{ message: { content: value, tool_calls: value, refusal: value } }] },
  ],
  [
    `every other field #${i}`,
    { content: value, stop_reason: value, data: value, output: value, status: value },
  ],
  [`items #${i}`, { content: [value], data: [value], output: [value, { content: [value] }] }],
  [`incomplete #${i}`, { status: 'incomplete', incomplete_details: value }],
])

describe('classify with hostile answers', () => {
  describe('hostile bodies never throw, are judged quickly and leak nothing into the reason', () => {
    test.each([...errorBodies, ...answerBodies])('%s', (_name, body) => {
      for (const status of [200, 302, 400, 403, 404, 429, 500]) {
        for (const endpoint of endpoints) {
          const verdict = classify({ ...json(status, null), json: body }, { ...openai, endpoint })
          expect(verdictKinds).toContain(verdict.kind)
          expect(verdict.reason).toMatch(/^[a-z0-9_.-]{1,64}$/)
        }
      }
    })

    test.each([
      ['spaces', ' '.repeat(10_000_000)],
      ['words', huge],
      ['stream events', 'event: error\n'.repeat(800_000)],
      ['markup', '<'.repeat(10_000_000)],
    ])('10 MB of %s', (_name, text) => {
      const startedMs = performance.now()
      for (const status of [200, 400, 500]) classify(raw(status, text), openai)
      // A backtracking pattern would take minutes here; a linear one takes tens of milliseconds.
      expect(performance.now() - startedMs).toBeLessThan(5_000)
    })
  })

  describe('the reason', () => {
    const rows: [name: string, code: unknown, reason: string][] = [
      ['a code in capitals', 'ServerBusy', 'serverbusy'],
      ['a sentence is dropped whole', 'my secret prompt', 'invalid_request_error'],
      ['a code of 65 characters', 'x'.repeat(65), 'invalid_request_error'],
      ['a code of 64 characters', 'x'.repeat(64), 'x'.repeat(64)],
      ['a line break', 'a\nb', 'invalid_request_error'],
      ['a trailing line break', 'a\n', 'invalid_request_error'],
      ['a number is a status, not a name', 1234, 'invalid_request_error'],
      ['a number as text', '1500', 'invalid_request_error'],
    ]
    test.each(rows)('%s', (_name, code, reason) => {
      expect(classify(openaiFails(400, code), openai).reason).toBe(reason)
    })

    test('names the status where the provider names nothing', () => {
      expect(classify(openaiFails(400, null, null), openai).reason).toBe('http_400')
    })
  })

  test('the same outcome and time give the same verdict', () => {
    const answer = json(429, openaiError('rate_limit_exceeded'), {
      'retry-after': 'Tue, 01 Dec 2026 00:00:00 GMT',
    })
    expect(classify(answer, { ...openai, nowMs })).toEqual({
      kind: 'rate_limited',
      reason: 'rate_limit_exceeded',
      retryAfterMs: 5_400_000,
      possiblyBilled: false,
    })
  })
})
