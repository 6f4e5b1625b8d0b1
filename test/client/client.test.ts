import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Baton, BatonError } from '../../src/client/client.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
let second: SimProvider
let api: BatonApi
let baton: Baton

beforeAll(async () => {
  sim = createSimProvider()
  second = createSimProvider()
  await Promise.all([sim.start(), second.start()])
  const provider = (type: string, { url }: SimProvider) => ({
    ...{ type, base_url: `${url}/v1`, api_key: 'k', retries: 0 },
    stream: { first_token_timeout: '5s', idle_timeout: '2s' },
  })
  const failing = ['fail-400', 'reset-mid-body', 'hang', 'slow-300ms', 'stream-packets', 'stream-crlf']
  api = await openBaton({
    level: 'api',
    batches: true,
    config: {
      providers: { first: provider('openai', sim), claude: provider('anthropic', second) },
      models: {
        'gpt-4': { provider: 'first' },
        claude: { provider: 'claude' },
        ...Object.fromEntries(failing.map(name => [name, { provider: 'first' }])),
      },
      api_keys: [{ key: 'right', tenant: 'a' }],
    },
  })
  baton = new Baton({ baseUrl: `${api.url}/`, apiKey: 'right', patienceMs: 10_000 })
})

afterAll(async () => {
  await api?.stop()
  await Promise.all([sim?.stop(), second?.stop()])
})

const chat = (content = 'hi', model = 'gpt-4') => ({ model, messages: [{ role: 'user', content }] })

/** What an async iterable yields, all of it. */
const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const read: Item[] = []
  for await (const item of items) read.push(item)
  return read
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    error => (error instanceof BatonError ? error.code : error),
  )

describe('jobs', () => {
  it('are submitted, waited for and read', async () => {
    const job = await baton.submit(chat(), {
      metadata: { n: '1' },
      completion_window: '5m',
      priority: 'high',
    })
    expect(job).toMatchObject({ status: 'queued', metadata: { n: '1' }, priority: 'high' })
    const ended = await baton.wait(job.id)
    expect(ended).toMatchObject({ id: job.id, status: 'succeeded', response: { status_code: 200 } })
    expect(await baton.jobs.get(job.id)).toEqual(ended)
  })

  it('are the same job for the same key', async () => {
    const [one, two] = [0, 1].map(() => baton.submit(chat(), { idempotencyKey: 'invoice-17' }))
    expect((await one)!.id).toBe((await two)!.id)
  })

  it('are cancelled, and submitted again', async () => {
    const { id } = await baton.submit(chat('hi', 'hang'))
    expect(await baton.jobs.cancel(id)).toMatchObject({ id, status: 'cancelled' })
    expect(await baton.wait(id)).toMatchObject({ status: 'cancelled' })
    const again = await baton.jobs.retry(id)
    expect(again).toMatchObject({ retry_of: id })
    await baton.jobs.cancel(again.id)
  })

  it('are listed page by page, by what is asked for', async () => {
    const submitted = await Promise.all(
      [1, 2, 3, 4, 5].map(() => baton.submit(chat(), { metadata: { run: 'list' } })),
    )
    const listed = await all(baton.jobs.list({ metadata: { run: 'list' }, limit: 2 }))
    expect(listed.map(({ id }) => id).toSorted()).toEqual(submitted.map(({ id }) => id).toSorted())
  })

  it('are refused with a code, a status and what is at fault', async () => {
    const error = await baton.submit(chat('hi', 'gpt-9')).catch(error => error)
    expect(error).toBeInstanceOf(BatonError)
    expect(error).toMatchObject({ code: 'unknown_model', status: 404, requestId: expect.stringMatching(/./) })
    expect(await codeOf(baton.jobs.get('job_01k3v8x2p5q7r9s1t3v5w7x9y0'))).toBe('job_not_found')
    const stranger = new Baton({ baseUrl: `${api.url}/v1`, apiKey: 'wrong' })
    expect(await codeOf(stranger.submit(chat()))).toBe('invalid_api_key')
  })

  it('are left by a signal, at once', async () => {
    const { id } = await baton.submit(chat('hi', 'hang'))
    const reason = new Error('enough')
    const gone = new AbortController()
    const waiting = baton.wait(id, { signal: gone.signal })
    gone.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await baton.jobs.cancel(id)
  })
})

describe('where nobody answers', () => {
  it('says so when its patience is over', async () => {
    const nobody = new Baton({ baseUrl: 'http://127.0.0.1:9', patienceMs: 300 })
    expect(await codeOf(nobody.submit(chat()))).toBe('no_answer')
  })

  it('says so where something else answers', async () => {
    const other = new Baton({ baseUrl: `${sim.url}/nothing`, patienceMs: 0 })
    expect(await codeOf(other.jobs.get('job_1'))).not.toBe('none')
  })
})

