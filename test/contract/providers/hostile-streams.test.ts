import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { deepJson, fragileJson } from '../../json/any-json.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { collectingSink } from './stream-fixture.ts'
import { bodyFor, chats, messages, responses } from './vendors/all.ts'
import { streaming, streamingPairs } from './vendors/streaming-apis.ts'

/** As an event has it. */
const inOneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ')

const inputs = fragileJson.map(
  ([what, text]) => [what, inOneLine(text.startsWith('{') ? text : `{"a":${text}}`)] as const,
)
const deep = deepJson(100_000)
const sse = 'text/event-stream'

const tools = {
  [chats]: [{ type: 'function', function: { name: 'find' } }],
  [messages]: [{ name: 'find', input_schema: { type: 'object' } }],
  [responses]: [{ type: 'function', name: 'find' }],
}

/** Where a plain answer of the endpoint has the input of a tool, as it is written there. */
const written = (endpoint: Endpoint, input: string): string =>
  endpoint === messages ? `"input":${input}` : `"arguments":${JSON.stringify(input)}`

describe.each(streamingPairs)('a stream between $pair', ({ api, endpoint }) => {
  test.each(inputs)('has the input of a tool as the model wrote it: %s', async (_, text) => {
    const calls = [{ id: 'abcDEF123', name: 'find', input: {}, text }]
    const upstream = await openUpstream(
      streaming(api.contentType, api.stream({ calls, finish: 'calls' }), 100_000),
    )
    const provider = openProvider(await api.settings(upstream.url))
    const sink = collectingSink()
    const body = bodyFor(endpoint, { stream: true, tools: tools[endpoint] })
    const rest = { model: api.model, apiKey: api.key, stream: sink }
    const outcome = await provider.call(requestOf(endpoint, body, rest))
    // Cohere's package writes anew what it has read, by recursion.
    if (api.name === 'cohere' && text.length > 10_000) {
      expect(outcome).toMatchObject({ kind: 'break', reason: 'protocol' })
      return
    }
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
    expect((outcome as { text: string }).text).toContain(written(endpoint, text))
    expect((outcome as { text: string }).text).not.toContain('baton-')
    expect(sink.text).not.toContain('baton-')
  })
})

type Native = '/v1/chat/completions' | '/v1/completions' | '/v1/messages' | '/v1/responses'

