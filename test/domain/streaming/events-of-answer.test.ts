import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StreamedEndpoint } from '../../../src/domain/streaming/answer-fold.ts'
import { eventsOfAnswer } from '../../../src/domain/streaming/events-of-answer.ts'
import { anthropicClients, chatOf, openAiClients, readAll } from './clients.ts'
import { foldText } from './streams.ts'

const chatHead = { id: 'c1', object: 'chat.completion', created: 7, model: 'm' }
const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }
const choice = (message: object, more: object = {}) => ({
  index: 0,
  message: { role: 'assistant', content: null, ...message },
  logprobs: null,
  finish_reason: 'stop',
  ...more,
})
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{"x":1}' } })
const chat = (...choices: readonly object[]) => ({ ...chatHead, choices, usage, service_tier: 'default' })

const message = (...content: readonly object[]) => ({
  id: 'm1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 9, cache_read_input_tokens: 4, output_tokens: 7 },
})

const response = (...output: readonly object[]) => ({
  id: 'r1',
  object: 'response',
  created_at: 7,
  model: 'm',
  status: 'completed',
  error: null,
  incomplete_details: null,
  output,
  usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
})
const said = (...content: readonly object[]) => ({
  id: 'i1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content,
})
const text = {
  type: 'output_text',
  text: 'Hello',
  annotations: [{ type: 'url_citation', url: 'u' }],
  logprobs: [],
}
const functionCall = {
  id: 'i2',
  type: 'function_call',
  call_id: 'c',
  name: 'f',
  arguments: '{}',
  status: 'completed',
}

const roundTrip = (endpoint: StreamedEndpoint, answer: Readonly<Record<string, unknown>>) =>
  foldText(endpoint, eventsOfAnswer(endpoint, answer, { includeUsage: true }))

const answers: readonly [string, StreamedEndpoint, Readonly<Record<string, unknown>>][] = [
  ['text', '/v1/chat/completions', chat(choice({ content: 'Hello', refusal: null, annotations: [] }))],
  ['empty text', '/v1/chat/completions', chat(choice({ content: '' }))],
  ['a refusal', '/v1/chat/completions', chat(choice({ refusal: 'no' }))],
  [
    'calls',
    '/v1/chat/completions',
    chat(choice({ tool_calls: [call('a'), call('b')] }, { finish_reason: 'tool_calls' })),
  ],
  ['an old call', '/v1/chat/completions', chat(choice({ function_call: call('a').function }))],
  ['reasoning', '/v1/chat/completions', chat(choice({ reasoning_content: 'a', content: 'b' }))],
  ['content in parts', '/v1/chat/completions', chat(choice({ content: [{ type: 'text', text: 'a' }] }))],
  [
    'audio',
    '/v1/chat/completions',
    chat(choice({ audio: { id: 'a', data: 'AAAA', transcript: 'x', expires_at: 5 } })),
  ],
  [
    'choices, with what vendors add',
    '/v1/chat/completions',
    {
      ...chat(
        choice({ content: 'a' }, { content_filter_results: { hate: { filtered: false } } }),
        choice({ content: 'b' }, { index: 1, logprobs: { content: [{ token: 'b' }], refusal: null } }),
      ),
      citations: ['u'],
    },
  ],
  [
    'a completion',
    '/v1/completions',
    {
      ...chatHead,
      object: 'text_completion',
      choices: [{ index: 0, text: 'a', logprobs: { tokens: ['a'] }, finish_reason: 'length' }],
      usage,
    },
  ],
  [
    'blocks',
    '/v1/messages',
    message(
      { type: 'thinking', thinking: 'a', signature: 's' },
      { type: 'redacted_thinking', data: 'd' },
      { type: 'text', text: 'b', citations: [{ cited_text: 'c' }] },
      { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'u' }] },
      { type: 'tool_use', id: 't1', name: 'f', input: {} },
    ),
  ],
  [
    'an empty message, with what its end brings',
    '/v1/messages',
    {
      ...message(),
      stop_reason: 'refusal',
      stop_details: { type: 'refusal' },
      container: { id: 'c' },
      context_management: {},
    },
  ],
  [
    'items',
    '/v1/responses',
    response(
      {
        id: 'i0',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'a' }],
        content: [{ type: 'reasoning_text', text: 'b' }],
      },
      said(text, { type: 'refusal', refusal: 'no' }),
      functionCall,
      { id: 'i3', type: 'web_search_call', status: 'completed' },
    ),
  ],
  [
    'an incomplete response',
    '/v1/responses',
    { ...response(said(text)), status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  ],
]

