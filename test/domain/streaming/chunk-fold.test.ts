import { describe, expect, it } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { EventKind } from '../../../src/domain/streaming/answer-fold.ts'
import { usageOf } from '../../../src/domain/usage.ts'
import { foldText, streamOf } from './streams.ts'

const endpoint = '/v1/chat/completions'
const head = { id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'm' }
const chunk = (delta: object, more: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})
const finish = (finish_reason: string, more: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta: {}, finish_reason }],
  ...more,
})
const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }
const role = chunk({ role: 'assistant', content: '', refusal: null })

const fold = (...data: readonly unknown[]) => foldText(endpoint, streamOf(...data))
const messageOf = (...data: readonly unknown[]) => fold(...data).answer.choices[0].message
const callsOf = (...deltas: readonly object[]) =>
  messageOf(...deltas.map(delta => chunk({ tool_calls: [delta] }))).tool_calls
const verdictOf = (answer: unknown) =>
  classify(
    { kind: 'answer', status: 200, headers: {}, text: JSON.stringify(answer), json: answer },
    { endpoint, dialect: 'openai', nowMs: 0 },
  )

describe('ChunkFold', () => {
  it('folds a stream as OpenAI writes it', () => {
    const {
      kinds,
      fold: whole,
      answer,
    } = fold(
      { ...role, service_tier: 'default', system_fingerprint: 'fp', obfuscation: 'x1' },
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      finish('stop'),
      { ...head, choices: [], usage },
      '[DONE]',
    )
    expect(kinds).toEqual<EventKind[]>(['preamble', 'content', 'content', 'content', 'usage', 'end'])
    expect(answer).toEqual({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
      service_tier: 'default',
      system_fingerprint: 'fp',
    })
    expect(whole.isWhole()).toBe(true)
    expect(whole.error()).toBeNull()
    expect(verdictOf(answer)).toMatchObject({ kind: 'ok', reason: 'stop' })
    expect(usageOf(answer)).toEqual({ input_tokens: 9, output_tokens: 2 })
  })

  it('keeps choices apart, in their order', () => {
    const at = (index: number, delta: object, finish_reason: string | null = null) => ({
      ...head,
      choices: [{ index, delta, finish_reason }],
    })
    const { answer, fold: part } = fold(at(1, { content: 'b' }), at(0, { content: 'a' }), at(1, {}, 'length'))
    expect(answer.choices).toMatchObject([
      { index: 0, message: { content: 'a' }, finish_reason: null },
      { index: 1, message: { content: 'b' }, finish_reason: 'length' },
    ])
    expect(part.isWhole()).toBe(false)
  })

  it('is whole after the finish, though no event says so', () => {
    expect(fold(chunk({ content: 'a' })).fold.isWhole()).toBe(false)
    expect(fold(chunk({ content: 'a' }), finish('stop')).fold.isWhole()).toBe(true)
    expect(fold().fold.isWhole()).toBe(false)
  })

  it('passes over the first chunk of Azure, and keeps its filters', () => {
    const { kinds, answer } = fold(
      {
        id: '',
        object: '',
        created: 0,
        model: '',
        choices: [],
        prompt_filter_results: [{ prompt_index: 0 }],
      },
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'a' }, { content_filter_results: { hate: { filtered: false } } }),
    )
    expect(kinds).toEqual(['preamble', 'preamble', 'content'])
    expect(answer).toMatchObject({
      id: 'c1',
      created: 7,
      model: 'm',
      prompt_filter_results: [{ prompt_index: 0 }],
    })
    expect(answer.choices[0].content_filter_results).toEqual({ hate: { filtered: false } })
  })

  it.each([
    [
      'in each chunk',
      [{ ...chunk({ content: 'a' }), usage: { prompt_tokens: 9 } }, finish('stop', { usage })],
    ],
    ['in `x_groq`', [chunk({ content: 'a' }), finish('stop', { x_groq: { id: 'r', usage } })]],
    ['in the choice', [chunk({ content: 'a' }), chunk({}, { finish_reason: 'stop', usage })]],
    ['with null before', [{ ...chunk({ content: 'a' }), usage: null }, finish('stop', { usage })]],
    ['with null after', [{ ...chunk({ content: 'a' }), usage }, finish('stop', { usage: null })]],
  ])('finds the usage %s', (_, data) => {
    expect(usageOf(fold(...data).answer)).toEqual({ input_tokens: 9, output_tokens: 2 })
  })

  it('tells a chunk that is nothing but usage from those that have it besides', () => {
    const { kinds } = fold(
      { ...role, usage },
      { ...chunk({ content: 'a' }), usage },
      { ...finish('stop'), usage },
      { ...role, usage },
    )
    expect(kinds).toEqual(['preamble', 'content', 'content', 'usage'])
  })

  it('joins reasoning, in either name of it', () => {
    expect(
      messageOf(
        chunk({ reasoning_content: 'a' }),
        chunk({ reasoning_content: 'b' }),
        chunk({ content: 'c' }),
      ),
    ).toMatchObject({ reasoning_content: 'ab', content: 'c' })
    expect(messageOf(chunk({ reasoning: 'a' }), chunk({ reasoning: 'b' }))).toMatchObject({ reasoning: 'ab' })
    expect(fold(role, chunk({ reasoning: 'a' })).kinds).toEqual(['preamble', 'content'])
  })

  it('joins the details of reasoning by their index', () => {
    const detail = (index: number, more: object) =>
      chunk({ reasoning_details: [{ type: 'reasoning.text', index, ...more }] })
    expect(
      messageOf(
        detail(0, { text: 'a' }),
        detail(0, { text: 'b' }),
        detail(0, { signature: 's' }),
        detail(1, { text: 'c' }),
      ).reasoning_details,
    ).toEqual([
      { type: 'reasoning.text', index: 0, text: 'ab', signature: 's' },
      { type: 'reasoning.text', index: 1, text: 'c' },
    ])
  })

  it('joins content in parts, and text after them', () => {
    const thinking = (text: string) =>
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] })
    expect(
      messageOf(thinking('a'), thinking('b'), chunk({ content: 'c' }), chunk({ content: 'd' })).content,
    ).toEqual([
      { type: 'thinking', thinking: [{ type: 'text', text: 'ab' }] },
      { type: 'text', text: 'cd' },
    ])
  })

  it('joins text and parts after it', () => {
    expect(
      messageOf(chunk({ content: 'a' }), chunk({ content: [{ type: 'text', text: 'b' }] })).content,
    ).toEqual([{ type: 'text', text: 'ab' }])
  })

  it('joins probabilities', () => {
    const probable = (token: string) =>
      chunk({ content: token }, { logprobs: { content: [{ token }], refusal: null } })
    expect(fold(probable('a'), probable('b')).answer.choices[0].logprobs).toEqual({
      content: [{ token: 'a' }, { token: 'b' }],
      refusal: null,
    })
  })

  it('joins audio, whose pieces are encoded one by one', () => {
    const audio = (text: string, more: object = {}) => chunk({ audio: { data: btoa(text), ...more } })
    expect(
      messageOf(
        audio('a', { id: 'au1' }),
        chunk({ audio: { transcript: 'x' } }),
        audio('bcd'),
        chunk({ audio: { transcript: 'y', expires_at: 5 } }),
      ).audio,
    ).toEqual({ id: 'au1', data: btoa('abcd'), transcript: 'xy', expires_at: 5 })
  })

  it('takes a message that came whole', () => {
    const message = { role: 'assistant', content: 'ab' }
    const { kinds, answer } = fold(chunk({ content: 'a' }), chunk({ content: 'b' }), {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    })
    expect(answer.choices[0]).toMatchObject({ message, finish_reason: 'stop' })
    expect(kinds).toEqual(['content', 'content', 'content'])
  })
})

