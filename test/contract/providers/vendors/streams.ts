import { crc32 } from 'node:zlib'
import { JsonText, writeJson } from '../../../../src/json/json-text.ts'
import type { Call, Finish, Said } from './vendor.ts'
import { usage } from './vendor.ts'

/** What a model says in a stream: also what it thinks, signed or not. */
export interface Spoken extends Said {
  readonly thought?: string
  readonly signature?: string
  readonly finish?: Finish
}

export type Stream = readonly (string | Buffer)[]

const event = (data: object): string => `data: ${writeJson(data)}\n\n`
const named = (data: { type: string }): string => `event: ${data.type}\n${event(data)}`

/** A text as a model writes it, a few characters at a time. */
const pieces = (text = ''): string[] => text.match(/.{1,3}/gs) ?? []
const inputOf = ({ input, text }: Call): string => text ?? JSON.stringify(input)

const chatFinishes: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  calls: 'tool_calls',
  filter: 'content_filter',
}
const chatUsage = {
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
}

const chunk = (choices: readonly object[], more: object = {}): string =>
  event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4', choices, ...more })

const delta = (delta: object, finish_reason: string | null = null): string =>
  chunk([{ index: 0, delta, logprobs: null, finish_reason }])

/** https://platform.openai.com/docs/api-reference/chat-streaming, and what compatible servers add. */
export const streamOpenai = ({ thought, text, calls = [], finish = 'stop' }: Spoken): Stream => [
  delta({ role: 'assistant', content: '', refusal: null }),
  ...pieces(thought).map(reasoning_content => delta({ reasoning_content })),
  ...pieces(text).map(content => delta({ content })),
  ...calls.flatMap((call, index) => [
    delta({
      tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }],
    }),
    ...pieces(inputOf(call)).map(piece => delta({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]),
  delta({}, chatFinishes[finish]),
  chunk([], { usage: chatUsage }),
  'data: [DONE]\n\n',
]

const part = (delta: object, finish_reason: string | null = null, more: object = {}): string =>
  event({
    ...{
      id: 'cmpl-e5cc70bb28c444948073e77776eb30ef',
      object: 'chat.completion.chunk',
      created: 1_702_256_327,
    },
    ...{ model: 'mistral-large-2411', choices: [{ index: 0, delta, finish_reason }], ...more },
  })

/** https://docs.mistral.ai/api: calls come whole. */
export const streamMistral = ({ thought, text, calls = [], finish = 'stop' }: Spoken): Stream => [
  part({ role: 'assistant', content: '' }),
  ...pieces(thought).map(piece =>
    part({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: piece }] }] }),
  ),
  ...pieces(text).map(content => part({ content })),
  ...(calls.length === 0
    ? []
    : [
        part({
          content: '',
          tool_calls: calls.map((call, index) => ({
            ...{ id: call.id, index, function: { name: call.name, arguments: inputOf(call) } },
          })),
        }),
      ]),
  part({ content: '' }, chatFinishes[finish], { usage: chatUsage }),
  'data: [DONE]\n\n',
]

const anthropicFinishes: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'refusal',
}

const block = (index: number, content_block: object, deltas: readonly object[]): string[] => [
  named({ type: 'content_block_start', ...{ index, content_block } }),
  named({ type: 'ping' }),
  ...deltas.map(delta => named({ type: 'content_block_delta', ...{ index, delta } })),
  named({ type: 'content_block_stop', ...{ index } }),
]

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming */
export const streamAnthropic = (said: Spoken): Stream => {
  const { thought, signature = 's1g', text, calls = [], finish = 'stop' } = said
  const blocks = [
    ...(thought === undefined
      ? []
      : [
          [
            { type: 'thinking', thinking: '', signature: '' },
            [
              ...pieces(thought).map(thinking => ({ type: 'thinking_delta', thinking })),
              { type: 'signature_delta', signature },
            ],
          ] as const,
        ]),
    ...(text === undefined
      ? []
      : [[{ type: 'text', text: '' }, pieces(text).map(text => ({ type: 'text_delta', text }))] as const]),
    ...calls.map(
      call =>
        [
          { type: 'tool_use', id: call.id, name: call.name, input: {} },
          ['', ...pieces(inputOf(call))].map(partial_json => ({ type: 'input_json_delta', partial_json })),
        ] as const,
    ),
  ]
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-dated', content: [] }
  const begun = { input_tokens: usage.input, output_tokens: 1 }
  return [
    named({
      type: 'message_start',
      ...{ message: { ...message, stop_reason: null, stop_sequence: null, usage: begun } },
    }),
    ...blocks.flatMap(([start, deltas], index) => block(index, start, deltas)),
    named({
      type: 'message_delta',
      ...{ delta: { stop_reason: anthropicFinishes[finish], stop_sequence: null } },
      ...{ usage: { output_tokens: usage.output } },
    }),
    named({ type: 'message_stop' }),
  ]
}

const geminiFinishes: Readonly<Record<Finish, string>> = {
  stop: 'STOP',
  calls: 'STOP',
  length: 'MAX_TOKENS',
  filter: 'SAFETY',
}

