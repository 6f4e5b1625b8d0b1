import type { RequestListener, ServerResponse } from 'node:http'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { jobOfResponse } from '../../../src/redis/keys.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { answers, openVendor, type Vendor } from '../../support/vendors.ts'

let first: Vendor
let second: Vendor
let api: BatonApi
let openai: OpenAI
beforeAll(async () => {
  const broken = answering(500, { error: { type: 'server_error', message: 'broken' } })
  ;[first, second] = await Promise.all([openVendor(broken), openVendor(broken)])
  const common = { type: 'openai', retries: 0, api_key: 'k' }
  const breaker = { min_calls: 10_000, consecutive_failures: 10_000 }
  api = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: { ...common, breaker, base_url: `${first.url}/v1` },
        second: { ...common, breaker, base_url: `${second.url}/v1` },
      },
      models: { gpt: { provider: 'first', fallback_to: 'gpt-2' }, 'gpt-2': { provider: 'second' } },
    },
  })
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'k', maxRetries: 0 })
})
afterAll(async () => {
  await api.stop()
  await Promise.all([first.close(), second.close()])
})

interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly response?: { readonly id: string; readonly status: string }
}

/** A provider that waits with its answer until it is told to go on, and says what it is told to. */
const held = () => {
  const asked = Promise.withResolvers<ServerResponse>()
  const respond: RequestListener = (_request, response) => asked.resolve(response)
  return { respond, asked: asked.promise }
}

const theirs = 'resp_of_the_provider'
const whole = { ...answers.response(theirs), background: false }
const begun = { ...whole, status: 'in_progress', output: [], usage: null }
const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const item = whole.output[0]!
/** Numbered from 10, as no reader may see it. */
const events: readonly object[] = [
  { type: 'response.created', response: begun },
  { type: 'response.in_progress', response: begun },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
  { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } },
  { type: 'response.output_text.delta', ...at, delta: 'h', logprobs: [] },
  { type: 'response.output_text.delta', ...at, delta: 'o', logprobs: [] },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: whole },
]
const contentAt = 5
const send = (response: ServerResponse, from: number, to: number): void => {
  if (from === 0) response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let number = from; number < to; number++) {
    const event = { sequence_number: 10 + number, ...events[number] } as Event
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
}

const asked = { model: 'gpt', input: 'hi', instructions: 'be brief', background: true } as const

/** As it comes: the official client throws where an error is told. */
const post = () =>
  fetch(`${api.url}/v1/responses`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ ...asked, stream: true }),
  })
const follow = (id: string, after: number) =>
  fetch(`${api.url}/v1/responses/${id}?stream=true&starting_after=${after}`)

const eventsIn = (text: string): Event[] =>
  [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!))

/** A reader: what it has had so far, and all of it once the stream has ended. */
const reader = (response: Response) => {
  let text = ''
  const read = async (): Promise<readonly Event[]> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) text += decoder.decode(chunk, { stream: true })
    return eventsIn(text)
  }
  return { seen: () => eventsIn(text), all: read() }
}

const typesOf = (list: readonly Event[]) => list.map(({ type }) => type)
const beginning = ['response.created', 'response.queued', 'response.in_progress']

beforeEach(() => {
  first.answers(answering(500, { error: { type: 'server_error', message: 'broken' } }))
})

