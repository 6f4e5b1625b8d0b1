import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let api: BatonApi
let openai: OpenAI

beforeAll(async () => {
  first = createSimProvider({ journal: true })
  second = createSimProvider({ journal: true })
  await Promise.all([first.start(), second.start()])
  const provider = (sim: SimProvider, type: string) => ({
    ...{ type, base_url: `${sim.url}/v1`, api_key: 'k' },
  })
  api = await openBaton({
    level: 'api',
    config: {
      providers: { first: provider(first, 'openai'), second: provider(second, 'anthropic') },
      models: {
        'gpt-4': { provider: 'first' },
        cached: { provider: 'first', cache: { ttl: '1m' } },
        mirrored: { provider: 'first', mirror: { to: 'translated', sample: 1 } },
        'fail-500': { provider: 'first', fallback_to: 'translated' },
        translated: { provider: 'second', upstream_model: 'claude', max_output_tokens: 100 },
      },
    },
  })
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
})

afterAll(async () => {
  await api?.stop()
  await Promise.all([first?.stop(), second?.stop()])
})

const messages = [{ role: 'user' as const, content: 'hi' }]

const chat = async (model: string, more: { stream_options?: { include_usage: boolean } } = {}) => {
  const stream = await openai.chat.completions.create({ model, stream: true, messages, ...more })
  let text = ''
  let usage: OpenAI.CompletionUsage | null = null
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  return { text, usage }
}

describe('a stream', () => {
  it('of responses has the events of the official client, and its helper the whole response', async () => {
    const stream = openai.responses.stream({ model: 'gpt-4', input: 'hi' })
    const types: string[] = []
    stream.on('event', event => types.push(event.type))
    const response = await stream.finalResponse()
    expect(response).toMatchObject({ object: 'response', status: 'completed' })
    expect(types[0]).toBe('response.created')
    expect(types.at(-1)).toBe('response.completed')
    expect(response.output_text).not.toBe('')
  })

  it('of completions comes as text', async () => {
    const stream = await openai.completions.create({ model: 'gpt-4', prompt: 'hi', stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? ''
    expect(text).not.toBe('')
  })

  it('tells what was used to a client that asks for it, and to no other', async () => {
    expect((await chat('gpt-4')).usage).toBeNull()
    const { usage } = await chat('gpt-4', { stream_options: { include_usage: true } })
    expect(usage).toMatchObject({ completion_tokens: expect.any(Number) })
  })

  it('goes on at a provider of another format, translated', async () => {
    const runner = openai.chat.completions.stream({ model: 'fail-500', messages })
    const completion = await runner.finalChatCompletion()
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop' })
    expect(completion.choices[0]!.message.content).not.toBe('')
  })

  it('is answered from the cache, whether the answer was streamed before or not', async () => {
    const { text } = await chat('cached')
    const calls = first.calls.calls
    expect((await chat('cached')).text).toBe(text)
    const whole = await openai.chat.completions.create({ model: 'cached', messages })
    expect(whole.choices[0]!.message.content).toBe(text)
    expect(first.calls.calls).toBe(calls)
  })

  it('is mirrored like any request: the mirror is asked for the answer alone', async () => {
    const calls = second.calls.calls
    await chat('mirrored')
    await until(() => second.calls.calls > calls)
    await until(async () => {
      const response = await fetch(`${api.url}/v1/mirrors`)
      const { data } = (await response.json()) as { data: { compared?: number; samples?: number }[] }
      return JSON.stringify(data).includes('"compared":1')
    })
  })

  it('of a job that was submitted without a connection has the same answer as the job', async () => {
    const response = await fetch(`${api.url}/v1/jobs`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ body: { model: 'gpt-4', stream: true, messages } }),
    })
    expect(response.status).toBe(202)
    const { id } = (await response.json()) as { id: string }
    const record = await api.ended(id)
    const stream = await (await fetch(`${api.url}/v1/jobs/${id}/stream`)).text()
    const content = JSON.parse(record.response!.body).choices[0].message.content
    const pieces = stream.matchAll(/"content":"([^"]*)"/g).toArray()
    expect(pieces.map(([, piece]) => piece).join('')).toBe(content)
  })
})
