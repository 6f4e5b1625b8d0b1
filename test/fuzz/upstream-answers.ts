import fc from 'fast-check'
import { broadNames, decisiveNames } from '../../src/domain/classify/error-codes.ts'
import { type Endpoint, endpoints } from '../../src/domain/endpoint.ts'
import type { UpstreamAnswer } from '../../src/domain/upstream.ts'

/** Arbitraries of what an upstream may answer: everything, and what an honest one does. */

const knownNames = [...decisiveNames.keys(), ...broadNames.keys()]

/** Names that the judge looks at, so that arbitrary bodies come near to what it knows. */
const memberName = fc.constantFrom(
  ...['error', 'code', 'type', 'message', 'details', 'error_code', 'choices', 'finish_reason', 'text'],
  ...['content', 'refusal', 'tool_calls', 'stop_reason', 'data', 'embedding', 'output', 'status', 'object'],
  ...['incomplete_details', 'reason', 'function_call', 'audio', '__proto__', 'constructor', 'toString', 'x'],
)
const word = fc.oneof(
  fc.string(),
  fc.constantFrom(...knownNames, 'refusal', 'content_filter', 'length', 'completed', 'incomplete', 'failed'),
  fc.constantFrom(
    'your credit balance is too low',
    'prompt is too long',
    'overloaded',
    '429',
    '503',
    '1e999',
  ),
)
const { value } = fc.letrec<{ value: unknown; object: unknown }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.constantFrom(null, true, false, 0, -1, 402, 429, 1e308, Number.MIN_VALUE),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(memberName, tie('value')), { maxLength: 5 })
    // As JSON.parse makes it: `__proto__` is a member like any other.
    .map(members => JSON.parse(`{${members.map(([k, v]) => `"${k}":${JSON.stringify(v)}`).join(',')}}`)),
}))

const headerName = fc.constantFrom(
  ...['retry-after', 'retry-after-ms', 'x-should-retry', 'content-type', 'x-ratelimit-reset'],
  ...['x-ratelimit-remaining', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ...['anthropic-ratelimit-tokens-remaining', 'anthropic-ratelimit-tokens-reset', '__proto__'],
)
export const headerValue = fc.oneof(
  fc.string(),
  fc.integer().map(String),
  fc.double({ noNaN: true }).map(String),
  fc.bigInt().map(String),
  fc.date({ noInvalidDate: false }).map(date => date.toString()),
  fc.date({ noInvalidDate: true }).map(date => date.toUTCString()),
  fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
  fc.stringMatching(/^(\d{1,5}(\.\d{1,3})?(h|m|s|ms)){1,4}$/),
  fc.constantFrom('true', 'false', '0', '-1', '', ' ', '9'.repeat(400), 'Infinity', 'NaN', '1e3', '0x10'),
)
export const headers = fc.dictionary(headerName, headerValue, { maxKeys: 6 })

export const status = fc.oneof(
  fc.constantFrom(200, 201, 204, 302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 498, 500, 503, 529),
  fc.integer({ min: 100, max: 599 }),
)

/** Anything at all: JSON near to what providers write, JSON far from it, and what is none. */
export const answer: fc.Arbitrary<UpstreamAnswer> = fc
  .tuple(
    status,
    headers,
    fc.oneof(value, fc.jsonValue(), fc.constant(undefined)),
    fc.oneof(
      fc.string(),
      fc.constantFrom('', ' \n', '<html>', 'event: error\ndata: {"error":{"code":"slow_down"}}', '{"a":'),
    ),
  )
  .map(([code, given, json, text]) => ({
    kind: 'answer',
    status: code,
    headers: given,
    text: json === undefined ? text : JSON.stringify(json),
    json,
  }))

export const endpoint = fc.constantFrom(...endpoints)

const text = fc.string({ minLength: 1 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const tools = fc.array(fc.record({ id: text, function: fc.record({ name: text, arguments: text }) }), {
  minLength: 1,
})

const goodBodies: Readonly<Record<Endpoint, fc.Arbitrary<object>>> = {
  '/v1/chat/completions': fc
    .oneof(
      fc.record({ content: text, refusal: fc.constant(null) }),
      fc.record({ content: fc.constant(null), tool_calls: tools }),
      fc.record({ content: maybe(text), audio: fc.record({ data: text }) }),
      fc.record({ content: maybe(fc.constant('')), reasoning_content: text }),
    )
    .chain(message =>
      maybe(fc.constantFrom('stop', 'length', 'tool_calls', 'invented')).map(finish_reason => ({
        choices: [{ index: 0, finish_reason, message }],
      })),
    ),
  '/v1/completions': fc.string().map(answered => ({ choices: [{ text: answered, finish_reason: 'stop' }] })),
  '/v1/messages': fc
    .oneof(
      fc.tuple(
        fc.array(fc.record({ type: fc.constant('text'), text: fc.string() }), { minLength: 1 }),
        fc.constantFrom('end_turn', 'max_tokens', 'tool_use', 'stop_sequence', 'invented'),
      ),
      fc.tuple(fc.constant([]), fc.constantFrom('end_turn', 'max_tokens', 'stop_sequence')),
    )
    .map(([content, stop_reason]) => ({ type: 'message', content, stop_reason })),
  '/v1/embeddings': fc
    .oneof(fc.array(fc.double(), { minLength: 1 }), fc.base64String({ minLength: 4 }))
    .map(embedding => ({ object: 'list', data: [{ embedding }] })),
  '/v1/responses': fc
    .array(fc.record({ type: fc.constant('message'), content: fc.constant([{ type: 'output_text' }]) }), {
      minLength: 1,
    })
    .map(output => ({ status: 'completed', error: null, output })),
}

/** An endpoint and a 2xx answer in its format, with whatever members and headers beside it. */
export const goodAnswer = endpoint.chain(name =>
  fc
    .tuple(goodBodies[name], fc.constantFrom(200, 201), headers, fc.dictionary(fc.string(), fc.jsonValue()))
    .map(([body, code, given, extra]) => {
      const { error: _, ...beside } = extra
      const json: unknown = JSON.parse(JSON.stringify({ ...beside, object: 'x', ...body }))
      const sent: UpstreamAnswer = {
        kind: 'answer',
        status: code,
        headers: given,
        text: JSON.stringify(json),
        json,
      }
      return { endpoint: name, answer: sent }
    }),
)
