import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { chunksOf } from '../../src/client/chunks.ts'
import { Baton, type BatonError } from '../../src/client/client.ts'
import { asJson, createTransport } from '../../src/client/transport.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map(close => close()))
})

/** A server that gives these answers, one after the other; the last of them again and again. */
const serve = async (...answers: readonly Answer[]) => {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    request.resume()
    asked.push(request)
    answers[Math.min(asked.length, answers.length) - 1]!(request, response)
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise(closed => server.close(closed))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const page =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, headers).end('<html>none of Baton’s</html>')

const reset: Answer = request => request.socket.resetAndDestroy()

/** Some of what was to come; then the connection breaks. */
const cutting =
  (contentType: string, ...pieces: readonly (string | Uint8Array)[]): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': contentType })
    for (const piece of pieces.slice(0, -1)) response.write(piece)
    response.write(pieces.at(-1)!, () => response.socket!.end())
  }

const events = (...pieces: readonly string[]): Answer =>
  cutting('text/event-stream', ...pieces.map(piece => Buffer.from(piece)))

const chat = { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }
const job = { id: 'job_1', object: 'job', status: 'queued' }

const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const read: Item[] = []
  for await (const item of items) read.push(item)
  return read
}

const errorOf = (work: Promise<unknown>): Promise<BatonError> =>
  work.then(
    () => expect.unreachable(),
    error => error,
  )

describe('a call', () => {
  it('is made again with the same key, until it is answered', async () => {
    const { url, asked } = await serve(
      reset,
      page(502),
      json(503, { error: { message: 'full', type: 'x', code: 'storage_full' } }, { 'retry-after': '1' }),
      json(429, { error: { message: 'wait', type: 'x', code: 'too_many_waiting' } }),
      json(202, job),
    )
    const { id } = await new Baton({ baseUrl: url }).submit(chat)
    expect(id).toBe('job_1')
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(asked.map(({ headers }) => headers['x-stainless-retry-count'])).toEqual([
      undefined,
      ...['1', '2', '3', '4'],
    ])
  })

  it.each([
    ['a number', '3600', 3_600_000],
    ['a date', new Date(Date.now() + 3_600_000).toUTCString(), expect.closeTo(3_600_000, -5)],
    ['neither', 'soon', null],
  ])('tells of a wait that is %s, and beyond its patience', async (_what, header, ms) => {
    const full = { error: { message: 'full', type: 'x', code: 'storage_full' } }
    const { url, asked } = await serve(json(503, full, { 'retry-after': header }))
    const error = await errorOf(new Baton({ baseUrl: url, patienceMs: 100 }).submit(chat))
    expect(error).toMatchObject({ code: 'storage_full', status: 503, retryAfterMs: ms })
    expect(asked).toHaveLength(1)
  })

  it('is left by its signal while it waits to be made again', async () => {
    const { url } = await serve(page(503, { 'retry-after': '30' }))
    const gone = new AbortController()
    const submitting = errorOf(new Baton({ baseUrl: url }).submit(chat, { signal: gone.signal }))
    const reason = new Error('enough')
    gone.abort(reason)
    expect(await submitting).toBe(reason)
  })

  it('is made again where an answer stops in its middle', async () => {
    const half: Answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":')
    const { url, asked } = await serve(half, json(200, job))
    const transport = createTransport({ baseUrl: url })
    const call = { read: asJson('job'), answerWithinMs: 200 }
    expect(await transport.send('GET', '/v1/jobs/job_1', call)).toEqual(job)
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['cancelled', 'cancelled'],
    ['succeeded', 'job_finished'],
  ])('to cancel, whose answer was lost, looks at the job: %s', async (status, outcome) => {
    const finished = { error: { message: 'too late', type: 'x', code: 'job_finished' } }
    const { url } = await serve(reset, json(409, finished), json(200, { ...job, status }))
    const answer = new Baton({ baseUrl: url }).jobs.cancel('job_1')
    expect(
      await answer.then(
        ({ status }) => status,
        ({ code }) => code,
      ),
    ).toBe(outcome)
  })

  it.each<[string, Answer, number]>([
    ['a page', page(200), 200],
    ['another API', json(200, { status: 'up' }), 200],
    ['a redirect', page(308, { location: 'http://127.0.0.1:9/' }), 308],
  ])('says that %s is not Baton', async (_what, answer, status) => {
    const { url, asked } = await serve(answer)
    const baton = new Baton({ baseUrl: url })
    const works = [baton.submit(chat), baton.wait('job_1'), all(baton.stream('job_1'))]
    for (const error of await Promise.all(works.map(errorOf)))
      expect(error).toMatchObject({ code: 'unexpected_answer', status })
    expect(asked).toHaveLength(3)
  })

  it('that can never be sent says so at once', async () => {
    const { url, asked } = await serve(json(202, job))
    for (const baseUrl of ['127.0.0.1:8000', 'localhost:8000', undefined as unknown as string])
      expect(() => new Baton({ baseUrl })).toThrow(/^baseUrl is to be an address/)
    const unfit = [
      new Baton({ baseUrl: url, apiKey: 'ключ' }).submit(chat),
      new Baton({ baseUrl: url }).submit({ ...chat, seed: 1n }),
    ]
    for (const error of await Promise.all(unfit.map(errorOf))) expect(error).toBeInstanceOf(TypeError)
    expect(asked).toEqual([])
  })
})