describe('ChunkFold on tool calls', () => {
  const start = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }
  const piece = (text: string, more: object = { index: 0 }) => ({ ...more, function: { arguments: text } })
  const call = (id: string, name: string, text: string) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  })

  it('are content from their start', () => {
    const { kinds, answer } = fold(role, chunk({ tool_calls: [start] }), finish('tool_calls'))
    expect(kinds).toEqual(['preamble', 'content', 'content'])
    expect(verdictOf(answer)).toMatchObject({ kind: 'ok', reason: 'tool_calls' })
  })

  it.each([
    ['joins arguments by index', [start, piece('{"x"'), piece(':1}')], [call('a', 'f', '{"x":1}')]],
    [
      'keeps calls apart by index',
      [start, { ...start, index: 1, id: 'b' }, piece('1'), piece('2', { index: 1 })],
      [call('a', 'f', '1'), call('b', 'f', '2')],
    ],
    [
      'goes by the id where there is no index',
      [call('a', 'f', '1'), call('b', 'g', '2'), call('a', 'f', '3')],
      [call('a', 'f', '13'), call('b', 'g', '2')],
    ],
    [
      'goes on with the last call where there is neither',
      [call('a', 'f', '1'), { function: { arguments: '2' } }],
      [call('a', 'f', '12')],
    ],
    [
      'begins a call with each name where there is neither',
      [{ function: { name: 'f', arguments: '1' } }, { function: { name: 'f', arguments: '2' } }],
      [
        { type: 'function', function: { name: 'f', arguments: '1' } },
        { type: 'function', function: { name: 'f', arguments: '2' } },
      ],
    ],
    [
      'tells whole calls apart that all have the index 0',
      [
        { index: 0, ...call('a', 'f', '1') },
        { index: 0, ...call('b', 'f', '2') },
      ],
      [call('a', 'f', '1'), call('b', 'f', '2')],
    ],
    [
      'does not mind an id that is new in each delta',
      [start, { ...piece('1'), id: 'random' }, { ...piece('2'), id: 'other' }],
      [call('a', 'f', '12')],
    ],
    [
      'does not mind a name that is repeated',
      [start, { index: 0, id: 'a', function: { name: 'f', arguments: '1' } }],
      [call('a', 'f', '1')],
    ],
    ['writes no arguments as a plain answer does', [start], [call('a', 'f', '{}')]],
    [
      'writes arguments as text',
      [{ ...start, function: { name: 'f', arguments: { x: 1 } } }],
      [call('a', 'f', '{"x":1}')],
    ],
    [
      'takes calls of custom tools',
      [
        { index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } },
        { index: 0, custom: { input: 'y' } },
      ],
      [{ id: 'a', type: 'custom', custom: { name: 'f', input: 'xy' } }],
    ],
    [
      'keeps what a vendor adds',
      [{ ...start, extra_content: { google: { thought_signature: 's' } } }, piece('1')],
      [{ ...call('a', 'f', '1'), extra_content: { google: { thought_signature: 's' } } }],
    ],
  ])('%s', (_, deltas, expected) => {
    expect(callsOf(...deltas)).toEqual(expected)
  })

  it('joins a call in the old format', () => {
    const message = messageOf(
      chunk({ function_call: { name: 'f', arguments: '' } }),
      chunk({ function_call: { arguments: '{"x"' } }),
      chunk({ function_call: { arguments: ':1}' } }),
    )
    expect(message.function_call).toEqual({ name: 'f', arguments: '{"x":1}' })
  })
})

