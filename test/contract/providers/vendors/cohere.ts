import { expect } from 'vitest'
import { type Finish, type Seen, usage, type Vendor } from './vendor.ts'

type Content = string | readonly { readonly text?: string; readonly image_url?: { readonly url: string } }[]

interface Message {
  readonly role: string
  readonly content?: Content
  readonly tool_plan?: string
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[]
}

const image = /^data:([^;]+);base64,(.*)$/

const contentsOf = (content: Content | undefined): string[] => {
  if (content === undefined) return []
  if (typeof content === 'string') return [content]
  return content.map(({ text, image_url }) => {
    const [, type, data] = image.exec(image_url?.url ?? '') ?? []
    return type ? `file ${type} ${data}` : (text ?? `file ${image_url?.url}`)
  })
}

const turnsOf = ({ role, content, tool_plan, tool_calls = [], tool_call_id }: Message): string[] => {
  if (role === 'tool') return [`tool: ${tool_call_id} ${content}`]
  return [
    ...(tool_plan ? [`${role}: ${tool_plan}`] : []),
    ...contentsOf(content).map(text => `${role}: ${text}`),
    ...tool_calls.map(
      ({ id, function: { name, arguments: input } }) => `${role}: call ${name} ${input} as ${id}`,
    ),
  ]
}

const read = (body: Record<string, unknown>): Seen => {
  const messages = body.messages as Message[]
  const tools = (body.tools ?? []) as { function: { name: string } }[]
  const format = body.response_format as { json_schema?: unknown } | undefined
  return {
    system:
      messages
        .filter(({ role }) => role === 'system')
        .map(({ content }) => content)
        .join('\n') || null,
    turns: messages.filter(({ role }) => role !== 'system').flatMap(turnsOf),
    tools: tools.map(tool => tool.function.name),
    choice: (body.tool_choice as string | undefined)?.toLowerCase() ?? null,
    schema: format?.json_schema,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.p,
    stops: body.stop_sequences,
  }
}

const finishReasons: Readonly<Record<Finish, string>> = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  calls: 'TOOL_CALL',
  filter: 'ERROR',
}

const error = (status: number, message: string) => ({ status, body: { id: '8a1-0f', message } })

export const cohere: Vendor = {
  name: 'cohere',
  settings: url => ({ type: 'cohere', base_url: `${url}/v2` }),
  key: 'co-test',
  model: 'command-a-03-2025',
  path: '/v2/chat',
  checkAuth: ({ headers }) => expect(headers.authorization).toBe('Bearer co-test'),
  read,
  answer: ({ text, calls = [], finish = 'stop' }) => ({
    id: 'c14c80c3-18eb-4519-9460-6c92edd8cfb4',
    finish_reason: finishReasons[finish],
    message: {
      role: 'assistant',
      ...(text === undefined ? {} : { content: [{ type: 'text', text }] }),
      ...(calls.length === 0
        ? {}
        : {
            tool_plan: 'I will look it up.',
            tool_calls: calls.map(({ id, name, input }) => ({
              id,
              type: 'function',
              function: { name, arguments: JSON.stringify(input) },
            })),
          }),
    },
    usage: {
      billed_units: { input_tokens: 3, output_tokens: usage.output },
      tokens: { input_tokens: usage.input, output_tokens: usage.output },
    },
  }),
  errors: {
    throttled: {
      ...error(
        429,
        'You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use it.',
      ),
      verdict: 'rate_limited/http_429',
    },
    internal: {
      ...error(500, 'internal server error, this has been reported.'),
      verdict: 'transient/http_500',
    },
    unavailable: { ...error(503, 'upstream connect error: overloaded'), verdict: 'overloaded/overloaded' },
    'bad key': { ...error(401, 'invalid api token'), verdict: 'bad_credentials/http_401' },
    'unknown model': {
      ...error(
        404,
        "model 'command-x' not found, make sure the correct model ID was used and that you have access.",
      ),
      verdict: 'unknown_model/model_not_found',
    },
    'too long': {
      ...error(
        400,
        'too many tokens: total number of tokens in the prompt cannot exceed 128000 - received 150000.',
      ),
      verdict: 'too_long/prompt_too_long',
    },
  },
  idOf: id => id,
  finishes: ['stop', 'length', 'calls'],
  extras: [
    { body: { seed: 7 }, arrives: { seed: 7 } },
    {
      body: { presence_penalty: 0.5, frequency_penalty: 1 },
      arrives: { presence_penalty: 0.5, frequency_penalty: 1 },
    },
    {
      body: { response_format: { type: 'json_object' } },
      arrives: { response_format: { type: 'json_object' } },
    },
  ],
  lost: [
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    ['parallel_tool_calls', { parallel_tool_calls: false }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f', strict: true } }] }],
  ],
  takesPdf: false,
  byName: false,
}