describe('eventsOfAnswer', () => {
  it.each(answers)('folded, is the answer again: %s', (_, endpoint, answer) => {
    const { answer: again, fold, kinds } = roundTrip(endpoint, answer)
    expect(again).toEqual(answer)
    expect(fold.isWhole()).toBe(true)
    expect(kinds.at(-1)).toBe('end')
  })

  it('says all of a response in its events, and not only in the last', () => {
    const whole = response(said({ ...text, annotations: [] }), functionCall)
    const events = eventsOfAnswer('/v1/responses', whole, { includeUsage: false })
    const untilLast = events.slice(0, events.indexOf('event: response.completed'))
    expect(foldText('/v1/responses', untilLast).answer.output).toEqual(whole.output)
    // The deltas alone, without the events that say again what they have said.
    const onlyDeltas = untilLast.split(/(?<=\n\n)/).filter(event => !/^event: .*\.done\n/.test(event))
    const running = { status: 'in_progress' }
    expect(foldText('/v1/responses', onlyDeltas.join('')).answer.output).toEqual([
      { ...whole.output[0], ...running },
      { ...functionCall, ...running },
    ])
  })

  it.each(['completed', 'incomplete', 'failed'])('ends a response that is %s with that event', status => {
    const events = eventsOfAnswer('/v1/responses', { ...response(), status }, { includeUsage: false })
    expect(events).toContain(`event: response.${status}\n`)
  })

  it('tells what was used only to those who asked', () => {
    const answer = chat(choice({ content: 'a' }))
    expect(eventsOfAnswer('/v1/chat/completions', answer, { includeUsage: false })).not.toContain('usage')
    const asked = eventsOfAnswer('/v1/chat/completions', answer, { includeUsage: true })
    expect(foldText('/v1/chat/completions', asked).kinds.filter(kind => kind === 'usage')).toHaveLength(1)
    expect(asked.match(/"usage":null/g)).toHaveLength(3)
  })

  it('names the role first, and the index of each call', () => {
    const events = eventsOfAnswer(
      '/v1/chat/completions',
      chat(choice({ tool_calls: [call('a'), call('b')] })),
      { includeUsage: false },
    )
    const deltas = events.matchAll(/^data: (\{.*\})$/gm)
    expect([...deltas].map(([, data]) => JSON.parse(data!).choices[0].delta)).toEqual([
      { role: 'assistant', content: null },
      { tool_calls: [{ index: 0, ...call('a') }] },
      { tool_calls: [{ index: 1, ...call('b') }] },
      {},
    ])
  })

  it('any chat answer comes back', () => {
    const calls = fc.array(
      fc.record({
        id: fc.uuid(),
        type: fc.constant('function'),
        function: fc.record({ name: fc.string({ minLength: 1 }), arguments: fc.json() }),
      }),
      { minLength: 1 },
    )
    const said = fc.record(
      {
        content: fc.option(fc.string({ unit: 'grapheme' })),
        reasoning_content: fc.string({ minLength: 1 }),
        tool_calls: calls,
      },
      { requiredKeys: ['content'] },
    )
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 3 }), messages => {
        const answer = chat(...messages.map((one, index) => choice(one, { index })))
        expect(roundTrip('/v1/chat/completions', answer).answer).toEqual(JSON.parse(JSON.stringify(answer)))
      }),
    )
  })

  it('any message comes back', () => {
    const block = fc.oneof(
      fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'grapheme' }) }),
      fc.record({ type: fc.constant('thinking'), thinking: fc.string(), signature: fc.string() }),
      fc.record({
        type: fc.constant('tool_use'),
        id: fc.uuid(),
        name: fc.string(),
        input: fc.dictionary(fc.string(), fc.jsonValue()),
      }),
    )
    fc.assert(
      fc.property(fc.array(block), content => {
        const answer = JSON.parse(JSON.stringify(message(...content)))
        expect(roundTrip('/v1/messages', answer).answer).toEqual(answer)
      }),
    )
  })
})

const eventsFor = (endpoint: StreamedEndpoint, answer: Readonly<Record<string, unknown>>) =>
  eventsOfAnswer(endpoint, answer, { includeUsage: true })

describe.each(openAiClients)('%s reads', (_, clientOf) => {
  it('a chat stream', async () => {
    const client = clientOf(
      eventsFor('/v1/chat/completions', chat(choice({ content: 'Hello', refusal: null }))),
    )
    const { events, error } = await readAll(
      await client.chat.completions.create({ model: 'm', messages: [], stream: true }),
    )
    expect(error).toBeNull()
    expect(events).toHaveLength(4)
  })

  it('a chat stream by its helper', async () => {
    const answer = chat(choice({ tool_calls: [call('a'), call('b')] }, { finish_reason: 'tool_calls' }))
    const helper = chatOf(clientOf(eventsFor('/v1/chat/completions', answer))).completions.stream({
      model: 'm',
      messages: [],
    })
    expect(await helper.finalChatCompletion()).toMatchObject({
      id: 'c1',
      choices: [{ message: { tool_calls: [call('a'), call('b')] }, finish_reason: 'tool_calls' }],
    })
    expect(await helper.totalUsage()).toMatchObject(usage)
  })

  it('a stream of a response', async () => {
    const answer = response(said(text), functionCall)
    const client = clientOf(eventsFor('/v1/responses', answer))
    const { events, error } = await readAll(
      await client.responses.create({ model: 'm', input: '', stream: true }),
    )
    expect(error).toBeNull()
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { output: answer.output } })
    expect((events as { sequence_number: number }[]).map(event => event.sequence_number)).toEqual(
      events.map((_, i) => i),
    )
  })

  it('a stream of a response by its helper', async () => {
    const answer = response(
      { id: 'i0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'a' }] },
      said(text),
      functionCall,
    )
    const client = clientOf(eventsFor('/v1/responses', answer))
    const final = await client.responses.stream({ model: 'm', input: '' }).finalResponse()
    expect(final).toMatchObject({ id: 'r1', status: 'completed', output: answer.output })
  })
})

describe.each(anthropicClients)('%s reads', (_, clientOf) => {
  it('a message by its helper', async () => {
    const content = [
      { type: 'thinking', thinking: 'a', signature: 's' },
      { type: 'text', text: 'b' },
      { type: 'tool_use', id: 't1', name: 'f', input: { x: 1 } },
      { type: 'tool_use', id: 't2', name: 'f', input: {} },
    ]
    const helper = clientOf(eventsFor('/v1/messages', message(...content))).messages.stream({
      model: 'm',
      max_tokens: 1,
      messages: [],
    })
    const final = JSON.parse(JSON.stringify(await helper.finalMessage()))
    expect(final).toMatchObject({
      id: 'm1',
      content,
      stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 7 },
    })
  })
})