const event = (data: string, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`
const named = (data: string): string => event(data, JSON.parse(data).type)

const ownType = (endpoint: Native): object => {
  if (endpoint === messages) return { type: 'anthropic', api_key: 'k' }
  return endpoint === responses ? { type: 'openai', api_key: 'k' } : { type: 'openai-compatible' }
}
const baseOf = (endpoint: Native, url: string): string => (endpoint === messages ? url : `${url}/v1`)

/** A provider of the endpoint's own format that streams this. */
const native = async (endpoint: Native, events: readonly string[]) => {
  const upstream = await openUpstream(streaming(sse, events, 100_000))
  const provider = openProvider({ ...ownType(endpoint), base_url: baseOf(endpoint, upstream.url) })
  const sink = collectingSink()
  const asked = endpoint === '/v1/completions' ? { prompt: 'hi' } : bodyFor(endpoint as typeof chats, {})
  const outcome = await provider.call(
    requestOf(endpoint, { ...(asked as object), stream: true }, { stream: sink }),
  )
  const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs })
  return { outcome, sink, verdict }
}

const chunk = (delta: string, finish = 'null'): string =>
  event(
    `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`,
  )
const chatOf = (call: string): readonly string[] => [
  chunk(`{"role":"assistant","tool_calls":[${call}]}`),
  chunk('{}', '"tool_calls"'),
  event('[DONE]'),
]
const messageOf = (block: string, ...deltas: string[]): readonly string[] => [
  named(
    '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}',
  ),
  named(`{"type":"content_block_start","index":0,"content_block":${block}}`),
  ...deltas.map(delta => named(`{"type":"content_block_delta","index":0,"delta":${delta}}`)),
  named('{"type":"content_block_stop","index":0}'),
  named('{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}'),
  named('{"type":"message_stop"}'),
]
const responseOf = (output: string, more = ''): readonly string[] => [
  named(
    '{"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","output":[]}}',
  ),
  named(`{"type":"response.output_item.added","output_index":0,"item":${output}}`),
  named(`{"type":"response.output_item.done","output_index":0,"item":${output}}`),
  named(
    `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[${output}]${more}}}`,
  ),
]

describe("a stream in the provider's own format", () => {
  test.each(inputs)('is put together with the input of a tool as it was written: %s', async (_, text) => {
    const use = (input: string) => `{"type":"tool_use","id":"t","name":"find","input":${input}}`
    const half = text.length >> 1
    const pieces = [text.slice(0, half), text.slice(half)].map(
      piece => `{"type":"input_json_delta","partial_json":${JSON.stringify(piece)}}`,
    )
    const call = (given: string) =>
      `{"index":0,"id":"t","type":"function","function":{"name":"find","arguments":${given}}}`
    const item = `{"type":"function_call","id":"fc","call_id":"t","name":"find","status":"completed","arguments":${JSON.stringify(text)}}`
    const schema = `,"tools":[{"type":"function","name":"find","parameters":${text}}]`
    const streams: readonly (readonly [Native, readonly string[], string])[] = [
      [messages, messageOf(use('{}'), ...pieces), written(messages, text)],
      [messages, messageOf(use(text)), written(messages, text)],
      [chats, chatOf(call(JSON.stringify(text))), written(chats, text)],
      [chats, chatOf(call(text)), written(chats, text)],
      [responses, responseOf(item, schema), written(responses, text)],
      [responses, responseOf(item, schema), `"parameters":${text}`],
    ]
    for (const [endpoint, events, kept] of streams) {
      const { outcome, verdict } = await native(endpoint, events)
      expect(verdict.kind).toBe('ok')
      expect((outcome as { text: string }).text).toContain(kept)
    }
  })

  test.each<readonly [string, Native, readonly string[]]>([
    [
      'in a member of a chunk',
      chats,
      [chunk(`{"role":"assistant","content":"a","more":${deep}}`), ...chatOf('{}')],
    ],
    [
      'beside the choices',
      chats,
      [event(`{"more":${deep},"choices":[]}`), chunk('{"content":"a"}', '"stop"')],
    ],
    [
      'in parts of the content',
      chats,
      [
        chunk(`{"content":[{"type":"text","text":${deep}}]}`),
        chunk(`{"content":[{"type":"text","text":${deep}}]}`, '"stop"'),
      ],
    ],
    [
      'in a completion',
      '/v1/completions',
      [
        event(`{"choices":[{"index":0,"text":"a","logprobs":{"a":${deep}},"finish_reason":"stop"}]}`),
        event('[DONE]'),
      ],
    ],
    [
      'in a block of a message',
      messages,
      messageOf(`{"type":"web_search_tool_result","tool_use_id":"t","content":${deep}}`),
    ],
    [
      'in a citation',
      messages,
      messageOf('{"type":"text","text":"a"}', `{"type":"citations_delta","citation":${deep}}`),
    ],
    [
      'in an item',
      responses,
      responseOf(`{"type":"message","id":"m","role":"assistant","content":${deep}}`).slice(0, 3),
    ],
    [
      'in a whole response',
      responses,
      responseOf(
        '{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[]}]}',
        `,"metadata":${deep}`,
      ),
    ],
    ['in an error', chats, [event(`{"error":{"message":"no","type":"server_error","more":${deep}}}`)]],
    [
      'in an error after content',
      messages,
      [
        ...messageOf('{"type":"text","text":"a"}').slice(0, 3),
        named(`{"type":"error","error":{"type":"api_error","message":"no","more":${deep}}}`),
      ],
    ],
    [
      'in a failed response',
      responses,
      [
        named(
          `{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"no","more":${deep}}}}`,
        ),
      ],
    ],
  ])('that nests 100,000 deep comes to a verdict: %s', async (_, endpoint, events) => {
    const { verdict } = await native(endpoint, events)
    expect(verdict.kind).toMatch(/^(?:ok|transient)$/)
  })
})

describe.each(streamingPairs)('hostile nesting between $pair', ({ api, endpoint }) => {
  test('in an event comes to a verdict', async () => {
    const [first = '', ...rest] = api.stream({ text: 'four' })
    const spoiled = typeof first === 'string' ? first.replace(/\}\n\n$/, `,"more":${deep}}\n\n`) : first
    const upstream = await openUpstream(streaming(api.contentType, [spoiled, ...rest], 100_000))
    const provider = openProvider(await api.settings(upstream.url))
    const request = { model: api.model, apiKey: api.key, stream: collectingSink() }
    const outcome = await provider.call(requestOf(endpoint, bodyFor(endpoint, { stream: true }), request))
    const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs })
    expect(verdict.kind).toMatch(/^(?:ok|transient|malformed)$/)
  })
})
