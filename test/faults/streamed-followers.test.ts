import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'
import {
  expectBroken,
  expectWhole,
  follow,
  plainText,
  readChat,
  type StreamClient,
  stream,
  wholeEvents,
} from './stream-client.ts'

const tokens = 60
const usual = { stream: { tokens, tokenGapMs: 20 } }
/** Requests that are the same make one call, whoever their user is. */
const model = 'shared'

let rig: Rig
let other: Child & { readonly url: string }
const workers: Child[] = []
let asked = 0
let headers: object
let calls: () => number

/** Each with room for one job: the leader and its follower are in different processes. */
const startWorkers = async (count: number): Promise<void> => {
  const living = workers.filter(worker => !worker.hasExited()).length
  const started = Array.from({ length: count - living }, () => rig.site.worker('first'))
  workers.push(...(await Promise.all(started)))
}

beforeAll(async () => {
  rig = await openRig({
    provider: { concurrency: 1 },
    routes: { [model]: { provider: 'first', cache: {} } },
    config: { stream: { grace: '200ms' } },
  })
  other = await rig.site.api()
})
beforeEach(async () => {
  await startWorkers(2)
  rig.first.script(usual)
  const before = rig.first.calls.calls
  calls = () => rig.first.calls.calls - before
  // A request of its own for each test.
  headers = { 'openai-beta': `test-${asked++}` }
})
afterAll(() => rig.close())

const ask = (apiUrl: string): Promise<StreamClient> => stream(apiUrl, { model, headers })

const jobsIn = async (status: string): Promise<string[]> => {
  const answer = await fetch(`${rig.apiUrl}/v1/jobs?status=${status}`)
  return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id)
}

/** The worker that has the job, by its log. */
const workerOf = (jobId: string): Child =>
  workers.find(worker => worker.lines.some(line => line.jobId === jobId && line.event === 'attempt.started'))!

describe('a streamed job whose call another makes', () => {
  it('streams what that streams, as it comes, from before its first content or from later', async () => {
    rig.first.script({ stream: { tokens, tokenGapMs: 40, firstTokenMs: 1_000 } })
    const leading = ask(rig.apiUrl)
    await until(() => calls() === 1)
    const following = ask(other.url)
    await until(async () => (await jobsIn('parked')).length === 1)
    const leader = await leading
    const early = await following
    await early.has(1_000)
    expect(readChat(leader.text()).isDone).toBe(false)
    const job = await rig.client.ended(leader.jobId)
    expectWhole(await leader.ended, job)
    expect(plainText(await early.ended)).toBe(plainText(leader.text()))
    expect(await rig.client.ended(early.jobId)).toMatchObject({
      ...{ status: 'succeeded', cache: 'hit', attempts: [] },
      response: job.response,
    })
    expect(calls()).toBe(1)
  })

  it('goes on while it is read, though nobody reads the other any more', async () => {
    const leader = await ask(rig.apiUrl)
    const follower = await ask(other.url)
    await follower.has(300)
    leader.cut()
    expect(readChat(leader.text()).isDone).toBe(false)
    expectWhole(await follower.ended, await rig.client.ended(follower.jobId))
    expect(await rig.client.ended(leader.jobId)).toMatchObject({ status: 'succeeded' })
    expect(calls()).toBe(1)
  })

  it('is dropped with the other when nobody reads either', async () => {
    rig.first.script({ stream: { tokens: 10_000, tokenGapMs: 20 } })
    const leader = await ask(rig.apiUrl)
    const follower = await ask(other.url)
    await follower.has(300)
    leader.cut()
    follower.cut()
    await until(() => rig.first.calls.inFlight === 0)
    const ended = await Promise.all([leader, follower].map(({ jobId }) => rig.client.ended(jobId)))
    expect(ended.map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
    expect(calls()).toBe(1)
  })

  it('asks itself when the worker of the other is killed before the first content', async () => {
    rig.first.script({ stream: { tokens, firstTokenMs: 60_000 } })
    const leading = ask(rig.apiUrl)
    await until(() => calls() === 1)
    const following = ask(other.url)
    await until(async () => (await jobsIn('parked')).length === 1)
    const [leaderId] = await jobsIn('running')
    rig.first.script(usual)
    await workerOf(leaderId!).kill()
    for (const reader of await Promise.all([leading, following]))
      expectWhole(await reader.ended, await rig.client.ended(reader.jobId))
    expect(calls()).toBe(2)
  })

  it('ends with one error when the worker of the other is killed after it', async () => {
    rig.first.script({ stream: { tokens: 10_000, tokenGapMs: 20 } })
    const leader = await ask(rig.apiUrl)
    const follower = await ask(other.url)
    await Promise.all([leader.has(1_000), follower.has(1_000)])
    await workerOf(leader.jobId).kill()
    for (const reader of [leader, follower]) expectBroken(await reader.ended)
    expect(await rig.client.ended(follower.jobId)).toMatchObject({
      ...{ status: 'failed', error: { code: 'stream_broken' }, attempts: [] },
    })
    expect(readChat(follower.text()).answers).toEqual(readChat(leader.text()).answers)
    expect(calls()).toBe(1)
  })

  it('is broken off by its own worker only, and the other is not', async () => {
    rig.first.script({ stream: { tokens: 200, tokenGapMs: 20 } })
    const leader = await ask(rig.apiUrl)
    const follower = await ask(other.url)
    await follower.has(300)
    const own = workers.find(worker => !worker.hasExited() && worker !== workerOf(leader.jobId))!
    await own.kill()
    expectBroken(await follower.ended)
    expectWhole(await leader.ended, await rig.client.ended(leader.jobId))
    expect(calls()).toBe(1)
  })

  it('is resumed elsewhere when its API is killed', async () => {
    rig.first.script({ stream: { tokens: 100, tokenGapMs: 20 } })
    const leader = await ask(other.url)
    const follower = await ask(rig.apiUrl)
    const again = await follow(rig.apiUrl, follower.jobId)
    await again.has(1_000)
    await rig.api.kill()
    const had = wholeEvents(await again.ended)
    const rest = await follow(other.url, follower.jobId, had.lastId)
    await rest.ended
    expect(plainText(had.text + rest.text())).toBe(plainText(await leader.ended))
    await rig.startApi()
    expectWhole(had.text + rest.text(), await rig.client.ended(follower.jobId))
    expect(calls()).toBe(1)
  })
})