describe('a stream', () => {
  const piece = (id: number, content: string) =>
    `id: ${id}\ndata: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

  it('that is cut goes on behind the last whole event', async () => {
    const { url, asked } = await serve(
      events(piece(1, 'a'), piece(2, 'b'), piece(3, 'c').slice(0, 20)),
      reset,
      events(':\n\n', piece(3, 'c')),
      events(piece(4, 'd'), 'data: [DONE]\n\n'),
    )
    const read = await all(new Baton({ baseUrl: url }).stream('job_1'))
    expect(read.map(({ id, text }) => `${id}${text}`)).toEqual(['1a', '2b', '3c', '4d'])
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '3'])
  })

  it('brings events that it knows nothing of', async () => {
    const odd = [{ choices: [{ delta: null }] }, { type: 'later', delta: null }, { choices: [] }, 7, null]
    const lines = odd.map((data, i) => `id: ${i}\ndata: ${JSON.stringify(data)}\n\n`)
    const { url } = await serve(events(...lines, 'data: [DONE]\n\n'))
    const read = await all(new Baton({ baseUrl: url }).stream('job_1'))
    expect(read.map(({ data, text }) => [data, text])).toEqual(odd.map(data => [data, '']))
  })

  it('that is silent is cut', async () => {
    const silent = new ReadableStream<Uint8Array>()
    await expect(all(chunksOf(silent, 20))).rejects.toThrow(TypeError)
  })
})

describe('a run', () => {
  it('waits where the tenant has as many open batches as it may', async () => {
    const request_counts = { total: 0, completed: 0, failed: 0 }
    const batch = { id: 'batch_1', object: 'batch', status: 'completed', request_counts }
    const error = { message: 'full', type: 'x', code: 'too_many_open_batches' }
    let refusals = 2
    const { url, asked } = await serve((request, response) => {
      if (request.url!.includes('/content')) return response.writeHead(204).end()
      if (request.url === '/v1/files') return json(200, { id: 'f', object: 'file' })(request, response)
      const isFull = request.method === 'POST' && refusals-- > 0
      return (isFull ? json(429, { error }, { 'retry-after': '0' }) : json(200, batch))(request, response)
    })
    expect(await all(new Baton({ baseUrl: url }).batches.run([{ body: chat }]))).toEqual([])
    const made = asked.filter(({ method }) => method === 'POST').map(({ url }) => url)
    expect(made).toEqual(['/v1/files', '/v1/batches', '/v1/batches', '/v1/batches'])
  })
})

describe('the results of a batch', () => {
  it('come once each, where the connection is cut between them and in the middle of one', async () => {
    const lines = Array.from({ length: 5 }, (_, i) => JSON.stringify({ custom_id: `ü-${i}`, response: null }))
    const output = Buffer.from(lines.map(line => `${line}\n`).join(''))
    const cutAfter = [70, 30, 500]
    const batch = { id: 'batch_1', object: 'batch', status: 'completed', error_file_id: null }
    const answer: Answer = (request, response) => {
      if (!request.url!.includes('/content')) return json(200, batch)(request, response)
      const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range!)!
      const rest = output.subarray(Number(from))
      if (request.url!.endsWith('errors') || rest.length === 0) return response.writeHead(204).end()
      response.writeHead(206, { 'content-length': rest.length })
      const most = cutAfter.shift()!
      return response.write(rest.subarray(0, most), () => most < rest.length && response.socket!.end())
    }
    const { url } = await serve(answer)
    const read = await all(new Baton({ baseUrl: url }).batches.results('batch_1'))
    expect(read.map(({ custom_id }) => custom_id)).toEqual(['ü-0', 'ü-1', 'ü-2', 'ü-3', 'ü-4'])
    expect(cutAfter).toEqual([])
  })
})