describe('streams', () => {
  it.each([
    ['chats', chat(), undefined],
    ['chats that come in small packets', chat('hi', 'stream-packets'), undefined],
    ['chats with other line ends', chat('hi', 'stream-crlf'), undefined],
    ['messages', { ...chat('hi', 'claude'), max_tokens: 50 }, '/v1/messages' as const],
    ['responses', { model: 'gpt-4', input: 'hi' }, '/v1/responses' as const],
  ])('bring the text of %s', async (_what, body, endpoint) => {
    let id = ''
    const events = await all(baton.stream(body, { ...(endpoint && { endpoint }), onJob: job => (id = job) }))
    const text = events.map(event => event.text).join('')
    expect(text).not.toBe('')
    const { response } = await baton.wait(id)
    expect(JSON.stringify(response)).toContain(JSON.stringify(text).slice(1, -1))
    // Another reader, from the beginning and from the middle.
    expect((await all(baton.stream(id))).map(event => event.text).join('')).toBe(text)
    const { id: lastEventId } = events[1]!
    expect(await all(baton.stream(id, { lastEventId }))).toEqual(events.slice(2))
  })

  it('throw the one error, with the code of the failure', async () => {
    expect(await codeOf(all(baton.stream(chat('hi', 'reset-mid-body'))))).toBe('stream_broken')
    const refused = await all(baton.stream(chat('hi', 'fail-400'))).catch(error => error)
    expect(refused).toBeInstanceOf(BatonError)
    expect(refused).toMatchObject({ status: 400 })
  })

  it('are left by a signal', async () => {
    const gone = new AbortController()
    const reading = all(
      baton.stream(chat('hi', 'hang'), { signal: gone.signal, onJob: () => gone.abort(new Error('x')) }),
    )
    await expect(reading).rejects.toThrow('x')
  })
})

describe('batches', () => {
  /** Says how far it was read when, so that the test sees that nothing is read ahead. */
  async function* requests(count: number, model = 'gpt-4') {
    for (let i = 0; i < count; i++) yield { custom_id: `line-${i}`, body: chat(`number ${i} ü`, model) }
  }

  it('are run from an iterable, in as many as they need', async () => {
    const told: number[] = []
    const results = await all(
      baton.batches.run(requests(25), {
        linesPerBatch: 10,
        batch: { metadata: { run: '1' } },
        onProgress: ({ batches }) => told.push(batches.length),
      }),
    )
    expect(results.map(({ custom_id }) => custom_id).toSorted()).toEqual(
      Array.from({ length: 25 }, (_, i) => `line-${i}`).toSorted(),
    )
    expect(results.every(({ response }) => response?.status_code === 200)).toBe(true)
    expect(told.at(-1)).toBe(3)
    const [newest] = await all(baton.batches.list())
    expect(newest).toMatchObject({ metadata: { run: '1' }, request_counts: { total: 5 } })
    expect(await all(baton.batches.results(newest!.id))).toHaveLength(5)
  })

  it('bring errors of lines as results, and are split by bytes', async () => {
    const results = await all(baton.batches.run(requests(3, 'fail-400'), { bytesPerBatch: 1 }))
    expect(results.map(({ response }) => response?.status_code)).toEqual([400, 400, 400])
  })

  it('are refused as a whole', async () => {
    expect(await codeOf(all(baton.batches.run(requests(1, 'gpt-9'))))).toBe('batch_failed')
  })

  it('end with what the iterable throws', async () => {
    const broken = async function* () {
      yield* requests(1)
      throw new RangeError('no more')
    }
    await expect(all(baton.batches.run(broken()))).rejects.toThrow(RangeError)
  })

  it('are gone on with where the run has a name, and none is made twice', async () => {
    const options = { name: 'night', linesPerBatch: 2, batch: { metadata: { team: 'sums' } } }
    const dying = async function* () {
      yield* requests(5)
      throw new RangeError('the process dies')
    }
    await expect(all(baton.batches.run(dying(), options))).rejects.toThrow(RangeError)
    const parts = async () =>
      (await all(baton.batches.list())).filter(({ metadata }) => metadata?.baton_run === 'night')
    const before = await parts()
    expect(before.map(({ metadata }) => metadata?.baton_part)).toEqual(['2', '1'])
    expect(before[0]!.metadata).toMatchObject({ team: 'sums' })

    const results = await all(baton.batches.run(requests(6), options))
    expect(results.map(({ custom_id }) => custom_id).toSorted()).toEqual(
      Array.from({ length: 6 }, (_, i) => `line-${i}`),
    )
    expect((await parts()).slice(1)).toMatchObject(before.map(({ id }) => ({ id })))
    // Whoever reads it again has all of it, and makes nothing.
    expect(await all(baton.batches.run(requests(6), options))).toHaveLength(6)
    expect(await parts()).toHaveLength(3)
    expect(await codeOf(all(baton.batches.run(requests(6, 'claude'), options)))).toBe('run_changed')
    expect(await parts()).toHaveLength(3)

    // What retries a part has its metadata, and is none of the parts.
    const failing = () => all(baton.batches.run(requests(1, 'fail-400'), { name: 'failing' }))
    const [failed] = await failing()
    const [part] = await all(baton.batches.list())
    await baton.batches.retry(part!.id)
    expect(await failing()).toEqual([failed])
  })

  it('are left at once where the iterable is stuck', async () => {
    const stuck = async function* () {
      yield* requests(2)
      await new Promise(() => undefined)
    }
    const options = { linesPerBatch: 1 }
    for await (const { custom_id } of baton.batches.run(stuck(), options)) {
      expect(custom_id).toBe('line-0')
      break
    }
    const gone = new AbortController()
    const onProgress = () => gone.abort(new Error('enough'))
    const running = all(baton.batches.run(stuck(), { ...options, onProgress, signal: gone.signal }))
    await expect(running).rejects.toThrow('enough')
  })

  it('give up nothing of an iterable that nobody reads on', async () => {
    let isClosed = false
    const endless = async function* () {
      try {
        for (let i = 0; ; i++) yield { body: chat(`${i}`) }
      } finally {
        isClosed = true
      }
    }
    for await (const _ of baton.batches.run(endless(), { linesPerBatch: 2 })) break
    expect(isClosed).toBe(true)
  })
})
