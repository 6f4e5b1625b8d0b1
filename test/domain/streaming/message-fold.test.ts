import { describe, expect, it } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { EventKind } from '../../../src/domain/streaming/answer-fold.ts'
import { usageOf } from '../../../src/domain/usage.ts'
import { foldText } from './streams.ts'

const endpoint = '/v1/messages'
type Event = { readonly type: string } & Readonly<Record<string, unknown>>

const streamOf = (events: readonly Event[]): string =>
  events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const fold = (...events: readonly Event[]) => foldText(endpoint, streamOf(events))

const message = { id: 'm1', type: 'message', role: 'assistant', model: 'm' }
const start: Event = {
  type: 'message_start',
  message: {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 9, cache_read_input_tokens: 4, output_tokens: 1 },
  },
}
const begin = (content_block: object, index = 0): Event => ({
  type: 'content_block_start',
  index,
  content_block,
})
const delta = (type: string, more: object, index = 0): Event => ({
  type: 'content_block_delta',
  index,
  delta: { type, ...more },
})
const text = (piece: string, index = 0) => delta('text_delta', { text: piece }, index)
const input = (partial_json: string, index = 0) => delta('input_json_delta', { partial_json }, index)
const stop = (index = 0): Event => ({ type: 'content_block_stop', index })
const finish = (stop_reason: string, more: object = {}): Event => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null, ...more },
  usage: { output_tokens: 7 },
})
const end: Event = { type: 'message_stop' }
const ping: Event = { type: 'ping' }

const emptyText = begin({ type: 'text', text: '' })
const tool = { type: 'tool_use', id: 't1', name: 'f', input: {} }
const contentOf = (...events: readonly Event[]) => fold(start, ...events).answer.content
const verdictOf = (answer: unknown) =>
  classify(
    { kind: 'answer', status: 200, headers: {}, text: JSON.stringify(answer), json: answer },
    { endpoint, dialect: 'anthropic', nowMs: 0 },
  )

