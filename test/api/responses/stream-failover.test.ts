import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { streaming } from '../../contract/providers/vendors/streaming-apis.ts'
import { type Spoken, streamAnthropic } from '../../contract/providers/vendors/streams.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { openVendor, type Vendor } from '../../support/vendors.ts'

let first: Vendor
let claude: Vendor
let baton: BatonApi
let openai: OpenAI
beforeAll(async () => {
  const broken = answering(500, { error: { type: 'server_error', message: 'broken' } })
  ;[first, claude] = await Promise.all([openVendor(broken), openVendor(broken)])
  const common = { retries: 0, breaker: { min_calls: 10_000, consecutive_failures: 10_000 }, api_key: 'k' }
  baton = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: { ...common, type: 'openai', base_url: `${first.url}/v1` },
        claude: { ...common, type: 'anthropic', base_url: claude.url },
      },
      models: {
        gpt: { provider: 'first', fallback_to: 'claude' },
        claude: { provider: 'claude', upstream_model: 'claude-sonnet-4-5' },
      },
    },
  })
  openai = new OpenAI({ apiKey: 'k', baseURL: `${baton.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.close(), claude.close()])
})
beforeEach(() => {
  first.answers(answering(500, { error: { type: 'server_error', message: 'broken' } }))
  for (const vendor of [first, claude]) vendor.forget()
})

type Event = OpenAI.Responses.ResponseStreamEvent

const says = (said: Spoken): void => claude.answers(streaming('text/event-stream', streamAnthropic(said)))

const all = async (stream: AsyncIterable<Event>): Promise<Event[]> => {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}
const numbersOf = (events: readonly { sequence_number: number }[]) =>
  events.map(({ sequence_number }) => sequence_number)
const counted = (events: readonly unknown[]) => events.map((_, number) => number)

const tools = [
  {
    ...{ type: 'function' as const, name: 'weather', strict: false },
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
]
const asked = { model: 'gpt', input: 'the weather in Bonn?' }
const calls = [{ id: 'toolu_1', name: 'weather', input: { city: 'Bonn' } }]

describe("OpenAI's client that streams Responses, whose provider is broken", () => {
  it.each([
    ['while it waits', {}],
    ['in the background', { background: true }],
  ])('is answered by Claude %s', async (_, more) => {
    says({ text: 'rain, as ever' })
    const events = await all(await openai.responses.create({ ...asked, ...more, stream: true }))
    expect(numbersOf(events)).toEqual(counted(events))
    expect(events[0]).toMatchObject({ type: 'response.created' })
    const deltas = events.map(event => (event.type === 'response.output_text.delta' ? event.delta : ''))
    expect(deltas.join('')).toBe('rain, as ever')
    const last = events.at(-1)!
    if (last.type !== 'response.completed') throw new Error(last.type)
    const ids = events.flatMap(event => ('response' in event ? event.response.id : []))
    expect(new Set(ids)).toEqual(new Set([last.response.id]))
    expect(last.response).toMatchObject({
      ...{ status: 'completed', error: null, usage: { output_tokens: expect.any(Number) } },
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'rain, as ever' }] }],
    })
    expect([first.arrivals.length, claude.arrivals.length]).toEqual([1, 1])
  })

  it("has the helper's whole answer, and goes through a loop with a tool", async () => {
    says({ text: 'Let me see.', calls, finish: 'calls' })
    const stream = openai.responses.stream({ ...asked, tools })
    const pieces: string[] = []
    stream.on('response.function_call_arguments.delta', ({ delta }) => pieces.push(delta))
    const answer = await stream.finalResponse()
    const call = answer.output.find(item => item.type === 'function_call')!
    expect(call).toMatchObject({ name: 'weather', arguments: '{"city":"Bonn"}', status: 'completed' })
    expect(pieces.join('')).toBe('{"city":"Bonn"}')
    expect(answer.output_text).toBe('Let me see.')

    claude.forget()
    says({ text: 'It rains.' })
    const result = { type: 'function_call_output' as const, call_id: call.call_id, output: 'rain' }
    const input = [{ role: 'user' as const, content: asked.input }, ...answer.output, result]
    const told = openai.responses.stream({ ...asked, tools, input: input as OpenAI.Responses.ResponseInput })
    expect((await told.finalResponse()).output_text).toBe('It rains.')
    expect(JSON.parse(claude.arrivals[0]!.text).messages.at(-1)).toEqual({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'rain' }],
    })
  })
})

const theirs = { id: 'resp_first', object: 'response', created_at: 1, status: 'in_progress', output: [] }
const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'in_progress', content: [] }
const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const half = [
  { type: 'response.created', response: theirs },
  { type: 'response.in_progress', response: theirs },
  { type: 'response.output_item.added', output_index: 0, item },
  { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } },
  { type: 'response.output_text.delta', ...at, delta: 'rain, as ', logprobs: [] },
]
const halfText = half
  .map((event, number) => ({ ...event, sequence_number: number }))
  .map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('')

describe("OpenAI's client that streams Responses, whose provider breaks off after its first content", () => {
  it.each([
    ['while it waits', {}],
    ['in the background', { background: true }],
  ])('is told so under one id, and Claude is not asked, %s', async (_, more) => {
    first.answers((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(halfText, () => response.destroy())
    })
    const client = await openai.responses.create({ ...asked, ...more, stream: true })
    const seen: Event[] = []
    const reading = async () => {
      for await (const event of client) seen.push(event)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'stream_broken' })
    expect(seen.at(-1)).toMatchObject({ type: 'response.output_text.delta', delta: 'rain, as ' })

    const raw = await openai.responses.create({ ...asked, ...more, stream: true }).asResponse()
    const data = [...(await raw.text()).matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text!))
    const { id } = data[0].response
    expect(data.slice(-2)).toMatchObject([
      { type: 'error', code: 'stream_broken' },
      { type: 'response.failed', response: { id, status: 'failed', error: { code: 'stream_broken' } } },
    ])
    expect(numbersOf(data)).toEqual(counted(data))
    if ('background' in more) expect(id).not.toBe(theirs.id)
    expect(claude.arrivals).toEqual([])
  })
})
