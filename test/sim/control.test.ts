import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const get = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers })
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}

const statuses = async (url: string, model: string, count: number, headers = {}, more = {}) => {
  const seen: number[] = []
  for (let i = 0; i < count; i++) {
    seen.push((await post(`${url}/v1/chat/completions`, ask(model, 'hi', more), headers)).status)
  }
  return seen
}

describe('control of the simulated provider', () => {
  test('a model name scripts its calls, once for each identity', async () => {
    const { url, calls } = await startSim()
    expect(calls.calls).toBe(0)
    const model = 'fail-429-then-fail-503-then-ok'
    expect(await statuses(url, model, 4)).toEqual([429, 503, 200, 200])
    expect(await statuses(url, model, 3, { 'x-sim-id': 'a' })).toEqual([429, 503, 200])
    expect(await statuses(url, model, 3, {}, { user: 'b' })).toEqual([429, 503, 200])
    expect(await statuses(url, model, 2, {}, { metadata: { user_id: 'c' } })).toEqual([429, 503])
    expect(await statuses(url, model, 1, {}, { safety_identifier: 'c' })).toEqual([200])
  })

  test('the header x-sim-script goes before the model name, and the script before the behaviour', async () => {
    const { url } = await startSim({ behaviour: { fault: { kind: 'error-500' } } })
    expect(await statuses(url, 'gpt-4', 1)).toEqual([500])
    expect(await statuses(url, 'ok', 1)).toEqual([200])
    expect(await statuses(url, 'ok', 2, { 'x-sim-script': 'fail-404-then-fail-401' })).toEqual([404, 401])
  })

  test.each([
    ['fail-418-then-ok', {}],
    ['gpt-4', { 'x-sim-script': 'hang-on' }],
  ])('a script that cannot be read is a 400: model %s, headers %j', async (model, headers) => {
    const { url } = await startSim()
    const { status, text } = await post(`${url}/v1/chat/completions`, ask(model), headers)
    expect(status).toBe(400)
    expect(JSON.parse(text).error.message).toBe('the script cannot be read')
  })

  test('the control endpoint replaces the behaviour and a reset brings the first one back', async () => {
    const { url } = await startSim({ behaviour: { fault: { kind: 'error-500' } } })
    expect(await statuses(url, 'gpt-4', 1)).toEqual([500])
    const set = await post(`${url}/__sim/behaviour`, { latency: { kind: 'fixed', ms: 1 } })
    expect([set.status, set.text]).toEqual([200, '{"latency":{"kind":"fixed","ms":1},"fault":[]}'])
    expect(await statuses(url, 'gpt-4', 1)).toEqual([200])
    expect(await statuses(url, 'fail-503-then-ok', 1)).toEqual([503])

    const reset = await post(`${url}/__sim/reset`, '')
    expect(JSON.parse(reset.text)).toEqual({
      calls: 0,
      outcomes: {},
      identities: {},
      inFlight: 0,
      maxInFlight: 0,
    })
    expect(await statuses(url, 'gpt-4', 1)).toEqual([500])
    expect(await statuses(url, 'fail-503-then-ok', 1)).toEqual([503])
  })

  test.each([
    'not json',
    '{"latency":{"kind":"gaussian"}}',
    '{"fault":{"kind":"meltdown"}}',
    '{"throttle":{"rpm":60,"rps":1}}',
    '{"speed":1}',
  ])('a behaviour that makes no sense is refused and changes nothing: %s', async text => {
    const sim = await startSim({ behaviour: { fault: { kind: 'error-503' } } })
    expect((await post(`${sim.url}/__sim/behaviour`, text)).status).toBe(400)
    expect(await statuses(sim.url, 'gpt-4', 1)).toEqual([503])
  })

  test('faults come at their rate by the random source', async () => {
    const draws = [0.1, 0.6, 0.2, 0.9]
    const sim = await startSim({
      random: () => draws.shift()!,
      behaviour: {
        fault: [
          { kind: 'error-500', rate: 0.15 },
          { kind: 'overloaded', rate: 0.5 },
        ],
      },
    })
    expect(await statuses(sim.url, 'gpt-4', 4)).toEqual([500, 503, 503, 200])
    expect(sim.calls.outcomes).toEqual({ 'error-500': 1, overloaded: 2, ok: 1 })
  })

  test('the statistics show repeated calls by identity and how many ran at once', async () => {
    const sim = await startSim()
    const leave = new AbortController()
    const call = (id: string) =>
      post(`${sim.url}/v1/messages`, ask('hang'), { 'x-sim-id': id }, leave.signal).catch(() => null)
    const held = [call('job_1'), call('job_2'), call('job_1')]
    await until(() => sim.calls.calls === 3)
    leave.abort()
    await Promise.all(held)
    await until(() => sim.calls.inFlight === 0)
    expect((await get(`${sim.url}/__sim/stats`)).body).toEqual({
      calls: 3,
      outcomes: { hang: 3 },
      identities: { job_1: 2, job_2: 1 },
      inFlight: 0,
      maxInFlight: 3,
    })
  })

  test('with keys set, only those are let in, by either header', async () => {
    const sim = await startSim({ keys: ['k1', 'k2'] })
    const status = async (path: string, headers: Record<string, string>) =>
      (await post(`${sim.url}${path}`, ask('m'), headers)).status
    expect(await status('/v1/chat/completions', { authorization: 'Bearer k1' })).toBe(200)
    expect(await status('/v1/messages', { authorization: 'Bearer k2' })).toBe(200)
    expect(await status('/v1/messages', { 'x-api-key': 'k1' })).toBe(200)
    expect(await status('/v1/messages', { 'x-api-key': 'k3' })).toBe(401)
    expect(await status('/v1/chat/completions', {})).toBe(401)
    expect((await get(`${sim.url}/v1/models`, { authorization: 'Bearer k3' })).status).toBe(401)
    expect(sim.calls.outcomes).toEqual({ ok: 3, 'bad-key': 2 })
  })

  test.each([
    ['{"model":', 'We could not parse the JSON body of your request.'],
    ['', 'We could not parse the JSON body of your request.'],
    ['{"messages":[]}', 'you must provide a model parameter'],
  ])('a body that no provider takes is a 400: %j', async (body, message) => {
    const { url } = await startSim()
    const { status, text } = await post(`${url}/v1/chat/completions`, body)
    expect([status, JSON.parse(text).error.message]).toEqual([400, message])
  })

  test('models are listed in the format that the client speaks', async () => {
    const { url } = await startSim({ models: ['m1', 'm2'], now: () => 1_765_000_000_000 })
    expect((await get(`${url}/v1/models?limit=9`)).body).toEqual({
      object: 'list',
      data: ['m1', 'm2'].map(id => ({ id, object: 'model', created: 1_765_000_000, owned_by: 'simulated' })),
    })
    const { body } = await get(`${url}/v1/models`, { 'anthropic-version': '2023-06-01' })
    expect(body).toMatchObject({ has_more: false, first_id: 'm1', last_id: 'm2' })
    expect(body.data[0]).toEqual({
      type: 'model',
      id: 'm1',
      display_name: 'm1',
      created_at: '2025-12-06T05:46:40Z',
    })
  })

  test('a server of one format does not know the paths of the other', async () => {
    const sim = await startSim({ format: 'anthropic' })
    const { status, text } = await post(`${sim.url}/v1/chat/completions`, ask('m'))
    expect(status).toBe(404)
    expect(JSON.parse(text).error).toEqual({ type: 'not_found_error', message: 'Not found' })
    expect((await post(`${sim.url}/v1/messages`, ask('m'))).status).toBe(200)
    expect((await get(`${sim.url}/v1/models`)).body.first_id).toBe('sim-small')
  })
})
