import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { type Finish, type Seen, usage, type Vendor } from './vendor.ts'

interface Part {
  readonly type: string
  readonly text?: string
  readonly image_url?: string
  readonly document_url?: string
}

interface Message {
  readonly role: string
  readonly content?: string | readonly Part[]
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[]
}

/** What the API does not know it answers with 422 `extra_forbidden`. */
const known = new Set([
  'model',
  'messages',
  'max_tokens',
  'temperature',
  'top_p',
  'stop',
  'random_seed',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'presence_penalty',
  'frequency_penalty',
  'reasoning_effort',
])

const partOf = ({ text, image_url, document_url }: Part): string => {
  const url = image_url ?? document_url
  const [, type, data] = /^data:([^;]+);base64,(.*)$/.exec(url ?? '') ?? []
  return type ? `file ${type} ${data}` : (text ?? `file ${url}`)
}

const turnsOf = ({ role, content = '', tool_calls = [], tool_call_id }: Message): string[] => {
  if (role === 'tool') return [`tool: ${tool_call_id} ${content}`]
  const contents = typeof content === 'string' ? [content].filter(Boolean) : content.map(partOf)
  for (const { id } of tool_calls) expect(id, 'a-z, A-Z, 0-9, with a length of 9').toMatch(/^[a-zA-Z0-9]{9}$/)
  return [
    ...contents.map(text => `${role}: ${text}`),
    ...tool_calls.map(
      ({ id, function: { name, arguments: input } }) => `${role}: call ${name} ${input} as ${id}`,
    ),
  ]
}

const read = (body: Record<string, unknown>): Seen => {
  expect(
    Object.keys(body).filter(name => !known.has(name)),
    'extra_forbidden',
  ).toEqual([])
  const messages = body.messages as Message[]
  const tools = (body.tools ?? []) as { function: { name: string } }[]
  const choice = body.tool_choice as string | { function: { name: string } } | undefined
  const format = body.response_format as { json_schema?: { schema: unknown } } | undefined
  return {
    system:
      messages
        .filter(({ role }) => role === 'system')
        .map(({ content }) => content)
        .join('\n') || null,
    turns: messages.filter(({ role }) => role !== 'system').flatMap(turnsOf),
    tools: tools.map(tool => tool.function.name),
    choice:
      typeof choice === 'object' ? choice.function.name : choice === 'any' ? 'required' : (choice ?? null),
    schema: format?.json_schema?.schema,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stops: body.stop,
  }
}

const finishReasons: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  calls: 'tool_calls',
  filter: 'error',
}

const error = (status: number, message: unknown, type: string, code: string | null) => ({
  status,
  body: { object: 'error', message, type, param: null, code },
})

export const mistral: Vendor = {
  name: 'mistral',
  settings: url => ({ type: 'mistral', base_url: `${url}/v1` }),
  key: 'mi-test',
  model: 'mistral-large-latest',
  path: '/v1/chat/completions',
  checkAuth: ({ headers }) => expect(headers.authorization).toBe('Bearer mi-test'),
  read,
  answer: ({ text = '', calls = [], finish = 'stop' }) => ({
    id: 'cmpl-e5cc70bb28c444948073e77776eb30ef',
    object: 'chat.completion',
    created: 1_702_256_327,
    model: 'mistral-large-2411',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          tool_calls:
            calls.length === 0
              ? null
              : calls.map(({ id, name, input }) => ({
                  id,
                  function: { name, arguments: JSON.stringify(input) },
                })),
        },
        finish_reason: finishReasons[finish],
      },
    ],
    usage: {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
    },
  }),
  errors: {
    throttled: {
      ...error(429, 'Rate limit exceeded', 'rate_limited', '1300'),
      headers: { 'retry-after': '2' },
      verdict: 'rate_limited/rate_limited',
      retryAfterMs: 2_000,
    },
    internal: {
      ...error(500, 'Service unavailable.', 'internal_server_error', '1000'),
      verdict: 'transient/internal_server_error',
    },
    unavailable: {
      ...error(503, 'Service unavailable.', 'unreachable_backend', '1100'),
      verdict: 'transient/unreachable_backend',
    },
    'bad key': { status: 401, body: { detail: 'Unauthorized' }, verdict: 'bad_credentials/http_401' },
    'unknown model': {
      ...error(400, 'Invalid model: mistral-x', 'invalid_model', '1500'),
      verdict: 'unknown_model/invalid_model',
    },
    'too long': {
      ...error(
        400,
        'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
        'invalid_request_error',
        '3051',
      ),
      verdict: 'too_long/prompt_too_long',
    },
  },
  idOf: id => (id.length === 9 ? id : createHash('sha256').update(id).digest('hex').slice(0, 9)),
  finishes: ['stop', 'length', 'calls'],
  extras: [
    { body: { seed: 7 }, arrives: { random_seed: 7 } },
    {
      body: { presence_penalty: 0.5, frequency_penalty: -0.5 },
      arrives: { presence_penalty: 0.5, frequency_penalty: -0.5 },
    },
    {
      body: { parallel_tool_calls: false, tools: [{ type: 'function', function: { name: 'f' } }] },
      arrives: { parallel_tool_calls: false },
    },
  ],
  lost: [
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
  ],
  takesPdf: true,
  byName: false,
}
