import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobOfResponse } from '../../../src/redis/keys.ts'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'

let sim: SimProvider
let api: BatonApi
let openai: OpenAI
beforeAll(async () => {
  sim = createSimProvider({ format: 'openai' })
  await sim.start()
  const provider = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', retries: 0 }
  const models = Object.fromEntries(['gpt-4', 'fail-400'].map(name => [name, { provider: 'sim' }]))
  api = await openBaton({ level: 'api', config: { providers: { sim: provider }, models } })
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
})
afterAll(async () => {
  await api.stop()
  await sim.stop()
})

type Event = OpenAI.Responses.ResponseStreamEvent

const all = async (stream: AsyncIterable<Event>): Promise<Event[]> => {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}
const textIn = (events: readonly Event[]): string =>
  events.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')

const asked = { model: 'gpt-4', input: 'hello there', background: true } as const

describe('a response in the background that is streamed, with the official client', () => {
  it('comes as events under the id that it can be read by', async () => {
    const events = await all(await openai.responses.create({ ...asked, stream: true }))
    const last = events.at(-1)!
    if (last.type !== 'response.completed') throw new Error(last.type)
    const { id } = last.response
    expect(id).toMatch(/^resp_[0-9a-hjkmnp-tv-z]{26}$/)
    for (const event of events) {
      if ('response' in event) expect(event.response).toMatchObject({ id, background: true })
    }
    const read = await openai.responses.retrieve(id)
    expect(read).toMatchObject({ id, status: 'completed', output_text: textIn(events) })
    expect(textIn(events)).not.toBe('')
  })

  it('goes on behind any event, and loses and doubles none', async () => {
    const events = await all(await openai.responses.create({ ...asked, stream: true }))
    const first = events.find(event => event.type === 'response.created')!
    const { id } = (first as { response: { id: string } }).response
    for (const after of [0, 3, events.length - 2]) {
      const rest = await all(await openai.responses.retrieve(id, { stream: true, starting_after: after }))
      expect(rest).toEqual(events.filter(({ sequence_number }) => sequence_number > after))
    }
    expect(await all(await openai.responses.retrieve(id, { stream: true }))).toEqual(events)
  })

  it('is the last event alone where the stream is not kept, or was never asked for', async () => {
    const { id } = await openai.responses.create(asked)
    await api.ended(jobOfResponse(id))
    const rest = await all(await openai.responses.retrieve(id, { stream: true, starting_after: 4 }))
    expect(rest).toMatchObject([
      { type: 'response.completed', sequence_number: 5, response: { id, status: 'completed' } },
    ])
  })

  it('says that it failed to who comes back for its stream', async () => {
    const { id } = await openai.responses.create({ ...asked, model: 'fail-400' })
    await api.ended(jobOfResponse(id))
    const rest = await all(await openai.responses.retrieve(id, { stream: true }))
    expect(rest).toMatchObject([
      { type: 'response.created', sequence_number: 0, response: { id, status: 'queued' } },
      { type: 'response.queued', sequence_number: 1, response: { id, status: 'queued' } },
      { type: 'response.in_progress', sequence_number: 2, response: { id, status: 'in_progress' } },
      { type: 'response.failed', sequence_number: 3, response: { id, status: 'failed' } },
    ])
  })
})
