import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { NewJob } from '../../src/jobs/types.ts'
import { providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { startMonitor } from '../support/monitor.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

let sim: SimProvider
let baton: BatonApi
beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
})
afterAll(() => sim.stop())

const models = ['gpt-4', 'hang', 'slow-600ms', 'hang-then-ok']
const configOf = (provider: object = {}) => {
  const common = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' }
  return {
    providers: { first: { ...common, ...provider }, second: common },
    models: {
      ...Object.fromEntries(models.map(model => [model, { provider: 'first' }])),
      'fail-500': { provider: 'first', fallback_to: 'spare' },
      spare: { provider: 'second' },
    },
  }
}
const open = (provider?: object, more: { graceMs?: number; prefix?: string } = {}): Promise<BatonApi> =>
  openBaton({ level: 'api', config: configOf(provider), ...more })
beforeEach(async () => {
  baton = await open()
})
afterEach(() => baton.stop())

interface Answer {
  readonly status: number
  readonly id: string
  readonly headers: Headers
  readonly text: string
}

const post = async (model: string, more: { signal?: AbortSignal; key?: string } = {}): Promise<Answer> => {
  const { signal, key } = more
  const response = await fetch(`${baton.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    ...(signal && { signal }),
  })
  const { status, headers } = response
  return { status, headers, id: headers.get('x-baton-job-id')!, text: await response.text() }
}
/** One that is not waited for here. */
const posting = (...args: Parameters<typeof post>): void => void post(...args).catch(() => undefined)

const newest = async (): Promise<string> => {
  const { data } = (await (await fetch(`${baton.url}/v1/jobs?limit=1`)).json()) as { data: { id: string }[] }
  return data[0]?.id ?? ''
}
const recordOf = (id: string) => baton.context.store.read(id)
/** The newest job, once it is in this state. */
const newestIn = (status: string): Promise<string> =>
  until(async () => {
    const id = await newest()
    return id !== '' && (await recordOf(id))!.status === status ? id : null
  })
const waiting = (): Promise<number> => baton.context.doorbells.waiting(providerQueue('first'))
const isLaneOpen = (): boolean => {
  const job = { model: 'gpt-4', target: { provider: 'first', model: 'gpt-4' }, body: '{}' }
  const place = baton.context.expressLanes.of('first')!.enter(job as NewJob)
  place?.leave()
  return place !== null
}
/** It opens once the worker has heard that nothing waits. */
const laneOpen = (): Promise<boolean> => until(isLaneOpen)
const laneShut = (): Promise<boolean> => until(() => !isLaneOpen())

describe('the express lane', () => {
  it('makes and claims the job of a lone call in one script, and ends it in one', async () => {
    await laneOpen()
    const monitor = await startMonitor(testRedis().url)
    const { id, status, headers } = await post('gpt-4')
    await until(() => monitor.commands.some(c => /^zrem/i.test(c) && c.includes(`${id}.l`)))
    await monitor.stop()
    expect(status).toBe(200)
    expect(headers.get('x-baton-provider')).toBe('first')
    expect(headers.get('x-baton-attempts')).toBe('1')
    const ofJob = monitor.commands.filter(c => c.includes(id))
    expect(ofJob.filter(c => /^eval/i.test(c))).toHaveLength(2)
    expect(ofJob.filter(c => c.includes(':ready'))).toEqual([])
    expect(ofJob.filter(c => /^hgetall/i.test(c))).toEqual([])
    expect(await recordOf(id)).toMatchObject({ status: 'succeeded', class: 'interactive', hop: 0 })
  })

  it('gives the same answer as a read of the record', async () => {
    await laneOpen()
    const { id, text } = await post('gpt-4')
    expect((await recordOf(id))!.response).toEqual({ statusCode: 200, body: text })
  })

  it('hands a job over whose first target fails', async () => {
    await laneOpen()
    const { id, status, headers } = await post('fail-500')
    expect({ status, provider: headers.get('x-baton-provider') }).toEqual({ status: 200, provider: 'second' })
    expect((await recordOf(id))!.attempts.map(a => a.verdict)).toEqual(['transient', 'transient', 'ok'])
  })

  it('is not for jobs that nobody waits for', async () => {
    await laneOpen()
    const monitor = await startMonitor(testRedis().url)
    const id = await baton.chat('gpt-4')
    await baton.ended(id)
    await monitor.stop()
    expect(monitor.commands.some(c => c.includes(':ready') && c.includes(id))).toBe(true)
  })

  it('passes nobody who waits, and keeps to a pause of the queue by a tool', async () => {
    const { context, prefix } = baton
    const queue = new Queue(queueName(providerQueue('first')), { connection: context.redis, prefix })
    await laneOpen()
    await queue.pause()
    await laneShut()
    const other = await baton.chat('gpt-4', { tenant: 'other', class: 'interactive' })
    await until(async () => (await waiting()) === 1)
    const calls = sim.calls.calls
    const answer = post('gpt-4')
    await until(async () => (await waiting()) === 2)
    expect(sim.calls.calls).toBe(calls)
    await queue.resume()
    await queue.close()
    expect((await answer).status).toBe(200)
    expect((await baton.ended(other)).status).toBe('succeeded')
  })

  it('keeps to a pause of the provider', async () => {
    await laneOpen()
    expect((await fetch(`${baton.url}/v1/providers/first/pause`, { method: 'POST' })).status).toBe(200)
    const calls = sim.calls.calls
    await laneShut()
    const { status, id } = await post('gpt-4')
    expect(status).toBe(503)
    expect(await recordOf(id)).toMatchObject({ error: { code: 'targets_unavailable' }, attempts: [] })
    expect(sim.calls.calls).toBe(calls)
    await fetch(`${baton.url}/v1/providers/first/resume`, { method: 'POST' })
    await laneOpen()
    expect((await post('gpt-4')).status).toBe(200)
  })

  it('keeps to the slots of the worker, and to the limits of its keys', async () => {
    await baton.stop()
    baton = await open({ concurrency: 1 })
    await laneOpen()
    posting('hang')
    const hanging = await newestIn('running')
    posting('gpt-4')
    await until(async () => (await waiting()) === 1)
    expect((await recordOf(await newest()))!.status).toBe('queued')
    await baton.context.store.cancel(hanging)

    await baton.stop()
    baton = await open({ limits: { rpm: 1 } })
    const first = post('gpt-4')
    expect((await first).status).toBe(200)
    const calls = sim.calls.calls
    posting('gpt-4')
    await until(async () => (await newest()) !== '' && (await newest()) !== (await first).id)
    expect(isLaneOpen()).toBe(false)
    expect(sim.calls.calls).toBe(calls)
  })

  it('drops the call when the client goes', async () => {
    await laneOpen()
    const leaving = new AbortController()
    posting('hang', { signal: leaving.signal })
    const id = await newestIn('running')
    await until(() => sim.calls.inFlight === 1)
    leaving.abort()
    await until(() => sim.calls.inFlight === 0)
    expect(await recordOf(id)).toMatchObject({ status: 'cancelled', attempts: [{ reason: 'cancelled' }] })
  })

  it('lets a repeated request with a key join while it runs', async () => {
    await laneOpen()
    const calls = sim.calls.calls
    const first = post('slow-600ms', { key: 'joined' })
    await newestIn('running')
    const [one, again] = await Promise.all([first, post('slow-600ms', { key: 'joined' })])
    expect(again.text).toBe(one.text)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(sim.calls.calls).toBe(calls + 1)
  })

  it('gives jobs back at a stop, for another process to answer', async () => {
    await baton.stop()
    baton = await open({}, { graceMs: 50 })
    await laneOpen()
    const { prefix, stop } = baton
    posting('hang-then-ok', { key: 'kept' })
    const id = await newestIn('running')
    await until(() => sim.calls.inFlight === 1)
    await stop()
    baton = await open({}, { prefix })
    expect(await baton.ended(id)).toMatchObject({
      status: 'succeeded',
      attempts: [{ reason: 'shutdown', possibly_billed: true }, { verdict: 'ok' }],
    })
  })
})