/** https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent: calls come whole. */
export const streamGemini = ({ thought, text, calls = [], finish = 'stop', signature }: Spoken): Stream => {
  const parts = [
    ...pieces(thought).map(text => ({ text, thought: true })),
    ...pieces(text).map(text => ({ text })),
    ...calls.map(({ name, input, text }) => ({
      functionCall: { name, args: text === undefined ? input : new JsonText(text) },
      ...(signature === undefined ? {} : { thoughtSignature: signature }),
    })),
  ]
  const counts = { promptTokenCount: usage.input, candidatesTokenCount: usage.output }
  const rest = { modelVersion: 'gemini-2.0-flash', responseId: 'mAitaLmkHPPlz7IPvtfUqQ4' }
  return [
    ...parts.map(part =>
      event({ candidates: [{ content: { role: 'model', parts: [part] }, index: 0 }], ...rest }),
    ),
    event({
      candidates: [
        { content: { role: 'model', parts: [{ text: '' }] }, finishReason: geminiFinishes[finish] },
      ],
      usageMetadata: { ...counts, totalTokenCount: usage.input + usage.output },
      ...rest,
    }),
  ]
}

const cohereFinishes: Readonly<Record<Finish, string>> = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  calls: 'TOOL_CALL',
  filter: 'ERROR',
}

const told = (type: string, message: object, index = 0): string =>
  named({ type, ...{ index, delta: { message } } })

/** https://docs.cohere.com/v2/docs/streaming */
export const streamCohere = ({ thought, text, calls = [], finish = 'stop' }: Spoken): Stream => {
  const contents = (
    [
      ['thinking', thought],
      ['text', text],
    ] as const
  ).filter(([, value]) => value !== undefined)
  return [
    named({
      type: 'message-start',
      ...{ id: 'c14c80c3-18eb-4519-9460-6c92edd8cfb4' },
      ...{
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
      },
    }),
    ...contents.flatMap(([type, value], index) => [
      told('content-start', { content: { type, [type]: '' } }, index),
      ...pieces(value).map(piece => told('content-delta', { content: { [type]: piece } }, index)),
      named({ type: 'content-end', ...{ index } }),
    ]),
    ...(calls.length === 0 ? [] : [told('tool-plan-delta', { tool_plan: 'I will look it up.' })]),
    ...calls.flatMap((call, index) => [
      told(
        'tool-call-start',
        { tool_calls: { id: call.id, type: 'function', function: { name: call.name, arguments: '' } } },
        index,
      ),
      ...pieces(inputOf(call)).map(piece =>
        told('tool-call-delta', { tool_calls: { function: { arguments: piece } } }, index),
      ),
      named({ type: 'tool-call-end', ...{ index } }),
    ]),
    named({
      type: 'message-end',
      ...{
        delta: {
          finish_reason: cohereFinishes[finish],
          usage: {
            billed_units: { input_tokens: 3, output_tokens: usage.output },
            tokens: { input_tokens: usage.input, output_tokens: usage.output },
          },
        },
      },
    }),
  ]
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const header = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([7, 0, value.length]),
    Buffer.from(value),
  ])

/**
 * A message of AWS's event streams:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 */
export const awsEvent = (type: string, payload: object, kind: 'event' | 'exception' = 'event'): Buffer => {
  const headers = Buffer.concat([
    header(`:${kind}-type`, type),
    header(':content-type', 'application/json'),
    header(':message-type', kind),
  ])
  const body = Buffer.from(JSON.stringify(payload))
  const prelude = Buffer.concat([uint32(16 + headers.length + body.length), uint32(headers.length)])
  const whole = Buffer.concat([prelude, uint32(crc32(prelude)), headers, body])
  return Buffer.concat([whole, uint32(crc32(whole))])
}

const bedrockFinishes: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'guardrail_intervened',
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
export const streamBedrock = (said: Spoken): Stream => {
  const { thought, signature = 's1g', text, calls = [], finish = 'stop' } = said
  const blocks = [
    ...(thought === undefined
      ? []
      : [
          [
            undefined,
            [
              ...pieces(thought).map(text => ({ reasoningContent: { text } })),
              { reasoningContent: { signature } },
            ],
          ] as const,
        ]),
    ...(text === undefined ? [] : [[undefined, pieces(text).map(text => ({ text }))] as const]),
    ...calls.map(
      call =>
        [
          { toolUse: { toolUseId: call.id, name: call.name } },
          pieces(inputOf(call)).map(input => ({ toolUse: { input } })),
        ] as const,
    ),
  ]
  return [
    awsEvent('messageStart', { role: 'assistant', p: 'abcdef' }),
    ...blocks.flatMap(([start, deltas], contentBlockIndex) => [
      ...(start === undefined ? [] : [awsEvent('contentBlockStart', { contentBlockIndex, start })]),
      ...deltas.map(delta => awsEvent('contentBlockDelta', { contentBlockIndex, delta, p: 'abc' })),
      awsEvent('contentBlockStop', { contentBlockIndex }),
    ]),
    awsEvent('messageStop', { stopReason: bedrockFinishes[finish] }),
    awsEvent('metadata', {
      usage: {
        inputTokens: usage.input,
        outputTokens: usage.output,
        totalTokens: usage.input + usage.output,
      },
      metrics: { latencyMs: 551 },
    }),
  ]
}
