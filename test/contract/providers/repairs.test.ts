import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { message } from './translated-chat.ts'
import { completion, completionOf } from './translated-messages.ts'
import { vendors } from './vendors/all.ts'

const chats = '/v1/chat/completions'
const messages = '/v1/messages'
const user = { role: 'user', content: 'hi' }

interface Target {
  readonly type: string
  readonly model: string
  readonly reply?: object
  readonly reasons?: boolean
}

const exchange = async ({ type, model, reply, reasons }: Target, endpoint: Endpoint, body: object) => {
  const vendor = vendors.find(({ name }) => name === type)
  const upstream = await openUpstream(
    answering(200, reply ?? vendor?.answer({ text: '4' }) ?? (type === 'anthropic' ? message : completion)),
  )
  const settings = vendor
    ? await vendor.settings(upstream.url)
    : { type, base_url: type === 'anthropic' ? upstream.url : `${upstream.url}/v1` }
  const provider = openProvider(settings, reasons)
  const full = {
    model: 'route',
    messages: [user],
    ...(endpoint === messages ? { max_tokens: 99 } : {}),
    ...body,
  }
  const outcome = await provider.call(requestOf(endpoint, full, { model, apiKey: vendor?.key ?? 'k' }))
  expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
  const sent = JSON.parse(upstream.arrivals[0]!.text)
  return { sent, seen: vendor?.read(sent), json: outcome.kind === 'answer' ? (outcome.json as never) : null }
}

const claude = { type: 'anthropic', model: 'claude-sonnet-4-5' }
const gpt = { type: 'openai', model: 'gpt-4o' }
const mistral = { type: 'mistral', model: 'mistral-medium-latest' }
const bedrock = { type: 'bedrock', model: 'amazon.nova-pro-v1:0' }
const cohere = { type: 'cohere', model: 'command-a' }
const google = { type: 'google', model: 'gemini-2.5-flash' }

const chatCall = (id: string, name = 'f', input = '{}') => ({
  id,
  type: 'function',
  function: { name, arguments: input },
})
const chatTool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })

