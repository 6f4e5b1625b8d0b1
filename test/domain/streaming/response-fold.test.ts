import { describe, expect, it } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { EventKind } from '../../../src/domain/streaming/answer-fold.ts'
import { usageOf } from '../../../src/domain/usage.ts'
import { foldText } from './streams.ts'

const endpoint = '/v1/responses'
type Event = { readonly type: string } & Readonly<Record<string, unknown>>

const streamOf = (events: readonly Event[]): string =>
  events
    .map((event, i) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: i })}\n\n`)
    .join('')
const fold = (...events: readonly Event[]) => foldText(endpoint, streamOf(events))

const response = {
  id: 'r1',
  object: 'response',
  created_at: 7,
  model: 'm',
  status: 'in_progress',
  error: null,
}
const usage = { input_tokens: 9, output_tokens: 2, total_tokens: 11 }
const created: Event = { type: 'response.created', response: { ...response, output: [] } }
const running: Event = { type: 'response.in_progress', response: { ...response, output: [] } }
const at = (type: string, more: object): Event => ({
  type: `response.${type}`,
  output_index: 0,
  item_id: 'i1',
  ...more,
})

const part = (text: string) => ({ type: 'output_text', text, annotations: [] })
const item = (...content: readonly object[]) => ({ id: 'i1', type: 'message', role: 'assistant', content })
const added = (value: object, output_index = 0) => at('output_item.added', { item: value, output_index })
const partAdded = at('content_part.added', { content_index: 0, part: part('') })
const text = (delta: string) => at('output_text.delta', { content_index: 0, delta })
const completed = (output: unknown): Event => ({
  type: 'response.completed',
  response: { ...response, status: 'completed', output, usage },
})

const outputOf = (...events: readonly Event[]) => fold(created, ...events).answer.output
const verdictOf = (answer: unknown) =>
  classify(
    { kind: 'answer', status: 200, headers: {}, text: JSON.stringify(answer), json: answer },
    { endpoint, dialect: 'openai', nowMs: 0 },
  )

describe('ResponseFold', () => {
  it('takes the response of the last event', () => {
    const output = [item(part('Hello'))]
    const {
      kinds,
      fold: whole,
      answer,
    } = fold(
      created,
      running,
      added(item()),
      partAdded,
      text('Hel'),
      text('lo'),
      at('output_text.done', { content_index: 0, text: 'Hello' }),
      at('content_part.done', { content_index: 0, part: part('Hello') }),
      at('output_item.done', { item: output[0] }),
      completed(output),
    )
    expect(kinds.slice(0, 5)).toEqual<EventKind[]>([
      'preamble',
      'preamble',
      'preamble',
      'preamble',
      'content',
    ])
    expect(new Set(kinds.slice(4, -1))).toEqual(new Set(['content']))
    expect(kinds.at(-1)).toBe('end')
    expect(answer).toEqual({ ...response, status: 'completed', output, usage })
    expect(whole.isWhole()).toBe(true)
    expect(verdictOf(answer)).toMatchObject({ kind: 'ok', reason: 'completed' })
    expect(usageOf(answer)).toEqual({ input_tokens: 9, output_tokens: 2 })
  })

  it('takes it against what it built itself', () => {
    expect(outputOf(added(item()), text('a'), completed([item(part('b'))]))).toEqual([item(part('b'))])
  })

  it('tells a response that was cut short', () => {
    const { kinds, answer } = fold(created, added(item()), text('a'), {
      type: 'response.incomplete',
      response: {
        ...response,
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [item(part('a'))],
      },
    })
    expect(kinds.at(-1)).toBe('end')
    expect(verdictOf(answer)).toMatchObject({ kind: 'ok', reason: 'max_output_tokens' })
  })

  it.each<[string, Event[], object[]]>([
    ['text', [added(item()), partAdded, text('a'), text('b')], [item(part('ab'))]],
    ['text whose part nobody added', [added(item()), text('a')], [item({ type: 'output_text', text: 'a' })]],
    [
      'text whose item nobody added',
      [text('a'), text('b')],
      [{ id: 'i1', type: 'message', content: [{ type: 'output_text', text: 'ab' }] }],
    ],
    [
      'text that came only whole',
      [added(item()), at('output_text.done', { content_index: 0, text: 'a' })],
      [item({ type: 'output_text', text: 'a' })],
    ],
    [
      'a refusal',
      [
        added(item()),
        at('refusal.delta', { content_index: 0, delta: 'n' }),
        at('refusal.delta', { content_index: 0, delta: 'o' }),
      ],
      [item({ type: 'refusal', refusal: 'no' })],
    ],
    [
      'calls, by their index',
      [
        added({ type: 'function_call', id: 'i1', call_id: 'c1', name: 'f', arguments: '' }),
        added({ type: 'function_call', id: 'i2', call_id: 'c2', name: 'g', arguments: '' }, 1),
        at('function_call_arguments.delta', { output_index: 1, delta: '{}' }),
        at('function_call_arguments.delta', { delta: '{"x":' }),
        at('function_call_arguments.done', { arguments: '{"x":1}' }),
      ],
      [
        { type: 'function_call', id: 'i1', call_id: 'c1', name: 'f', arguments: '{"x":1}' },
        { type: 'function_call', id: 'i2', call_id: 'c2', name: 'g', arguments: '{}' },
      ],
    ],
    [
      'calls, by their id',
      [
        {
          type: 'response.output_item.added',
          output_index: 0,
          item: { type: 'custom_tool_call', id: 'a', input: '' },
        },
        {
          type: 'response.output_item.added',
          output_index: 1,
          item: { type: 'custom_tool_call', id: 'b', input: '' },
        },
        { type: 'response.custom_tool_call_input.delta', item_id: 'a', delta: 'x' },
        { type: 'response.custom_tool_call_input.delta', item_id: 'b', delta: 'y' },
      ],
      [
        { type: 'custom_tool_call', id: 'a', input: 'x' },
        { type: 'custom_tool_call', id: 'b', input: 'y' },
      ],
    ],
    [
      'reasoning',
      [
        added({ type: 'reasoning', id: 'i1', summary: [] }),
        at('reasoning_summary_part.added', { summary_index: 0, part: { type: 'summary_text', text: '' } }),
        at('reasoning_summary_text.delta', { summary_index: 0, delta: 'a' }),
        at('reasoning_summary_text.delta', { summary_index: 0, delta: 'b' }),
        at('reasoning_text.delta', { content_index: 0, delta: 'c' }),
      ],
      [
        {
          type: 'reasoning',
          id: 'i1',
          summary: [{ type: 'summary_text', text: 'ab' }],
          content: [{ type: 'reasoning_text', text: 'c' }],
        },
      ],
    ],
    [
      'annotations',
      [
        added(item()),
        partAdded,
        text('a'),
        at('output_text.annotation.added', { content_index: 0, annotation: { url: 'u' } }),
      ],
      [item({ ...part('a'), annotations: [{ url: 'u' }] })],
    ],
    [
      'an item that is done',
      [added(item()), text('a'), at('output_item.done', { item: item(part('b')) })],
      [item(part('b'))],
    ],
  ])('builds %s', (_, events, output) => {
    expect(outputOf(...events)).toEqual(output)
  })

  it.each<[string, unknown]>([
    ['empty', []],
    ['left out', undefined],
  ])('has the items that it built where the last output is %s', (_, output) => {
    expect(outputOf(added(item()), partAdded, text('a'), completed(output))).toEqual([item(part('a'))])
  })

  it.each<[string, Event]>([
    ['text', text('a')],
    ['reasoning', at('reasoning_summary_text.delta', { summary_index: 0, delta: 'a' })],
    ['a call', added({ type: 'function_call', id: 'i1', name: 'f', arguments: '' })],
    ['a tool of the server', added({ type: 'web_search_call', id: 'i1' })],
    ['audio', { type: 'response.audio.delta', delta: 'AAAA' }],
  ])('takes %s for content', (_, event) => {
    expect(fold(created, event).kinds).toEqual(['preamble', 'content'])
  })

  it.each<[string, Event[], object]>([
    [
      'a refusal',
      [
        added(item()),
        at('refusal.delta', { content_index: 0, delta: 'no' }),
        at('output_item.done', { item: item({ type: 'refusal', refusal: 'no' }) }),
        completed([item({ type: 'refusal', refusal: 'no' })]),
      ],
      { kind: 'refused', reason: 'refusal' },
    ],
    ['an empty answer', [added({ type: 'reasoning', id: 'i1', summary: [] }), completed([])], { kind: 'ok' }],
    [
      'a filter',
      [
        {
          type: 'response.incomplete',
          response: {
            ...response,
            status: 'incomplete',
            incomplete_details: { reason: 'content_filter' },
            output: [],
          },
        },
      ],
      { kind: 'refused' },
    ],
  ])('%s is judged as a plain answer', (_, events, verdict) => {
    const { kinds, answer } = fold(created, ...events)
    expect(kinds).not.toContain('content')
    expect(kinds.at(-1)).toBe('end')
    expect(verdictOf(answer)).toMatchObject(verdict)
  })

  it('gives the response that failed', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow down' }
    const { kinds, fold: failed } = fold(created, {
      type: 'response.failed',
      response: { ...response, status: 'failed', error },
    })
    expect(kinds).toEqual(['preamble', 'error'])
    expect(failed.error()).toMatchObject({ status: 'failed', error })
    expect(failed.isWhole()).toBe(false)
    expect(verdictOf(failed.error())).toMatchObject({ kind: 'rate_limited' })
  })

  it('gives an error as a plain answer has it', () => {
    const { kinds, fold: failed } = fold(created, {
      type: 'error',
      code: 'server_error',
      message: 'x',
      param: null,
    })
    expect(kinds).toEqual(['preamble', 'error'])
    expect(failed.error()).toEqual({ error: { code: 'server_error', message: 'x', param: null } })
    expect(verdictOf(failed.error())).toMatchObject({ kind: 'transient', reason: 'server_error' })
  })

  it('does not take [DONE] for the end that did not come', () => {
    const { kinds, fold: cut } = foldText(endpoint, `${streamOf([created, text('a')])}data: [DONE]\n\n`)
    expect(kinds).toEqual(['preamble', 'content', 'content'])
    expect(cut.isWhole()).toBe(false)
    expect(foldText(endpoint, `${streamOf([completed([])])}data: [DONE]\n\n`).kinds).toEqual(['end', 'end'])
  })

  it('puts a part with a far-off index behind those that it has', () => {
    const far = at('output_text.delta', { content_index: 1e9, delta: 'b' })
    expect(outputOf(added(item(part('a'))), far)).toEqual([
      item(part('a'), { type: 'output_text', text: 'b' }),
    ])
  })
})
