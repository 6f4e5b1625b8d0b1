import type { RequestListener } from 'node:http'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { jobOfResponse } from '../../../src/redis/keys.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { answers, openVendor, type Vendor } from '../../support/vendors.ts'

let vendor: Vendor
let api: BatonApi
let openai: OpenAI
/** As OpenAI repeats it, in the answer and in events. */
const echoing: RequestListener = (_request, response) => {
  const asked = JSON.parse(vendor.arrivals.at(-1)!.text)
  const whole = {
    ...answers.response('resp_theirs'),
    previous_response_id: asked.previous_response_id ?? null,
  }
  if (asked.stream !== true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole, null, 1))
    return
  }
  const begun = { ...whole, status: 'in_progress', output: [] }
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  const quoted = JSON.stringify(begun).slice(0, 400)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of [
    { type: 'response.created', response: begun },
    { type: 'response.output_text.delta', ...at, delta: quoted, logprobs: [] },
    { type: 'response.completed', response: whole },
  ])
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
}

let previous: string
beforeAll(async () => {
  vendor = await openVendor(echoing)
  api = await openBaton({
    level: 'api',
    config: {
      providers: { own: { type: 'openai', base_url: `${vendor.url}/v1`, api_key: 'k' } },
      models: { gpt: { provider: 'own' } },
    },
  })
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
  const { id } = await openai.responses.create({ model: 'gpt', input: 'hi', background: true })
  await api.ended(jobOfResponse(id))
  previous = id
})
afterAll(async () => {
  await api.stop()
  await vendor.close()
})
beforeEach(() => vendor.forget())

const asked = () => ({ model: 'gpt', input: 'and?', previous_response_id: previous })
const expectTheirs = () =>
  expect(vendor.arrivals.map(({ text }) => JSON.parse(text).previous_response_id)).toEqual(['resp_theirs'])

describe('a response that goes on from one in the background repeats its id as the client gave it', () => {
  it('while its client waits', async () => {
    const answer = await openai.responses.create(asked())
    expect(answer.previous_response_id).toBe(previous)
    expectTheirs()
  })

  it('in the background, from its beginning', async () => {
    const made = await openai.responses.create({ ...asked(), background: true })
    expect(made.previous_response_id).toBe(previous)
    await api.ended(jobOfResponse(made.id))
    expect((await openai.responses.retrieve(made.id)).previous_response_id).toBe(previous)
    expectTheirs()
  })

  it.each([
    ['in a stream', {}],
    ['in a stream in the background', { background: true }],
  ])('%s, and keeps what a model says', async (_, more) => {
    const stream = await openai.responses.create({ ...asked(), ...more, stream: true })
    const named: unknown[] = []
    let said = ''
    for await (const event of stream) {
      if ('response' in event) named.push(event.response.previous_response_id)
      if (event.type === 'response.output_text.delta') said += event.delta
    }
    expect(new Set(named)).toEqual(new Set([previous]))
    expect(said).toContain('"previous_response_id":"resp_theirs"')
    expectTheirs()
  })
})
