import { describe, expect, test } from 'vitest'
import { createAnswerFold } from '../../../src/domain/streaming/create-answer-fold.ts'
import { SseSplitter } from '../../../src/domain/streaming/sse-splitter.ts'
import type { StreamSink } from '../../../src/domain/streaming/stream-sink.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { bodyFor, chats, messages, responses } from './vendors/all.ts'
import { type StreamingApi, streaming, streamingPairs } from './vendors/streaming-apis.ts'
import type { Spoken } from './vendors/streams.ts'

type Format = typeof chats | typeof messages | typeof responses

class Written implements StreamSink {
  readonly texts: string[] = []
  write(text: string): void {
    this.texts.push(text)
  }
}

const call = { id: 'abcDEF123', name: 'find', input: { q: 1 } }
const other = { id: 'abcDEF124', name: 'find', input: {} }
const tools = {
  [chats]: [{ type: 'function', function: { name: 'find' } }],
  [messages]: [{ name: 'find', input_schema: { type: 'object' } }],
  [responses]: [{ type: 'function', name: 'find' }],
}

/** The body of a request that asks for a stream with all that it has to tell. */
const asking = (format: Format, more: object = {}) =>
  bodyFor(format, {
    stream: true,
    ...(format === chats ? { stream_options: { include_usage: true } } : {}),
    ...more,
  })

/** A streamed call of the API with this stream, and the same answer given without one. */
const both = async (api: StreamingApi, format: Format, said: Spoken, size?: number) => {
  const offered = said.calls ? { tools: tools[format] } : {}
  const upstream = await openUpstream((request, response) => {
    const listener =
      api.path.test(request.url!) && upstream.arrivals.length === 1
        ? streaming(api.contentType, api.stream(said), size)
        : answering(200, api.answer(said), { 'x-request-id': 'req_1' })
    listener(request, response)
  })
  const provider = openProvider(await api.settings(upstream.url))
  const rest = { model: api.model, apiKey: api.key }
  const sink = new Written()
  const streamed = await provider.call(requestOf(format, asking(format, offered), { ...rest, stream: sink }))
  const plain = await provider.call(requestOf(format, bodyFor(format, offered), rest))
  return { streamed, plain, sink, upstream, dialect: provider.dialect }
}

const folded = (format: Format, text: string) => {
  const fold = createAnswerFold(format)
  const splitter = new SseSplitter()
  for (const event of [...splitter.push(text), ...splitter.end()]) fold.take(event)
  return JSON.parse(JSON.stringify(fold.answer())) as object
}

/** Ids that are made where a vendor has none, or another one in a stream. */
const withoutIds = (value: unknown, api: StreamingApi, format: Format): unknown =>
  format === responses || ['google', 'vertex', 'bedrock', 'cohere'].includes(api.name)
    ? JSON.parse(JSON.stringify(value), (key, item) => (/^(?:call_)?id$/.test(key) ? 'an-id' : item))
    : JSON.parse(JSON.stringify(value))

const sayings: readonly (readonly [string, Spoken])[] = [
  ['a text', { text: 'four, örtlich' }],
  ['a call', { calls: [call], finish: 'calls' }],
  ['a text and two calls', { text: 'Let me see.', calls: [call, other], finish: 'calls' }],
  ['a text cut off', { text: 'four', finish: 'length' }],
  ['a text that was filtered', { text: 'four', finish: 'filter' }],
  ['a thought and a text', { thought: 'two and two', text: 'four' }],
  ['a thought and a call', { thought: 'two and two', calls: [call], finish: 'calls' }],
]

describe.each(streamingPairs)('a stream between $pair', ({ api, endpoint }) => {
  const fitting = sayings.filter(
    ([, { finish = 'stop', thought }]) =>
      api.finishes.includes(finish) && (thought === undefined || api.thinks),
  )
  test.each(fitting)('comes to the answer that is given without one: %s', async (_, said) => {
    for (const size of [undefined, 7]) {
      const { streamed, plain, sink } = await both(api, endpoint, said, size)
      expect(plain).toMatchObject({ kind: 'answer', status: 200 })
      expect(plain.kind === 'answer' && plain.untold).toBeUndefined()
      const { firstTokenMs, ...rest } = streamed as typeof streamed & { firstTokenMs?: number }
      expect(firstTokenMs).toBeTypeOf('number')
      expect(rest.kind === 'answer' && rest.json).toEqual(rest.kind === 'answer' && JSON.parse(rest.text))
      expect(withoutIds({ ...rest, text: '', headers: {} }, api, endpoint)).toEqual(
        withoutIds({ ...plain, text: '', headers: {} }, api, endpoint),
      )
      const text = sink.texts.join('')
      expect(folded(endpoint, text)).toEqual(streamed.kind === 'answer' && streamed.json)
    }
  })
})

/** APIs whose inputs come as objects, which the SDK parses; the others stream them as text. */
const parsed = streamingPairs.filter(({ api }) => ['google', 'vertex'].includes(api.name))
const exact = '{"n":2512292042121000001,"price":1.10,"__proto__":{"a":1}}'

test.each(parsed)(
  "the input of a tool's call stays as it is written between $pair",
  async ({ api, endpoint }) => {
    const said = { calls: [{ ...call, input: { standing: 'in' } }], finish: 'calls' as const }
    const stream = api.stream(said).map(piece => String(piece).replace('{"standing":"in"}', () => exact))
    const upstream = await openUpstream(streaming(api.contentType, stream))
    const provider = openProvider(await api.settings(upstream.url))
    const sink = new Written()
    const request = { model: api.model, apiKey: api.key, stream: sink }
    const body = asking(endpoint, { tools: tools[endpoint] })
    const outcome = await provider.call(requestOf(endpoint, body, request))
    const asText = JSON.stringify(exact).slice(1, -1)
    expect(sink.texts.join('')).toContain(asText)
    expect(sink.texts.join('')).not.toContain('baton-')
    expect(outcome.kind === 'answer' && outcome.text).toContain(endpoint === messages ? exact : asText)
  },
)
