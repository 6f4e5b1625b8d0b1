import { describe, expect, test } from 'vitest'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { callTurn, chats, converse, messages, openVendor, resultTurn, vendors } from './vendors/all.ts'
import { bedrock } from './vendors/bedrock.ts'
import { google } from './vendors/gemini.ts'
import { mistral } from './vendors/mistral.ts'

const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
}
const first = { id: 'call_A.1', name: 'find', input: { q: 1 } }
const second = { id: 'call_B.2', name: 'look', input: {} }
const tool = (name: string) => ({
  type: 'function',
  function: { name, description: 'd', parameters: { type: 'object', properties: { q: {} } } },
})
const chatCall = ({ id, name, input }: typeof first | typeof second) => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input) },
})
const user = { role: 'user', content: 'hi' }
const png = 'iVBORw0KGgo='

describe('requests in the formats of vendors', () => {
  describe.each(vendors)('$name', vendor => {
    describe('is given of a chat completion', () => {
      test('the text, the model and whose call it is', async () => {
        const { seen, arrivals, outcome } = await converse(vendor, chats, {})
        expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
        expect(arrivals.map(({ path }) => path)).toEqual([vendor.path])
        vendor.checkAuth(arrivals[0]!)
        expect(seen).toMatchObject({ system: null, turns: ['user: hi'], tools: [], maxTokens: undefined })
      })

      test('instructions, wherever they stand, and every turn', async () => {
        const { seen } = await converse(vendor, chats, {
          messages: [
            { role: 'system', content: 'be brief' },
            user,
            { role: 'assistant', content: 'hello' },
            { role: 'developer', content: 'be kind' },
            { role: 'user', content: [{ type: 'text', text: 'again' }] },
          ],
        })
        expect(seen?.system).toBe('be brief\nbe kind')
        expect(seen?.turns).toEqual(['user: hi', 'assistant: hello', 'user: again'])
      })

      test('limits, sampling and stop sequences', async () => {
        const { seen } = await converse(vendor, chats, {
          max_tokens: 7,
          temperature: 0.5,
          top_p: 0.5,
          stop: ['END'],
        })
        expect(seen).toMatchObject({ maxTokens: 7, temperature: 0.5, topP: 0.5, stops: ['END'] })
      })

      test('tools, and which of them to use', async () => {
        const tools = [tool('find'), tool('look')]
        const any = await converse(vendor, chats, { tools, tool_choice: 'required' })
        expect(any.seen).toMatchObject({ tools: ['find', 'look'], choice: 'required' })
        const one = await converse(vendor, chats, {
          tools,
          tool_choice: { type: 'function', function: { name: 'look' } },
        })
        expect(one.seen?.tools).toContain('look')
        // Some have no word for one tool of several, and are given that one alone.
        expect(one.seen?.choice === 'look' || one.seen?.tools.join()).toSatisfy(
          x => x === true || x === 'look',
        )
      })

      test('several tool calls, what was said beside them, and their results', async () => {
        const { seen } = await converse(vendor, chats, {
          tools: [tool('find'), tool('look')],
          messages: [
            user,
            { role: 'assistant', content: 'let me see', tool_calls: [first, second].map(chatCall) },
            { role: 'tool', tool_call_id: first.id, content: 'found' },
            { role: 'tool', tool_call_id: second.id, content: 'seen' },
            { role: 'user', content: 'so?' },
          ],
        })
        expect(seen?.turns).toEqual([
          'user: hi',
          'assistant: let me see',
          callTurn(vendor, first),
          callTurn(vendor, second),
          resultTurn(vendor, first, 'found'),
          resultTurn(vendor, second, 'seen'),
          'user: so?',
        ])
      })

      test('an image that stands in the request', async () => {
        const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }
        const { seen } = await converse(vendor, chats, { messages: [{ role: 'user', content: [image] }] })
        expect(seen?.turns).toEqual([`user: file image/png ${png}`])
      })

      test('a PDF, or it is left out of the chain', async () => {
        const file = { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' }
        const body = { messages: [{ role: 'user', content: [{ type: 'file', file }] }] }
        if (vendor.takesPdf) {
          expect((await converse(vendor, chats, body)).seen?.turns).toEqual([
            'user: file application/pdf JVBERi0=',
          ])
        } else expect(await lostBy(body)).toEqual(['messages.content.file.file'])
      })

      test('a JSON schema', async () => {
        const { seen } = await converse(vendor, chats, {
          response_format: { type: 'json_schema', json_schema: { name: 'shape', strict: true, schema } },
        })
        expect(seen?.schema).toEqual(schema)
      })

      test.each(vendor.extras)('$body', async ({ body, arrives }) => {
        expect(await lostBy(body)).toEqual([])
        const { sent, outcome } = await converse(vendor, chats, body)
        expect(outcome).toMatchObject({ status: 200 })
        expect(sent).toMatchObject(arrives)
      })
    })

    const lostBy = async (body: object) => {
      const provider = openProvider(await vendor.settings('http://127.0.0.1:1'))
      return provider.carriage(chats, 'm', { model: 'm', messages: [], ...body }).excluded
    }

    test.each(vendor.lost)('cannot be given %s', async (name, body) => {
      expect(await lostBy(body)).toEqual([name])
    })

    test('a neutral penalty asks for nothing', async () => {
      const body = { presence_penalty: 0, frequency_penalty: 0, n: 1, logprobs: false }
      expect(await lostBy(body)).toEqual([])
      expect((await converse(vendor, chats, body)).outcome).toMatchObject({ status: 200 })
    })

    describe('is given of a messages request', () => {
      test('the text, the instructions and the limit', async () => {
        const { seen, arrivals } = await converse(vendor, messages, { system: 'be brief' })
        expect(arrivals.map(({ path }) => path)).toEqual([vendor.path])
        vendor.checkAuth(arrivals[0]!)
        expect(seen).toMatchObject({ system: 'be brief', turns: ['user: hi'], maxTokens: 99 })
      })

      test('tool calls, their results and images', async () => {
        const { seen } = await converse(vendor, messages, {
          tools: [{ name: 'find', input_schema: { type: 'object' } }],
          messages: [
            user,
            { role: 'assistant', content: [{ type: 'tool_use', ...first }] },
            {
              role: 'user',
              content: [
                { type: 'tool_result', tool_use_id: first.id, content: 'found' },
                { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
                { type: 'text', text: 'so?' },
              ],
            },
          ],
        })
        expect(seen?.turns).toEqual([
          'user: hi',
          callTurn(vendor, first),
          resultTurn(vendor, first, 'found'),
          `user: file image/png ${png}`,
          'user: so?',
        ])
        expect(seen?.tools).toEqual(['find'])
      })
    })
  })

  /** Not things of the vendor but of a model. */
  test.each([
    [google, 'gemini-2.5-flash', 'presence_penalty', { presence_penalty: 0.5 }],
    [google, 'gemini-2.0-flash', 'reasoning_effort', { reasoning_effort: 'low' }],
    [bedrock, 'amazon.nova-pro-v1:0', 'reasoning_effort', { reasoning_effort: 'high' }],
    [bedrock, 'openai.gpt-oss-20b-1:0', 'stop', { stop: ['END'] }],
    [bedrock, 'amazon.nova-pro-v1:0', 'parallel_tool_calls', { parallel_tool_calls: false }],
    [mistral, 'codestral-latest', 'reasoning_effort', { reasoning_effort: 'high' }],
  ] as const)('what a model has no place for is not sent at all: %#', async (vendor, model, name, body) => {
    const { outcome, arrivals } = await converse({ ...vendor, model }, chats, body)
    expect(outcome).toMatchObject({ status: 400, json: { error: { code: 'untranslatable' } } })
    expect(outcome.kind === 'answer' && outcome.text).toContain(`"${name} cannot be translated`)
    expect(arrivals).toEqual([])
  })

  test('a Claude on Bedrock is told to call one tool at a time', async () => {
    const claude = { ...bedrock, model: 'anthropic.claude-sonnet-4-20250514-v1:0' }
    const body = { parallel_tool_calls: false, tools: [tool('find')] }
    const { sent } = await converse(claude, chats, body)
    expect(sent).toMatchObject({
      additionalModelRequestFields: { tool_choice: { disable_parallel_tool_use: true } },
    })
  })

  test.each([
    ['https://example.test/a.PNG?x=1', 'image/png'],
    ['https://example.test/b.jpg', 'image/jpeg'],
  ])('Gemini is told what kind of image stands at %s', async (url, type) => {
    const content = [{ type: 'image_url', image_url: { url } }]
    const { seen } = await converse(google, chats, { messages: [{ role: 'user', content }] })
    expect(seen?.turns).toEqual([`user: file ${type} ${url}`])
  })

  test('Gemini is not sent the address of an image of an unknown kind', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://example.test/image?id=1' } }]
    const provider = openProvider({ type: 'google', base_url: 'http://127.0.0.1:1' })
    const { excluded } = provider.carriage(chats, 'm', { model: 'm', messages: [{ role: 'user', content }] })
    expect(excluded).toEqual(['messages.content.image_url.image_url'])
  })

  test.each([
    [google, '/v1beta/openai/embeddings'],
    [mistral, '/v1/embeddings'],
  ] as const)('embeddings pass through: %#', async (vendor, path) => {
    const upstream = await openUpstream(answering(200, { data: [{ embedding: [1] }] }))
    const text = '{ "model" : "upstream-model", "input":["a"] }'
    const provider = await openVendor(vendor, upstream)
    await provider.call(requestOf('/v1/embeddings', text, { apiKey: vendor.key }))
    expect(upstream.arrivals).toMatchObject([
      { path, text, headers: { authorization: `Bearer ${vendor.key}` } },
    ])
  })
})