describe('ChunkFold on streams that may be replaced', () => {
  it.each([
    ['an empty answer', [role, finish('stop')], { kind: 'ok', reason: 'stop' }],
    ['calls that did not come', [role, finish('tool_calls')], { kind: 'malformed' }],
    ['a filter', [role, finish('content_filter')], { kind: 'refused', reason: 'content_filter' }],
    [
      'a refusal',
      [role, chunk({ refusal: 'I ca' }), chunk({ refusal: 'n’t' }), finish('stop')],
      { kind: 'refused', reason: 'refusal' },
    ],
    [
      'a finish that is a failure',
      [role, finish('network_error')],
      { kind: 'transient', reason: 'network_error' },
    ],
    ['no finish and no content', [role], { kind: 'malformed' }],
  ])('%s is judged as a plain answer', (_, data, verdict) => {
    const { kinds, answer } = fold(...data)
    expect(new Set(kinds)).toEqual(new Set(['preamble']))
    expect(verdictOf(answer)).toMatchObject(verdict)
  })

  it('a failure for a finish after content is an error', () => {
    const { kinds, fold: failed } = fold(chunk({ content: 'a' }), finish('insufficient_system_resource'))
    expect(kinds).toEqual(['content', 'error'])
    expect(failed.error()).toMatchObject({ error: { code: 'insufficient_system_resource' } })
  })
})

