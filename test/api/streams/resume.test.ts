import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'

const tokens = 60

let sim: SimProvider
let api: BatonApi
let other: BatonApi

beforeAll(async () => {
  sim = createSimProvider({ behaviour: { stream: { tokens, tokenGapMs: 10 } } })
  await sim.start()
  const config = {
    providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
    models: { 'gpt-4': { provider: 'first' }, 'fail-400': { provider: 'first' } },
    api_keys: [
      { key: 'a', tenant: 'a' },
      { key: 'b', tenant: 'b' },
    ],
    stream: { grace: '100ms' },
  }
  api = await openBaton({ level: 'api', config })
  other = await openBaton({ level: 'api', config, workers: [], prefix: api.prefix })
})

afterAll(async () => {
  await Promise.all([api?.stop(), other?.stop()])
  await sim?.stop()
})

const headers = (key = 'a', more: Record<string, string> = {}) => ({
  ...{ 'content-type': 'application/json', authorization: `Bearer ${key}` },
  ...more,
})

const post = (at: BatonApi, more: Record<string, string> = {}, init: RequestInit = {}, model = 'gpt-4') =>
  fetch(`${at.url}/v1/chat/completions`, {
    ...{ method: 'POST', headers: headers('a', more), ...init },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  })

const follow = (at: BatonApi, id: string, lastEventId?: string, key = 'a') =>
  fetch(`${at.url}/v1/jobs/${id}/stream`, {
    headers: headers(key, lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  })

/** Reads a stream to its end, or until it has so many characters. */
const read = async ({ body }: Response, most = Number.POSITIVE_INFINITY): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body!) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length >= most) break
  }
  return text
}

const idOf = (response: Response): string => response.headers.get('x-baton-job-id')!
const withoutIds = (text: string): string => text.replace(/^id: .*\n/gm, '').replace(/^:.*\n\n/gm, '')
/** Whole events only, and the id of the last one. */
const wholeOf = (text: string): { text: string; last: string } => {
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
  return { text: whole, last: /^id: (.*)$/gm[Symbol.matchAll](whole).toArray().at(-1)![1]! }
}

describe('the stream of a job', () => {
  it('is read by another process while it runs, and again after its end, to the byte', async () => {
    const response = await post(api)
    const [asked, followed] = await Promise.all([read(response), read(await follow(other, idOf(response)))])
    expect(withoutIds(followed)).toBe(asked)
    expect(withoutIds(await read(await follow(api, idOf(response))))).toBe(asked)
    expect(asked.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('goes on at the next byte for a reader that is cut off again and again, at either process', async () => {
    const response = await post(api)
    const whole = read(response)
    let got = ''
    let last: string | undefined
    for (let cut = 0; !got.endsWith('data: [DONE]\n\n'); cut++) {
      const part = wholeOf(await read(await follow(cut % 2 === 0 ? other : api, idOf(response), last), 700))
      got += part.text
      last = part.last
    }
    expect(withoutIds(got)).toBe(await whole)
    expect((await follow(other, idOf(response), last)).status).toBe(204)
  })

  it('is joined from its beginning by the same Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'one' }
    const first = await post(api, key)
    const [one, two] = await Promise.all([
      read(first),
      post(other, key).then(async r => [idOf(r), await read(r)]),
    ])
    expect(two).toEqual([idOf(first), one])
    expect(await read(await post(other, key))).toBe(one)
  })

  it('is not told to another tenant', async () => {
    const response = await post(api)
    expect((await follow(other, idOf(response), undefined, 'b')).status).toBe(404)
    await read(response)
  })

  it('is the answer itself where the log is gone, and an error for a reader that has a part', async () => {
    const response = await post(api)
    const asked = await read(response)
    const id = idOf(response)
    const { log } = (await api.context.store.read(id))!
    await api.context.redis.del(api.context.keys.log(id, log!.run))
    const again = await read(await follow(other, id))
    const textOf = (stream: string): string =>
      stream
        .matchAll(/"content":"([^"]*)"/g)
        .toArray()
        .map(([, piece]) => piece)
        .join('')
    expect(textOf(again)).toBe(textOf(asked))
    const rest = await read(await follow(other, id, `${log!.run}.100`))
    expect(rest).toContain('"code":"stream_broken"')
    expect(rest.match(/^data: /gm)).toHaveLength(2)
  })

  it('of a job that has none is refused, and so is the id of another stream', async () => {
    const plain = await api.chat('gpt-4', { tenant: 'a' })
    expect((await follow(api, plain)).status).toBe(404)
    const response = await post(api)
    expect((await follow(api, idOf(response), 'nonsense')).status).toBe(400)
    await read(response)
  })

  it('is made again when its job is submitted again', async () => {
    const id = idOf(await post(api, {}, {}, 'fail-400'))
    const retried = await fetch(`${api.url}/v1/jobs/${id}/retry`, { method: 'POST', headers: headers() })
    const again = ((await retried.json()) as { id: string }).id
    expect(await api.context.store.read(again)).toMatchObject({ isStreamed: true, retryOf: id })
    await api.ended(again)
  })

  it('is not begun by HEAD', async () => {
    const response = await post(api)
    const url = `${other.url}/v1/jobs/${idOf(response)}/stream`
    const head = await fetch(url, { method: 'HEAD', headers: headers() })
    expect(head.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const { redis, keys } = api.context
    expect(await redis.hget(keys.record(idOf(response)), 'stream')).toBe(api.parts.instance)
    await read(response)
  })

  it('that fails before its first content is a plain error with its status', async () => {
    const response = await post(api, {}, {}, 'fail-400')
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toMatch(/json/)
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } })
  })
})

describe('the last reader of a stream', () => {
  it.each([
    ['in the process of the worker', () => api],
    ['in another process', () => other],
  ])('that leaves %s has its call dropped after the grace', async (_, at) => {
    const leaving = new AbortController()
    const response = await post(at(), {}, { signal: leaving.signal })
    await read(response, 100)
    leaving.abort()
    await until(async () => (await api.context.store.read(idOf(response)))!.status === 'cancelled')
    await until(() => sim.calls.inFlight === 0)
  })

  it('that leaves with an Idempotency-Key can come back: the call goes on', async () => {
    const leaving = new AbortController()
    const response = await post(api, { 'idempotency-key': 'left' }, { signal: leaving.signal })
    await read(response, 100)
    leaving.abort()
    expect(await api.ended(idOf(response))).toMatchObject({ status: 'succeeded' })
  })
})
