import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyJsonObject, deepJson, fragileJson } from '../../json/any-json.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { chats, messages, responses, vendors } from './vendors/all.ts'

type Format = typeof chats | typeof messages | typeof responses

/** What a tool's input is in an API: an object, or a string that spells it. */
type Shape = 'object' | 'string'

interface Api {
  readonly name: string
  readonly shape: Shape
  readonly from: readonly Format[]
  settings(url: string): Record<string, unknown> | Promise<Record<string, unknown>>
  readonly key: string | null
  readonly model: string
  /** An answer that calls a tool; the input has the value that stands for any text. */
  readonly answer: object
}

const stand = { standing: 'for another text' }
const call = { id: 'abcDEF123', name: 'find' }

const openai: Api = {
  name: 'openai',
  shape: 'string',
  from: [messages],
  settings: url => ({ type: 'openai', base_url: `${url}/v1` }),
  key: 'k',
  model: 'gpt-4.1',
  answer: {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4.1',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: call.id, type: 'function', function: { name: 'find', arguments: JSON.stringify(stand) } },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  },
}
const compatible: Api = {
  ...openai,
  name: 'openai-compatible',
  from: [messages, responses],
  settings: url => ({ type: 'openai-compatible', base_url: `${url}/v1` }),
  model: 'llama',
}
const anthropic: Api = {
  name: 'anthropic',
  shape: 'object',
  from: [chats, responses],
  settings: url => ({ type: 'anthropic', base_url: url }),
  key: 'k',
  model: 'claude-sonnet-4-5',
  answer: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'tool_use', ...call, input: stand }],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 4 },
  },
}
const byTranslation = vendors.map(
  (vendor): Api => ({
    name: vendor.name,
    shape: ['cohere', 'mistral'].includes(vendor.name) ? 'string' : 'object',
    from: [chats, messages, responses],
    settings: url => vendor.settings(url),
    key: vendor.key,
    model: vendor.model,
    answer: vendor.answer({ calls: [{ ...call, input: stand }], finish: 'calls' }),
  }),
)
const apis = [openai, compatible, anthropic, ...byTranslation]
const pairs = apis.flatMap(api =>
  api.from.map(format => ({ api, format, pair: `${format} and ${api.name}` })),
)

const inShape = (input: string, shape: Shape): string => (shape === 'object' ? input : JSON.stringify(input))

const shapeOf = (format: Format): Shape => (format === messages ? 'object' : 'string')

const answerWith = (api: Api, input: string): string =>
  JSON.stringify(api.answer)
    .replace(JSON.stringify(JSON.stringify(stand)), () => JSON.stringify(input))
    .replace(JSON.stringify(stand), () => input)

const schema =
  '{"type":"object","properties":{"id":{"type":"integer","maximum":9223372036854775807,"default":1.0}}}'

/** A conversation in which a tool was called with this input, as a client writes it. */
const requests: Readonly<Record<Format, (input: string, more: string) => string>> = {
  [chats]: (input, more) =>
    `{"model":"m","tools":[{"type":"function","function":{"name":"find","parameters":${schema}}}],"messages":[` +
    `{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"${call.id}","type":"function",` +
    `"function":{"name":"find","arguments":${JSON.stringify(input)}}}]},` +
    `{"role":"tool","tool_call_id":"${call.id}","content":"found"}]${more}}`,
  [messages]: (input, more) =>
    `{"model":"m","max_tokens":99,"tools":[{"name":"find","input_schema":${schema}}],"messages":[` +
    `{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"${call.id}","name":"find",` +
    `"input":${input}}]},` +
    `{"role":"user","content":[{"type":"tool_result","tool_use_id":"${call.id}","content":"found"}]}]${more}}`,
  [responses]: (input, more) =>
    `{"model":"m","tools":[{"type":"function","name":"find","parameters":${schema}}],"input":[` +
    `{"role":"user","content":"hi"},{"type":"function_call","call_id":"${call.id}","name":"find",` +
    `"arguments":${JSON.stringify(input)}},` +
    `{"type":"function_call_output","call_id":"${call.id}","output":"found"}]${more}}`,
}