describe('ChunkFold on errors', () => {
  const error = { message: 'Overloaded', type: 'server_error', code: null }

  it.each<[string, string, object]>([
    ['of a chunk', streamOf({ error }), { error }],
    ['of a named event', `event: error\n${streamOf({ error })}`, { error }],
    [
      'of OpenRouter, beside a choice',
      streamOf({ ...finish('error'), error: { code: 502, message: 'x' } }),
      { error: { code: 502, message: 'x' } },
    ],
    [
      'within a choice',
      streamOf({ ...head, choices: [{ delta: {}, error: { code: 429, message: 'x' } }] }),
      { error: { code: 429, message: 'x' } },
    ],
    ['as text', streamOf({ error: 'model is loading' }), { error: 'model is loading' }],
    [
      'bare',
      streamOf({ object: 'error', message: 'x', code: 400 }),
      { object: 'error', message: 'x', code: 400 },
    ],
    [
      'of MiniMax',
      streamOf({ base_resp: { status_code: 1002, status_msg: 'limit' } }),
      { base_resp: { status_code: 1002, status_msg: 'limit' } },
    ],
    ['named, in no known shape', 'event: error\ndata: {"message":"x"}\n\n', { error: { message: 'x' } }],
    [
      'named, as plain text',
      'event: error\ndata: upstream gone\n\n',
      { error: { message: 'upstream gone' } },
    ],
    [
      'that is cut off',
      'data: {"choices":[{"del',
      { error: expect.objectContaining({ code: 'malformed_event' }) },
    ],
  ])('reads one %s', (_, text, body) => {
    const { kinds, fold: failed } = foldText(endpoint, text)
    expect(kinds).toEqual(['error'])
    expect(failed.error()).toEqual(body)
    expect(failed.isWhole()).toBe(false)
  })

  it.each([
    ['comments', ': OPENROUTER PROCESSING\n\n'],
    ['empty data', 'data:\n\n'],
    ['JSON that is no object', 'data: null\n\n'],
    ['no choices', 'data: {"error":null}\n\n'],
    [
      'choices of no known shape',
      'data: {"choices":[null,{"delta":"x"},{"delta":{"tool_calls":[null]}}]}\n\n',
    ],
  ])('passes over %s', (_, text) => {
    expect(foldText(endpoint, text).fold.error()).toBeNull()
  })
})

describe('ChunkFold of completions', () => {
  const text = (piece: string, more: object = {}) => ({
    id: 'c1',
    object: 'text_completion',
    created: 7,
    model: 'm',
    choices: [{ index: 0, text: piece, logprobs: null, finish_reason: null, ...more }],
  })

  it('folds a stream', () => {
    const logprobs = (token: string) => ({ logprobs: { tokens: [token], text_offset: [0] } })
    const { kinds, answer } = foldText(
      '/v1/completions',
      streamOf(
        text(''),
        text('a', logprobs('a')),
        text('b', logprobs('b')),
        text('', { finish_reason: 'length' }),
        { ...text(''), choices: [], usage },
        '[DONE]',
      ),
    )
    expect(kinds).toEqual<EventKind[]>(['preamble', 'content', 'content', 'content', 'usage', 'end'])
    const choice = {
      index: 0,
      text: 'ab',
      logprobs: { tokens: ['a', 'b'], text_offset: [0, 0] },
      finish_reason: 'length',
    }
    expect(answer).toEqual({ ...text(''), choices: [choice], usage })
    const plain = { kind: 'answer', status: 200, headers: {}, text: '', json: answer } as const
    expect(classify(plain, { endpoint: '/v1/completions', dialect: 'openai', nowMs: 0 }).kind).toBe('ok')
  })
})