describe('a streamed response in the background', () => {
  it('is told to be queued and in progress before its provider has said a word, to each reader', async () => {
    const { respond, asked: called } = held()
    second.answers(respond)
    const one = reader(await post())
    await until(() => one.seen().length === 3)
    const { id } = one.seen()[0]!.response!
    expect(one.seen()).toMatchObject([
      { type: 'response.created', sequence_number: 0, response: { status: 'queued' } },
      { type: 'response.queued', sequence_number: 1, response: { status: 'queued' } },
      { type: 'response.in_progress', sequence_number: 2, response: { status: 'in_progress' } },
    ])
    for (const { response } of one.seen()) {
      expect(response).toMatchObject({
        ...{ id, object: 'response', background: true, model: 'gpt', output: [], error: null },
        instructions: 'be brief',
      })
    }
    const others = await Promise.all([-1, 0, 1, 2].map(async after => reader(await follow(id, after))))
    await until(() => others[0]!.seen().length === 3)
    send(await called, 0, events.length)
    ;(await called).end()
    const all = await one.all
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual(all.map((_, number) => number))
    expect(typesOf(all)).toEqual([...beginning, ...(events.slice(2) as Event[]).map(({ type }) => type)])
    for (const [after, other] of others.entries()) expect(await other.all).toEqual(all.slice(after))
    for (let after = -1; after < all.length; after++) {
      expect(await reader(await follow(id, after)).all).toEqual(all.slice(after + 1))
    }
    expect(JSON.stringify(all)).not.toContain(theirs)
  })

  it('ends with an error and as failed, under its own id, where its provider breaks off', async () => {
    const { respond, asked: called } = held()
    second.answers(respond)
    const one = reader(await post())
    send(await called, 0, contentAt)
    await until(() => typesOf(one.seen()).includes('response.output_text.delta'))
    ;(await called).destroy()
    const all = await one.all
    const { id } = all[0]!.response!
    expect(typesOf(all).slice(-3)).toEqual(['response.output_text.delta', 'error', 'response.failed'])
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual(all.map((_, number) => number))
    expect(all.at(-1)).toMatchObject({
      response: { id, status: 'failed', background: true, error: { code: 'stream_broken' } },
    })
    expect(JSON.stringify(all)).not.toContain(theirs)
    for (let after = -1; after < all.length; after++) {
      expect(await reader(await follow(id, after)).all).toEqual(all.slice(after + 1))
    }
  })

  it('ends as failed where no provider has answered, with the same number for each reader', async () => {
    const { respond, asked: called } = held()
    second.answers(respond)
    const one = reader(await post())
    await until(() => one.seen().length === 3)
    const refusal = { error: { type: 'invalid_request_error', message: 'no' } }
    ;(await called).writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refusal))
    const all = await one.all
    const { id } = all[0]!.response!
    expect(typesOf(all)).toEqual([...beginning, 'response.failed'])
    expect(all.at(-1)).toMatchObject({ sequence_number: 3, response: { id, status: 'failed' } })
    for (let after = -1; after < 4; after++) {
      expect(await reader(await follow(id, after)).all).toEqual(all.slice(after + 1))
    }
  })

  it('is the end alone, with a number after all that came, where its log is lost', async () => {
    second.answers((_request, response) => {
      send(response, 0, events.length)
      response.end()
    })
    const all = await reader(await post()).all
    const { id } = all[0]!.response!
    const { store, redis, keys } = api.context
    const { log } = (await store.read(jobOfResponse(id)))!
    await redis.del(keys.log(jobOfResponse(id), log!.run))
    const rest = await reader(await follow(id, 5)).all
    expect(rest).toMatchObject([
      { type: 'response.completed', sequence_number: 6, response: { id, status: 'completed' } },
    ])
    const anew = await reader(await follow(id, -1)).all
    expect(typesOf(anew)).toEqual([...beginning, 'response.completed'])
  })

  it('has the whole stream of an answer that came without one', async () => {
    second.answers(answering(200, whole))
    const all = await reader(await post()).all
    const { id } = all[0]!.response!
    expect(typesOf(all)).toEqual([
      ...beginning,
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    for (let after = -1; after < all.length; after++) {
      expect(await reader(await follow(id, after)).all).toEqual(all.slice(after + 1))
    }
    expect((await openai.responses.retrieve(id)).output_text).toBe('ho')
  })

  it('has its request when its stream has ended', async () => {
    second.answers((_request, response) => {
      send(response, 0, events.length)
      response.end()
    })
    const [first] = await reader(await post()).all
    expect((await openai.responses.inputItems.list(first!.response!.id)).data).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    ])
  })
})