describe('repaired requests', () => {
  describe('ids of tool calls', () => {
    const long = `chatcmpl-tool-${'a'.repeat(37)}`
    const chatTurns = (...ids: string[]) => ({
      tools: [chatTool('f')],
      messages: [
        user,
        ...ids.flatMap(id => [
          { role: 'assistant', content: null, tool_calls: [chatCall(id)] },
          { role: 'tool', tool_call_id: id, content: '1' },
        ]),
      ],
    })
    const blockTurns = (...ids: string[]) => ({
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      messages: [
        user,
        ...ids.flatMap(id => [
          { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '1' }] },
        ]),
      ],
    })
    /** Every id that arrives, in order: of a call, of its result, of the next call. */
    const idsIn = (sent: object): string[] =>
      [...JSON.stringify(sent).matchAll(/"(?:id|tool_call_id|tool_use_id|toolUseId)":"([^"]*)"/g)].map(
        ([, id]) => id!,
      )

    test.each([
      [claude, chats, /^[\w-]{1,64}$/],
      [gpt, messages, /^.{1,40}$/],
      [{ type: 'openai-compatible', model: 'm' }, messages, /^.{1,40}$/],
      [mistral, chats, /^[a-zA-Z0-9]{9}$/],
      [mistral, messages, /^[a-zA-Z0-9]{9}$/],
      [bedrock, chats, /^[\w-]{1,64}$/],
      [{ type: 'bedrock', model: 'mistral.mistral-large-2407-v1:0' }, messages, /^[a-zA-Z0-9]{9}$/],
    ] as const)('fit %o for %s, one for each call and its result', async (target, endpoint, pattern) => {
      const awkward = ['f.x:0', 'f.x:1', 'f/x:0', long, `${'x'.repeat(300)}`, 'again', 'again']
      const turns = endpoint === chats ? chatTurns(...awkward) : blockTurns(...awkward)
      const first = idsIn((await exchange(target, endpoint, turns)).sent)
      expect(first).toHaveLength(2 * awkward.length)
      for (const id of first) expect(id).toMatch(pattern)
      const calls = first.filter((_, i) => i % 2 === 0)
      expect(first.filter((_, i) => i % 2 === 1)).toEqual(calls)
      expect(new Set(calls).size).toBe(awkward.length)
      expect(idsIn((await exchange(target, endpoint, turns)).sent)).toEqual(first)
    })
  })

  describe('names of tools', () => {
    const awkward = ['mcp.server/find it', `${'long_'.repeat(30)}a`, `${'long_'.repeat(30)}b`, '2nd-search']
    const namesIn = (sent: object): string[] => [
      ...new Set([...JSON.stringify(sent).matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name!)),
    ]

    test.each([
      [claude, /^[\w-]{1,128}$/],
      [mistral, /^[\w-]{1,64}$/],
      [bedrock, /^[\w-]{1,64}$/],
      [cohere, /^[a-zA-Z_]\w{0,63}$/],
      [google, /^[a-zA-Z_][\w.:-]{0,63}$/],
    ])('fit %o, in tools, choice and earlier turns, and come back in the answer', async (target, pattern) => {
      const body = {
        tools: awkward.map(chatTool),
        messages: [
          user,
          { role: 'assistant', content: null, tool_calls: [chatCall('c1', awkward[1], '{"q":1}')] },
          { role: 'tool', tool_call_id: 'c1', content: '1' },
        ],
      }
      const { sent } = await exchange(target, chats, body)
      const names = namesIn(sent)
      expect(names).toHaveLength(awkward.length)
      for (const name of names) expect(name).toMatch(pattern)

      const vendor = vendors.find(({ name }) => name === target.type)
      const calls = names.map((name, i) => ({ id: `c${i}`, name, input: { q: i } }))
      const reply = vendor?.answer({ calls, finish: 'calls' }) ?? {
        ...message,
        content: calls.map(call => ({ type: 'tool_use', ...call })),
        stop_reason: 'tool_use',
      }
      const { json } = await exchange({ ...target, reply }, chats, body)
      const [choice] = (json as unknown as { choices: [{ message: { tool_calls: (typeof chatCall)[] } }] })
        .choices
      expect(namesIn(choice).toSorted()).toEqual(awkward.toSorted())
    })

    test.each([gpt, { type: 'openai-compatible', model: 'm' }])(
      'of Anthropic clients fit %o',
      async target => {
        const name = 'n'.repeat(128)
        const body = {
          tools: [{ name, input_schema: { type: 'object' } }],
          tool_choice: { type: 'tool', name },
        }
        const { sent } = await exchange(target, messages, body)
        const made: string = sent.tools[0].function.name
        expect(made).toMatch(/^[\w-]{1,64}$/)
        expect(sent.tool_choice).toEqual({ type: 'function', function: { name: made } })
        const reply = completionOf({ content: null, tool_calls: [chatCall('c', made)] }, 'tool_calls')
        const { json } = await exchange({ ...target, reply }, messages, body)
        expect(json).toMatchObject({ content: [{ type: 'tool_use', name }] })
      },
    )
  })

  describe('media types', () => {
    const jpeg = '/9j/4AAQ'
    test.each([
      [`data:image/jpg;base64,${jpeg}`, 'image/jpeg'],
      [`data:IMAGE/JPEG;charset=utf-8;base64,${jpeg}`, 'image/jpeg'],
      [`data:image/png;base64,${jpeg}`, 'image/jpeg'],
      ['data:image/pjpeg;base64,aGk=', 'image/jpeg'],
      ['data:application/octet-stream;base64,iVBORw0KGgo=', 'image/png'],
      ['data:image/jpeg;base64,UklGRv////9XRUJQVlA4IA==', 'image/webp'],
    ])('%s is an image of type %s', async (url, media_type) => {
      const content = [{ type: 'image_url', image_url: { url } }]
      const { sent } = await exchange(claude, chats, { messages: [{ role: 'user', content }] })
      expect(sent.messages[0].content[0].source).toMatchObject({ type: 'base64', media_type })
    })

    test.each([
      'data:image/svg+xml;base64,aGk=',
      'data:image/png,raw',
      'data:text/plain;base64,aGk=',
      'no address',
    ])('%s keeps a target out', url => {
      const provider = openProvider({ type: 'anthropic', base_url: 'http://127.0.0.1:1' })
      const content = [{ type: 'image_url', image_url: { url } }]
      const { excluded } = provider.carriage(chats, 'claude', { messages: [{ role: 'user', content }] })
      expect(excluded).toEqual(['messages.content.image_url.image_url'])
    })

    test('of Anthropic clients are put right, too', async () => {
      const source = { type: 'base64', media_type: 'image/jpg', data: jpeg }
      const content = [{ type: 'image', source }]
      const { sent } = await exchange(gpt, messages, { messages: [{ role: 'user', content }] })
      expect(sent.messages[0].content[0].image_url.url).toBe(`data:image/jpeg;base64,${jpeg}`)
    })
  })

  test.each([
    ['', {}],
    ['{"a":1}', { a: 1 }],
    ['{"a": "cut of', { invalid_arguments: '{"a": "cut of' }],
    ['"{\\"a\\":1}"', { a: 1 }],
    ['[1]', { value: [1] }],
    ['null', { value: null }],
  ])('arguments %s of an earlier turn are an object', async (text, input) => {
    const turn = { role: 'assistant', content: null, tool_calls: [chatCall('c', 'f', text)] }
    const { sent } = await exchange(claude, chats, {
      tools: [chatTool('f')],
      messages: [user, turn, { role: 'tool', tool_call_id: 'c', content: '1' }],
    })
    expect(sent.messages[1].content[0].input).toEqual(input)
  })

  test.each([claude, bedrock])('texts without words are not sent to %o, which refuses them', async target => {
    const { sent } = await exchange(target, chats, {
      tools: [chatTool('f')],
      messages: [
        { role: 'system', content: ' ' },
        {
          role: 'user',
          content: [
            { type: 'text', text: '\n' },
            { type: 'text', text: 'hi' },
          ],
        },
        { role: 'assistant', content: ' ', tool_calls: [chatCall('c')] },
        { role: 'tool', tool_call_id: 'c', content: '' },
        { role: 'user', content: '' },
      ],
    })
    expect(JSON.stringify(sent)).not.toMatch(/"(?:text|content)":"\s*(?:\\n)?"/)
    expect(sent.system ?? []).toEqual([])
  })

  describe('reasoning of earlier turns', () => {
    const tools = [{ name: 'f', input_schema: { type: 'object' } }]
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: '1' }] }
    const toolUse = { type: 'tool_use', id: 'c', name: 'f', input: {} }

    test('goes back to an OpenAI-compatible model that thinks with tools, and never to Anthropic unsigned', async () => {
      const deepseek = { type: 'openai-compatible', model: 'deepseek-chat' }
      const said = completionOf(
        { content: null, reasoning_content: 'hm', tool_calls: [chatCall('c')] },
        'tool_calls',
      )
      const { json } = await exchange({ ...deepseek, reply: said }, messages, { tools })
      const { content } = json as unknown as { content: object[] }
      expect(content).toMatchObject([
        { type: 'thinking', thinking: 'hm', signature: 'baton-unsigned' },
        toolUse,
      ])
      const turns = { tools, messages: [user, { role: 'assistant', content }, result] }
      const { sent } = await exchange(deepseek, messages, turns)
      expect(sent.messages[1]).toMatchObject({ reasoning_content: 'hm', tool_calls: [chatCall('c')] })

      const toClaude = await exchange(claude, messages, turns)
      expect(toClaude.sent.messages[1].content).toMatchObject([toolUse])
    })

    test('is kept from models that are said not to think, and from turns without tools', async () => {
      const thought = { type: 'thinking', thinking: 'hm', signature: 's' }
      const turns = { tools, messages: [user, { role: 'assistant', content: [thought, toolUse] }, result] }
      const plain = { type: 'openai-compatible', model: 'llama', reasons: false }
      expect(JSON.stringify((await exchange(plain, messages, turns)).sent)).not.toContain('hm')
      const without = [user, { role: 'assistant', content: [thought, { type: 'text', text: 'a' }] }, user]
      const { sent } = await exchange({ ...plain, reasons: true }, messages, { messages: without })
      expect(JSON.stringify(sent)).not.toContain('hm')
    })

    test('of Claude goes back to Claude alone, signed as it was', async () => {
      const blocks = [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'zzz' },
      ]
      const reply = { ...message, content: [...blocks, toolUse], stop_reason: 'tool_use' }
      const asked = { tools: [chatTool('f')], reasoning_effort: 'low', max_tokens: 10_000 }
      const { json } = await exchange({ ...claude, reply }, chats, asked)
      const [{ message: turn }] = (json as unknown as { choices: [{ message: object }] }).choices
      expect(turn).toMatchObject({ reasoning_content: 'hm', thinking_blocks: blocks })
      const turns = { ...asked, messages: [user, turn, { role: 'tool', tool_call_id: 'c', content: '1' }] }
      expect((await exchange(claude, chats, turns)).sent.messages[1].content).toMatchObject([
        ...blocks,
        toolUse,
      ])
      const onBedrock = { type: 'bedrock', model: 'anthropic.claude-sonnet-4-5-v1:0' }
      expect(JSON.stringify((await exchange(onBedrock, chats, turns)).sent)).toContain('"signature":"sig"')
      const { sent } = await exchange(cohere, chats, { ...turns, reasoning_effort: undefined })
      expect(JSON.stringify(sent)).not.toMatch(/hm|sig|zzz/)
    })

    test('the signature of a call by Gemini comes back to it', async () => {
      const vendor = vendors.find(({ name }) => name === 'google')!
      const answer = vendor.answer({ calls: [{ id: 'c', name: 'f', input: {} }], finish: 'calls' })
      const reply = JSON.parse(
        JSON.stringify(answer).replace('"functionCall":', '"thoughtSignature":"sig","functionCall":'),
      )
      const gemini = { type: 'google', model: 'gemini-3-pro-preview' }
      const { json } = await exchange({ ...gemini, reply }, chats, { tools: [chatTool('f')] })
      const [{ message: turn }] = (
        json as unknown as { choices: [{ message: { tool_calls: [{ id: string }] } }] }
      ).choices
      const answered = { role: 'tool', tool_call_id: turn.tool_calls[0].id, content: '1' }
      const { sent } = await exchange(gemini, chats, {
        tools: [chatTool('f')],
        messages: [user, turn, answered],
      })
      expect(JSON.stringify(sent)).toContain('"thoughtSignature":"sig"')
    })
  })

  test.each([
    ['a deployment that is said to think', true, { max_completion_tokens: 99 }, 'max_tokens'],
    ['one that is said not to', false, { max_tokens: 99 }, 'max_completion_tokens'],
  ])('%s is asked so, whatever it is called', async (_, reasons, arrives, never) => {
    const model = reasons ? 'house-model' : 'gpt-5-like'
    const { sent } = await exchange({ type: 'openai', model, reasons }, messages, {})
    expect(sent).toMatchObject(arrives)
    expect(sent).not.toHaveProperty(never)
    const provider = openProvider(
      { type: 'azure', api_key: 'sk-test', base_url: 'http://127.0.0.1:1' },
      reasons,
    )
    const body = { max_tokens: 5, temperature: 0.5, messages: [user] }
    expect(provider.carriage(messages, model, body).adjustments).toEqual(
      reasons ? [{ field: 'temperature', action: 'left_out' }] : [],
    )
  })
})