describe('MessageFold', () => {
  it('folds a stream as Anthropic writes it', () => {
    const {
      kinds,
      fold: whole,
      answer,
    } = fold(start, emptyText, ping, text('Hel'), text('lo'), ping, stop(), finish('end_turn'), end)
    expect(kinds).toEqual<EventKind[]>([
      ...(['preamble', 'preamble', 'preamble'] as const),
      ...(['content', 'content', 'content', 'content', 'content', 'end'] as const),
    ])
    expect(answer).toEqual({
      ...message,
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 9, cache_read_input_tokens: 4, output_tokens: 7 },
    })
    expect(whole.isWhole()).toBe(true)
    expect(verdictOf(answer)).toMatchObject({ kind: 'ok', reason: 'end_turn' })
    expect(usageOf(answer)).toEqual({ input_tokens: 13, output_tokens: 7, cache_read_tokens: 4 })
  })

  it.each<[string, Event[], object[]]>([
    [
      'thinking and its signature',
      [
        begin({ type: 'thinking', thinking: '', signature: '' }),
        delta('thinking_delta', { thinking: 'a' }),
        delta('thinking_delta', { thinking: 'b' }),
        delta('signature_delta', { signature: 's' }),
      ],
      [{ type: 'thinking', thinking: 'ab', signature: 's' }],
    ],
    [
      'thinking that is not shown',
      [begin({ type: 'redacted_thinking', data: 'd' })],
      [{ type: 'redacted_thinking', data: 'd' }],
    ],
    [
      'the input of tools, by their index',
      [begin(tool), begin({ ...tool, id: 't2' }, 1), input('{"x"', 1), input('{}'), input(':1}', 1)],
      [tool, { ...tool, id: 't2', input: { x: 1 } }],
    ],
    ['a tool without arguments', [begin(tool), input(''), stop()], [tool]],
    ['an input that is no object', [begin(tool), input('[1]')], [tool]],
    ['an input that was cut off', [begin(tool), input('{"x":"lo')], [tool]],
    [
      'citations',
      [
        begin({ type: 'text', text: '', citations: [] }),
        delta('citations_delta', { citation: { cited_text: 'a' } }),
        text('x'),
        delta('citations_delta', { citation: { cited_text: 'b' } }),
      ],
      [{ type: 'text', text: 'x', citations: [{ cited_text: 'a' }, { cited_text: 'b' }] }],
    ],
    [
      'tools of the server, and their results',
      [
        begin({ type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }),
        input('{"query":"q"}'),
        begin({ type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'u' }] }, 1),
      ],
      [
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
        { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'u' }] },
      ],
    ],
    ['blocks that nobody began', [text('a'), text('b')], [{ type: 'text', text: 'ab' }]],
    [
      'deltas of no known type',
      [emptyText, delta('new_delta', { x: 1 }), text('a')],
      [{ type: 'text', text: 'a' }],
    ],
  ])('folds %s', (_, events, content) => {
    expect(contentOf(...events)).toEqual(content)
  })

  it.each<[string, Event]>([
    ['text', text('a')],
    ['thinking', delta('thinking_delta', { thinking: 'a' })],
    ['a signature without its thinking', delta('signature_delta', { signature: 'a' })],
    ['a tool', begin(tool)],
    ['hidden thinking', begin({ type: 'redacted_thinking', data: 'd' })],
    ['a block that begins with text', begin({ type: 'text', text: 'a' })],
  ])('takes %s for content', (_, event) => {
    expect(fold(start, event).kinds).toEqual(['preamble', 'content'])
  })

  it('keeps what the end brings along', () => {
    const details = { type: 'refusal', category: 'cyber' }
    const { answer } = fold(start, text('a'), {
      ...finish('refusal', { stop_details: details, container: { id: 'c' } }),
      context_management: { applied_edits: [] },
      usage: { input_tokens: null, output_tokens: 5, server_tool_use: { web_search_requests: 2 } },
    })
    expect(answer).toMatchObject({
      stop_details: details,
      container: { id: 'c' },
      context_management: { applied_edits: [] },
      usage: { input_tokens: 9, output_tokens: 5, server_tool_use: { web_search_requests: 2 } },
    })
  })

  it('is whole after the finish, though no event says so', () => {
    expect(fold(start, text('a')).fold.isWhole()).toBe(false)
    expect(fold(start, text('a'), finish('end_turn')).fold.isWhole()).toBe(true)
    expect(fold(start, text('a'), end).fold.isWhole()).toBe(true)
  })

  it.each<[string, Event[], object]>([
    ['a refusal', [finish('refusal')], { kind: 'refused', reason: 'refusal' }],
    ['an empty answer', [finish('end_turn')], { kind: 'ok' }],
    ['an empty block', [emptyText, stop(), finish('end_turn')], { kind: 'ok' }],
    ['a tool that did not come', [finish('tool_use')], { kind: 'malformed' }],
    ['a finish that is a failure', [finish('error')], { kind: 'transient', reason: 'error' }],
  ])('%s is judged as a plain answer', (_, events, verdict) => {
    const { kinds, answer } = fold(start, ...events, end)
    expect(kinds).not.toContain('content')
    expect(kinds.at(-1)).toBe('end')
    expect(verdictOf(answer)).toMatchObject(verdict)
  })

  it('a failure for a finish after content is an error', () => {
    const { kinds } = fold(start, text('a'), finish('error'))
    expect(kinds).toEqual(['preamble', 'content', 'error'])
  })

  it.each([
    [
      'an error',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
    ],
    ['one without its name', 'data: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'],
  ])('gives %s as it is', (_, error) => {
    const { kinds, fold: failed } = foldText(endpoint, streamOf([start]) + error)
    expect(kinds).toEqual(['preamble', 'error'])
    expect(failed.error()).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'x' } })
    expect(verdictOf(failed.error())).toMatchObject({ kind: 'overloaded', reason: 'overloaded_error' })
  })

  it.each([
    'event: ping\ndata: null\n\n',
    'data: {"type":"content_block_delta"}\n\n',
    'data: {"type":"message_start"}\n\n',
    'data: {"type":"message_delta","delta":5}\n\n',
  ])('passes over %j', event => {
    expect(foldText(endpoint, event).kinds).toEqual(['preamble'])
  })
})
