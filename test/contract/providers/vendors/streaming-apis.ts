import type { RequestListener } from 'node:http'
import { chats, messages, responses, vendors } from './all.ts'
import {
  type Spoken,
  type Stream,
  streamAnthropic,
  streamBedrock,
  streamCohere,
  streamGemini,
  streamMistral,
  streamOpenai,
} from './streams.ts'
import type { Finish } from './vendor.ts'
import { usage } from './vendor.ts'

/** An API that a format is translated for, and how it answers in a stream and without one. */
export interface StreamingApi {
  readonly name: string
  readonly from: readonly (typeof chats | typeof messages | typeof responses)[]
  settings(url: string): Record<string, unknown> | Promise<Record<string, unknown>>
  readonly key: string | null
  readonly model: string
  readonly contentType: string
  /** Where a stream is asked for. */
  readonly path: RegExp
  readonly finishes: readonly Finish[]
  /** Whether it tells what the model thinks. */
  readonly thinks: boolean
  answer(said: Spoken): object
  stream(said: Spoken): Stream
}

const sse = 'text/event-stream; charset=utf-8'
const all: readonly Finish[] = ['stop', 'length', 'calls', 'filter']

const chatFinishes: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  calls: 'tool_calls',
  filter: 'content_filter',
}

const openai: StreamingApi = {
  name: 'openai',
  from: [messages],
  settings: url => ({ type: 'openai', base_url: `${url}/v1` }),
  key: 'k',
  model: 'gpt-4',
  contentType: sse,
  path: /^\/v1\/chat\/completions$/,
  finishes: all,
  // OpenAI's own models keep it to themselves.
  thinks: false,
  answer: ({ text, thought, calls = [], finish = 'stop' }) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text ?? null,
          ...(thought === undefined ? {} : { reasoning_content: thought }),
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map(({ id, name, input }) => ({
                  id,
                  type: 'function',
                  function: { name, arguments: JSON.stringify(input) },
                })),
              }),
        },
        finish_reason: chatFinishes[finish],
      },
    ],
    usage: {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
    },
  }),
  stream: streamOpenai,
}

const compatible: StreamingApi = {
  ...openai,
  name: 'openai-compatible',
  from: [messages, responses],
  settings: url => ({ type: 'openai-compatible', base_url: `${url}/v1` }),
  model: 'llama',
  thinks: true,
}

const anthropicFinishes: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'refusal',
}

const anthropic: StreamingApi = {
  name: 'anthropic',
  from: [chats, responses],
  settings: url => ({ type: 'anthropic', base_url: url }),
  key: 'k',
  model: 'claude-sonnet-4-5',
  contentType: sse,
  path: /^\/v1\/messages$/,
  finishes: all,
  thinks: true,
  answer: ({ text, thought, signature = 's1g', calls = [], finish = 'stop' }) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-dated',
    content: [
      ...(thought === undefined ? [] : [{ type: 'thinking', thinking: thought, signature }]),
      ...(text === undefined ? [] : [{ type: 'text', text }]),
      ...calls.map(call => ({ type: 'tool_use', ...call })),
    ],
    stop_reason: anthropicFinishes[finish],
    stop_sequence: null,
    usage: { input_tokens: usage.input, output_tokens: usage.output },
  }),
  stream: streamAnthropic,
}

type Own = Pick<StreamingApi, 'contentType' | 'path' | 'stream' | 'thinks'> & {
  /** The answer of the vendor with what its model thinks. */
  thoughtful(answer: object, said: Spoken): object
}

const first = (answer: object, key: string): Record<string, unknown> =>
  (answer as Record<string, Record<string, unknown>[]>)[key]![0]!

const gemini: Own = {
  contentType: sse,
  path: /:streamGenerateContent\?alt=sse$/,
  stream: streamGemini,
  thinks: true,
  thoughtful: (answer, { thought }) => {
    const { content } = first(answer, 'candidates') as { content: { parts: object[] } }
    content.parts.unshift({ text: thought, thought: true })
    return answer
  },
}

const own: Readonly<Record<string, Own>> = {
  google: gemini,
  vertex: gemini,
  cohere: {
    contentType: sse,
    path: /^\/v2\/chat$/,
    stream: streamCohere,
    thinks: true,
    thoughtful: (answer, { thought }) => {
      const { message } = answer as { message: { content?: object[] } }
      message.content = [{ type: 'thinking', thinking: thought }, ...(message.content ?? [])]
      return answer
    },
  },
  mistral: {
    contentType: sse,
    path: /^\/v1\/chat\/completions$/,
    stream: streamMistral,
    thinks: true,
    thoughtful: (answer, { thought, text = '' }) => {
      const { message } = first(answer, 'choices') as { message: { content: unknown } }
      message.content = [
        { type: 'thinking', thinking: [{ type: 'text', text: thought }] },
        { type: 'text', text },
      ]
      return answer
    },
  },
  bedrock: {
    contentType: 'application/vnd.amazon.eventstream',
    path: /\/converse-stream$/,
    stream: streamBedrock,
    thinks: true,
    thoughtful: (answer, { thought, signature = 's1g' }) => {
      const { output } = answer as { output: { message: { content: object[] } } }
      output.message.content.unshift({ reasoningContent: { reasoningText: { text: thought, signature } } })
      return answer
    },
  },
}

const byTranslation = vendors.map((vendor): StreamingApi => {
  const { thoughtful, ...rest } = own[vendor.name]!
  return {
    ...rest,
    name: vendor.name,
    from: [chats, messages, responses],
    settings: url => vendor.settings(url),
    key: vendor.key,
    model: vendor.model,
    finishes: vendor.finishes,
    answer: said =>
      said.thought === undefined ? vendor.answer(said) : thoughtful(vendor.answer(said), said),
  }
})

export const streamingApis: readonly StreamingApi[] = [openai, compatible, anthropic, ...byTranslation]

/** Every API with each of the formats that are translated for it. */
export const streamingPairs = streamingApis.flatMap(api =>
  api.from.map(endpoint => ({ api, endpoint, pair: `${endpoint} and ${api.name}` })),
)

/** Answers with a stream in packets of so many bytes. */
export const streaming =
  (contentType: string, stream: Stream, size = Number.POSITIVE_INFINITY): RequestListener =>
  async (_request, response) => {
    response.writeHead(200, { 'content-type': contentType, 'x-request-id': 'req_1' })
    const bytes = Buffer.concat(stream.map(piece => Buffer.from(piece)))
    for (let at = 0; at < bytes.length; at += size) {
      await new Promise(resolve => response.write(bytes.subarray(at, at + size), resolve))
    }
    response.end()
  }
