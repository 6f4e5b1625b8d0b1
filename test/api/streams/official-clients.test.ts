import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type Baton, type BatonApi, openBaton } from '../../support/open-baton.ts'

/** Streams that break on the way, and a provider behind them that answers. */
const failing = [
  'fail-500',
  'fail-429',
  'stream-stall',
  'stream-reset',
  'stream-error-first',
  'stream-error-after-role',
  'stream-json-error',
  'stream-no-body',
]

describe.each(['in one process', 'across processes'])('streams %s', where => {
  let first: SimProvider
  let second: SimProvider
  let claude: SimProvider
  let api: BatonApi
  let workers: Baton | null = null
  let openai: OpenAI
  let anthropic: Anthropic

  beforeAll(async () => {
    first = createSimProvider({ format: 'openai' })
    second = createSimProvider({ format: 'openai' })
    claude = createSimProvider({ format: 'anthropic' })
    await Promise.all([first, second, claude].map(sim => sim.start()))
    const provider = (sim: SimProvider, type: string) => ({
      ...{ type, base_url: `${sim.url}/v1`, api_key: 'k', retries: 0 },
      stream: { first_token_timeout: '1s', idle_timeout: '1s' },
    })
    const models = Object.fromEntries(
      [
        ...failing,
        'gpt-4',
        'stream-error-midway',
        'reset-mid-body',
        'stream-stall-midway',
        'stream-no-done',
        'stream-crlf',
      ].map(name => [name, { provider: 'first', fallback_to: 'good' }]),
    )
    const config = {
      providers: {
        first: provider(first, 'openai'),
        second: provider(second, 'openai'),
        claude: provider(claude, 'anthropic'),
      },
      models: {
        ...models,
        good: { provider: 'second', upstream_model: 'gpt-4' },
        claude: { provider: 'claude' },
      },
    }
    if (where === 'across processes') {
      workers = await openBaton({ level: 'workers', config })
      api = await openBaton({ level: 'api', config, workers: [], prefix: workers.prefix })
    } else api = await openBaton({ level: 'api', config })
    openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
    anthropic = new Anthropic({ baseURL: api.url, apiKey: 'k', maxRetries: 0 })
  })

  afterAll(async () => {
    await api?.stop()
    await workers?.stop()
    await Promise.all([first, second, claude].map(sim => sim?.stop()))
  })

  const chat = async (model: string) => {
    const { data: stream, response } = await openai.chat.completions
      .create({ model, stream: true, messages: [{ role: 'user', content: 'hi' }] })
      .withResponse()
    let text = ''
    let finish: string | null = null
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    return { text, finish, id: response.headers.get('x-baton-job-id')! }
  }

  it('brings a chat to the official client, and the job has the same answer', async () => {
    const { text, finish, id } = await chat('gpt-4')
    expect(text).not.toBe('')
    expect(finish).toBe('stop')
    const job = await api.ended(id)
    expect(job).toMatchObject({ status: 'succeeded', usage: { output_tokens: expect.any(Number) } })
    expect(JSON.parse(job.response!.body)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    })
  })

  it.each(failing)('goes on at the second provider where the first one meets %s', async model => {
    const { text, finish, id } = await chat(model)
    expect(text).not.toBe('')
    expect(finish).toBe('stop')
    expect(await api.ended(id)).toMatchObject({ status: 'succeeded', target: { provider: 'second' } })
  })

  it.each(['stream-error-midway', 'reset-mid-body', 'stream-stall-midway'])(
    'ends with one error where the first provider meets %s after its first content',
    async model => {
      const calls = second.calls.calls
      await expect(chat(model)).rejects.toThrow(/broke off/)
      expect(second.calls.calls).toBe(calls)
    },
  )

  it.each(['stream-no-done', 'stream-crlf'])('is whole where the provider ends with %s', async model => {
    expect(await chat(model)).toMatchObject({ finish: 'stop' })
  })

  it('brings messages to the official client', async () => {
    const stream = anthropic.messages.stream({
      ...{ model: 'claude', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] },
    })
    let text = ''
    stream.on('text', piece => {
      text += piece
    })
    const message = await stream.finalMessage()
    expect(message.stop_reason).toBe('end_turn')
    expect(message.content).toMatchObject([{ type: 'text', text }])
    expect(text).not.toBe('')
  })
})
