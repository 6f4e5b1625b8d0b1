import { Agent, request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const paths = ['/v1/chat/completions', '/v1/messages'] as const

/** What a client sees of an answer that breaks: the status, if it came, the bytes read, and the error's code. */
function watch(url: string, model: string) {
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; read: number; code: unknown }>()
  const agent = new Agent()
  const seen = { status: null as number | null, read: 0, code: undefined as unknown }
  const broke = (error: NodeJS.ErrnoException) => resolve({ ...seen, code: error.code })
  const outgoing = request(url, { method: 'POST', agent }, incoming => {
    seen.status = incoming.statusCode ?? null
    incoming.on('data', (chunk: Buffer) => {
      seen.read += chunk.length
    })
    incoming.on('error', broke)
    incoming.on('end', () => resolve(seen))
  })
  outgoing.on('error', broke)
  outgoing.end(JSON.stringify(ask(model)))
  return promise.finally(() => agent.destroy())
}

describe('broken answers of the simulated provider', () => {
  test.each(paths)('%s: a hanging call is held until its client leaves', async path => {
    const sim = await startSim()
    const leave = new AbortController()
    const call = post(`${sim.url}${path}`, ask('hang'), {}, leave.signal)
    const ended = expect(call).rejects.toThrow('aborted')
    await until(() => sim.calls.outcomes.hang === 1)
    expect(sim.calls.inFlight).toBe(1)
    leave.abort()
    await ended
    await until(() => sim.calls.inFlight === 0)
  })

  test('a hanging call does not hold up the end of the server', async () => {
    const sim = await startSim()
    const call = expect(post(`${sim.url}/v1/messages`, ask('hang'))).rejects.toThrow('fetch failed')
    await until(() => sim.calls.outcomes.hang === 1)
    await sim.stop()
    await call
  })

  test.each(paths)('%s: reset ends the connection without a byte', async path => {
    const sim = await startSim()
    expect(await watch(`${sim.url}${path}`, 'reset')).toEqual({ status: null, read: 0, code: 'ECONNRESET' })
  })

  test.each(paths)('%s: reset-mid-body begins a 200 and breaks off', async path => {
    const sim = await startSim({ answerBytes: 1_000 })
    const seen = await watch(`${sim.url}${path}`, 'reset-mid-body')
    expect(seen).toMatchObject({ status: 200, code: 'ECONNRESET' })
    expect(seen.read).toBeGreaterThan(500)
    expect(seen.read).toBeLessThan(1_000)
  })

  test.each(paths)('%s: truncated is a whole 200 with half of its JSON', async path => {
    const sim = await startSim()
    const { status, headers, text } = await post(`${sim.url}${path}`, ask('truncated'))
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('content-length')).toBe(String(text.length))
    expect(text).toMatch(/^\{"id":"/)
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
  })

  test.each(paths)('%s: slow-body sends its second half late, and whole', async path => {
    const sim = await startSim()
    const startedMs = performance.now()
    const { text } = await post(`${sim.url}${path}`, ask('slow-body-100ms'))
    expect(performance.now() - startedMs).toBeGreaterThan(98) // a timer may fire a little early
    expect(JSON.parse(text).model).toBe('slow-body-100ms')
  })

  test('the first half of a slow body is there long before the second', async () => {
    const sim = await startSim()
    const body = JSON.stringify(ask('slow-body-600000ms'))
    const answer = await fetch(`${sim.url}/v1/messages`, { method: 'POST', body })
    const reader = answer.body!.getReader()
    const { value } = await reader.read()
    expect(value!.length).toBeLessThan(Number(answer.headers.get('content-length')))
    await reader.cancel()
    await until(() => sim.calls.inFlight === 0)
  })

  test('a slow call answers after its delay, or never when its client left first', async () => {
    const sim = await startSim()
    const startedMs = performance.now()
    expect((await post(`${sim.url}/v1/chat/completions`, ask('slow-60ms'))).status).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThan(58)

    const leave = new AbortController()
    const call = post(`${sim.url}/v1/chat/completions`, ask('slow-600000ms'), {}, leave.signal)
    const ended = expect(call).rejects.toThrow('aborted')
    await until(() => sim.calls.calls === 2)
    leave.abort()
    await ended
    await until(() => sim.calls.inFlight === 0)
  })

  test('refusals look as each format has them', async () => {
    const sim = await startSim({ behaviour: { fault: { kind: 'refusal' } } })
    const body = async (path: string, more = {}) =>
      JSON.parse((await post(`${sim.url}${path}`, ask('m', 'hi', more))).text)
    expect((await body('/v1/chat/completions')).choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ])
    expect(await body('/v1/messages')).toMatchObject({
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: null },
    })
    expect(await body('/v1/responses', { input: 'hi' })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
      output: [],
    })
    expect((await body('/v1/completions', { prompt: 'hi' })).choices[0].finish_reason).toBe('content_filter')
  })

  test.each([
    ['/v1/chat/completions', 'choices'],
    ['/v1/completions', 'choices'],
    ['/v1/messages', 'content'],
    ['/v1/responses', 'output'],
    ['/v1/embeddings', 'data'],
  ])('%s: empty is a 200 with nothing in `%s`', async (path, field) => {
    const sim = await startSim()
    const { status, text } = await post(`${sim.url}${path}`, ask('empty'))
    expect(status).toBe(200)
    expect(JSON.parse(text)[field]).toEqual([])
  })
})
