import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { ask, post, startSim } from './provider-fixture.ts'

/** The data of the events of a stream, parsed where they are JSON. */
const eventsOf = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter(event => event !== '')
    .map(event => {
      const data = event.replace(/^event: .*\n/, '').replace(/^data: /, '')
      return data === '[DONE]' ? data : JSON.parse(data)
    })

const stream = async (path: string, more: object, model = 'm') => {
  const sim = await startSim({ now: () => 1_765_000_100_000 })
  return post(`${sim.url}${path}`, ask(model, 'hey you', { stream: true, ...more }))
}

const tools = [{ type: 'function', function: { name: 'look_up' } }]
const asked = [{ role: 'user', content: 'use [[tool]]' }]

describe('streams of the simulated provider', () => {
  test('a chat comes as chunks: the role, the text, the finish, the usage that was asked for, and [DONE]', async () => {
    const { status, headers, text } = await stream('/v1/chat/completions', {
      stream_options: { include_usage: true },
    })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('x-request-id')).toBe('req_sim1')
    const shared = {
      id: 'chatcmpl-sim1',
      object: 'chat.completion.chunk',
      created: 1_765_000_100,
      model: 'm',
    }
    const chunk = (delta: object, finish: string | null = null) => ({
      ...shared,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      usage: null,
    })
    expect(eventsOf(text)).toEqual([
      chunk({ role: 'assistant', content: '', refusal: null }),
      chunk({ content: 'echo' }),
      chunk({ content: ': he' }),
      chunk({ content: 'y yo' }),
      chunk({ content: 'u' }),
      chunk({}, 'stop'),
      { ...shared, choices: [], usage: expect.objectContaining({ completion_tokens: 4 }) },
      '[DONE]',
    ])
  })

  test('no usage is told to a chat that does not ask for it', async () => {
    const { text } = await stream('/v1/chat/completions', {})
    expect(text).not.toContain('usage')
  })

  test('a call of a tool comes with its name first, and then its arguments in pieces', async () => {
    const { text } = await stream('/v1/chat/completions', { tools, messages: asked })
    const deltas = eventsOf(text).flatMap(event => {
      const { choices = [] } = event as { choices?: { delta: object }[] }
      return choices.map(({ delta }) => delta)
    })
    expect(deltas).toEqual([
      { role: 'assistant', content: null, refusal: null },
      {
        tool_calls: [
          { index: 0, id: 'call_sim1', type: 'function', function: { name: 'look_up', arguments: '' } },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '}' } }] },
      {},
    ])
  })

  test('a message comes as the events that Anthropic names, with a ping', async () => {
    const { text } = await stream('/v1/messages', {})
    const names = [...text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name)
    expect(names).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      ...Array(4).fill('content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(eventsOf(text).map(event => (event as { type: string }).type)).toEqual(names)
    expect(eventsOf(text).at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 4 },
    })
  })

  test('a response comes numbered, and holds the whole answer in its last event', async () => {
    const sim = await startSim({ now: () => 0 })
    const more = { input: 'hey' }
    const whole = JSON.parse((await post(`${sim.url}/v1/responses`, ask('m', 'hey', more))).text)
    sim.reset()
    const { text } = await post(`${sim.url}/v1/responses`, ask('m', 'hey', { ...more, stream: true }))
    const events = eventsOf(text) as { type: string; sequence_number: number; response?: unknown }[]
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()])
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      ...Array(3).fill('response.output_text.delta'),
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      output: [{ content: [{ text: 'echo: hey' }] }],
      usage: { output_tokens: whole.usage.output_tokens },
    })
  })

  test('official clients put the streams together to the answers that they get without', async () => {
    const sim = await startSim()
    const openai = new OpenAI({ apiKey: 'k', baseURL: `${sim.url}/v1`, maxRetries: 0 })
    const anthropic = new Anthropic({ apiKey: 'k', baseURL: sim.url, maxRetries: 0 })
    const messages = [{ role: 'user' as const, content: 'grüße 👋🏽 from far' }]
    const chat = await openai.chat.completions.stream({ model: 'm', messages }).finalChatCompletion()
    expect(chat.choices[0]?.message.content).toBe('echo: grüße 👋🏽 from far')
    const called = await openai.chat.completions
      .stream({
        model: 'm',
        messages: [{ role: 'user', content: '[[tool]]' }],
        tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      })
      .finalChatCompletion()
    expect(called.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'f', arguments: '{}' },
    })
    const response = await openai.responses.stream({ model: 'm', input: 'hello' }).finalResponse()
    expect(response.output_text).toBe('echo: hello')
    const message = await anthropic.messages.stream({ model: 'c', max_tokens: 9, messages }).finalMessage()
    expect(message).toMatchObject({
      content: [{ text: 'echo: grüße 👋🏽 from far' }],
      stop_reason: 'end_turn',
    })
    const pieces: string[] = []
    for await (const chunk of await openai.completions.create({ model: 'm', prompt: 'hi', stream: true }))
      pieces.push(chunk.choices[0]?.text ?? '')
    expect(pieces).toEqual(['echo', ': hi', ''])
  })

  test('a behaviour sets the number of tokens, and the pace of streams', async () => {
    const behaviour = { stream: { tokens: 5, firstTokenMs: 40, tokenGapMs: 10 } }
    const sim = await startSim({ behaviour })
    const startedMs = performance.now()
    const { text } = await post(`${sim.url}/v1/messages`, ask('m', 'hi', { stream: true }))
    expect(performance.now() - startedMs).toBeGreaterThan(40 + 4 * 10 - 5) // timers may fire a little early
    expect(text.match(/text_delta/g)).toHaveLength(5)
    expect(text).toContain('"output_tokens":5,')
    const plain = JSON.parse((await post(`${sim.url}/v1/messages`, ask('m'))).text)
    expect(plain.content[0].text).toBe('echo: hi tok tok tok')
  })

  test.each(['fail-429', 'fail-500', 'overloaded', 'fail-401', 'context-too-long'])(
    '%s is the same answer to a stream as to a plain call',
    async script => {
      const sim = await startSim()
      const plain = await post(`${sim.url}/v1/messages`, ask(script))
      sim.reset()
      const streamed = await post(`${sim.url}/v1/messages`, ask(script, 'hi', { stream: true }))
      expect(streamed.status).toBe(plain.status)
      expect(JSON.parse(streamed.text).error).toEqual(JSON.parse(plain.text).error)
    },
  )
})
