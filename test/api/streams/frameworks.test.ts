import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { ChatOpenAI } from '@langchain/openai'
import { streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let api: BatonApi

beforeAll(async () => {
  first = createSimProvider()
  second = createSimProvider()
  await Promise.all([first.start(), second.start()])
  const provider = (sim: SimProvider, type: string) => ({
    ...{ type, base_url: `${sim.url}/v1`, api_key: 'k', retries: 0 },
    stream: { first_token_timeout: '1s' },
  })
  const broken = ['fail-500', 'stream-stall', 'stream-error-after-role']
  api = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: provider(first, 'openai'),
        second: provider(second, 'openai'),
        claude: provider(second, 'anthropic'),
      },
      models: {
        'gpt-4': { provider: 'first' },
        good: { provider: 'second', upstream_model: 'gpt-4' },
        claude: { provider: 'claude' },
        ...Object.fromEntries(broken.map(name => [name, { provider: 'first', fallback_to: 'good' }])),
        'reset-mid-body': { provider: 'first', fallback_to: 'good' },
      },
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await Promise.all([first?.stop(), second?.stop()])
})

const models = ['gpt-4', 'fail-500', 'stream-stall', 'stream-error-after-role']

describe("Vercel's AI SDK", () => {
  const openai = () => createOpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k' })

  it.each(models)('streams the text of a chat: %s', async model => {
    const { textStream, finishReason } = streamText({
      model: openai().chat(model),
      prompt: 'hi',
      maxRetries: 0,
    })
    let text = ''
    for await (const piece of textStream) text += piece
    expect(text).not.toBe('')
    expect(await finishReason).toBe('stop')
  })

  it('streams responses and messages', async () => {
    const anthropic = createAnthropic({ baseURL: `${api.url}/v1`, apiKey: 'k' })
    for (const model of [openai().responses('gpt-4'), anthropic('claude')]) {
      const result = streamText({ model, prompt: 'hi', maxRetries: 0 })
      expect(await result.text).not.toBe('')
      expect(await result.finishReason).toBe('stop')
    }
  })

  it('tells of a stream that breaks off', async () => {
    const errors: unknown[] = []
    const result = streamText({
      ...{ model: openai().chat('reset-mid-body'), prompt: 'hi', maxRetries: 0 },
      onError: ({ error }) => void errors.push(error),
    })
    for await (const _ of result.textStream);
    expect(errors).toHaveLength(1)
  })
})

describe('an agent with a tool', () => {
  const prompt = 'the time, please [[tool]]'
  const parameters = { type: 'object' } as const

  it.each(['gpt-4', 'fail-500'])('gets to its answer by streams of chats: %s', async model => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
    const question = { role: 'user', content: prompt } as const
    const tools = [{ type: 'function', function: { name: 'now', parameters } } as const]
    const asked = openai.chat.completions.stream({ model, tools, messages: [question] })
    const [first] = (await asked.finalChatCompletion()).choices
    expect(first).toMatchObject({ finish_reason: 'tool_calls' })
    const [call] = first!.message.tool_calls!
    expect(call).toMatchObject({ type: 'function', function: { name: 'now' } })
    if (call?.type !== 'function') throw new Error('no call of a function')
    expect(JSON.parse(call.function.arguments)).toBeTypeOf('object')
    const result = { role: 'tool', tool_call_id: call.id, content: 'noon' } as const
    const last = openai.chat.completions.stream({ model, messages: [question, first!.message, result] })
    expect(await last.finalContent()).not.toBe('')
  })

  it('gets to its answer by streams of messages', async () => {
    const anthropic = new Anthropic({ baseURL: api.url, apiKey: 'k', maxRetries: 0 })
    const tools = [{ name: 'now', input_schema: parameters }]
    const ask = (messages: Anthropic.MessageParam[]) =>
      anthropic.messages.stream({ model: 'claude', max_tokens: 100, tools, messages }).finalMessage()
    const question: Anthropic.MessageParam = { role: 'user', content: prompt }
    const first = await ask([question])
    expect(first.stop_reason).toBe('tool_use')
    const call = first.content.find(block => block.type === 'tool_use')!
    const result = { type: 'tool_result', tool_use_id: call.id, content: 'noon' } as const
    const last = await ask([
      question,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [result] },
    ])
    expect(last.stop_reason).toBe('end_turn')
  })
})

describe('LangChain', () => {
  const chat = (model: string) =>
    new ChatOpenAI({ model, apiKey: 'k', maxRetries: 0, configuration: { baseURL: `${api.url}/v1` } })

  it.each(models)('streams a chat: %s', async model => {
    let text = ''
    for await (const chunk of await chat(model).stream('hi')) text += chunk.text
    expect(text).not.toBe('')
  })

  it('raises where a stream breaks off', async () => {
    const read = async (): Promise<void> => {
      for await (const _ of await chat('reset-mid-body').stream('hi'));
    }
    await expect(read()).rejects.toThrow(/broke off/)
  })
})