const requestWith = (format: Format, input: string, more = ''): string => requests[format](input, more)

const open = async (api: Api) => {
  let answer = answerWith(api, '{}')
  const upstream = await openUpstream((request, response) => answering(200, answer)(request, response))
  const provider = openProvider(await api.settings(upstream.url))
  return async (format: Format, body: string, nextAnswer = answer) => {
    answer = nextAnswer
    upstream.arrivals.length = 0
    const request = requestOf(format, body, { model: api.model, apiKey: api.key })
    const outcome = await provider.call(request)
    return { sent: upstream.arrivals.map(({ text }) => text), outcome }
  }
}

const expectAnswer = (outcome: object, format: Format, input: string): void => {
  expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
  const { text, json } = outcome as { text: string; json: unknown }
  expect(text).toContain(
    `"${format === messages ? 'input' : 'arguments'}":${inShape(input, shapeOf(format))}`,
  )
  expect(text).not.toContain('baton-')
  if (input.length < 10_000) expect(json).toEqual(JSON.parse(text))
}

const inputs = fragileJson.map(
  ([what, text]) => [what, text.startsWith('{') ? text : `{"a":${text}}`] as const,
)
const strange = [
  ['names that the SDK refuses', '{"__proto__":{"a":1},"constructor":{"prototype":{}}}'],
  ['what looks like a string of its own', '{"text":"{\\"id\\":1.0}"}'],
  ['nothing', '{}'],
] as const

describe('exact numbers in translated requests', () => {
  describe.each(pairs)('between $pair', ({ api, format }) => {
    test.each([...inputs, ...strange])(
      'the input of an earlier call stays as it is written: %s',
      async (_, input) => {
        const converse = await open(api)
        const { sent, outcome } = await converse(format, requestWith(format, input))
        expect(sent).toHaveLength(1)
        expect(sent[0]).toContain(inShape(input, api.shape))
        expect(sent[0]).not.toContain('baton-')
        expect(outcome).toMatchObject({ status: 200 })
      },
    )

    test.each([...inputs, ...strange])(
      'the input of a call stays as the model wrote it: %s',
      async (_, input) => {
        const converse = await open(api)
        const { outcome } = await converse(format, requestWith(format, '{}'), answerWith(api, input))
        expectAnswer(outcome, format, input)
      },
    )

    test('any input stays as it is, both ways', async () => {
      const converse = await open(api)
      await fc.assert(
        fc.asyncProperty(anyJsonObject, anyJsonObject, async (earlier, next) => {
          const { sent, outcome } = await converse(
            format,
            requestWith(format, earlier),
            answerWith(api, next),
          )
          expect(sent[0]).toContain(inShape(earlier, api.shape))
          expectAnswer(outcome, format, next)
        }),
        { numRuns: 25 },
      )
    })

    test('numbers of a schema stay as they are written', async () => {
      const converse = await open(api)
      const { sent } = await converse(format, requestWith(format, '{}'))
      expect(sent[0]).toContain('"maximum":9223372036854775807,"default":1.0')
    })

    test('a schema that is nested too deeply is refused in words, and not sent', async () => {
      const converse = await open(api)
      const body = requestWith(format, '{}').replace('"default":1.0', () => `"default":${deepJson(20_000)}`)
      const { sent, outcome } = await converse(format, body)
      expect(sent).toEqual([])
      expect(outcome).toMatchObject({ kind: 'answer', status: 400 })
      expect((outcome as { text: string }).text).toContain('nested too deeply')
    })
  })

  test('a format of the answer keeps the numbers of its schema', async () => {
    const format = `,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":${schema}}}`
    const converse = await open(apis.find(({ name }) => name === 'mistral')!)
    const { sent } = await converse(chats, requestWith(chats, '{}', format))
    expect(sent[0]?.match(/9223372036854775807/g)).toHaveLength(2)
  })
})
