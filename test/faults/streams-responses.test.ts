import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { jobOfResponse } from '../../src/redis/keys.ts'
import { openRig, type Rig } from './rig.ts'

const tokens = 50
/** Time enough to kill something in the middle, however busy the machine is. */
const slow = { stream: { tokens, tokenGapMs: 500 } }

let rig: Rig
const workers: Child[] = []
const startWorker = async (): Promise<Child> => {
  const worker = await rig.site.worker('first')
  workers.push(worker)
  return worker
}

/** A worker and no other: it is known who has the calls. */
const onlyWorker = async (): Promise<Child> => {
  const [one, ...more] = workers.filter(worker => !worker.hasExited())
  await Promise.all(more.map(worker => worker.kill()))
  return one ?? startWorker()
}

let calls: () => number
beforeAll(async () => {
  rig = await openRig()
})
beforeEach(() => {
  const before = rig.first.calls.calls
  calls = () => rig.first.calls.calls - before
})
afterAll(() => rig.close())

interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly delta?: string
  readonly response?: { readonly id: string; readonly status: string; readonly error: object | null }
}

interface Reader {
  /** The events that have come whole. */
  seen(): readonly Event[]
  readonly jobId: string
  /** Resolves with all of them at the end, whether the server ended the stream or the connection broke. */
  readonly ended: Promise<readonly Event[]>
}

const eventsIn = (text: string): readonly Event[] =>
  [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!) as Event)

const readerOf = async (answering: Promise<Response>): Promise<Reader> => {
  const response = await answering
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  let text = ''
  const readAll = async (): Promise<readonly Event[]> => {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body!) text += decoder.decode(chunk, { stream: true })
    } catch {
      // What came before the break counts.
    }
    return eventsIn(text)
  }
  return {
    seen: () => eventsIn(text),
    jobId: response.headers.get('x-baton-job-id') ?? '',
    ended: readAll(),
  }
}

const ask = (more: object = {}): Promise<Reader> =>
  readerOf(
    fetch(`${rig.apiUrl}/v1/responses`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ model: 'plain', input: 'hello', stream: true, ...more }),
    }),
  )
const follow = (apiUrl: string, id: string, after: number): Promise<Reader> =>
  readerOf(fetch(`${apiUrl}/v1/responses/${id}?stream=true&starting_after=${after}`))

const textOf = (events: readonly Event[]): string =>
  events.map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : '')).join('')
const hasContent = (reader: Reader) => until(() => textOf(reader.seen()) !== '')

/** Numbered from 0 without a gap: nothing was lost, nothing came twice. */
const expectCounted = (events: readonly Event[]): void =>
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, number) => number))

/** All of the answer that the job has. */
const expectWhole = async (events: readonly Event[], jobId: string): Promise<void> => {
  const job = await rig.client.ended(jobId)
  const { output } = job.response!.body as { output: readonly [{ content: readonly [{ text: string }] }] }
  expectCounted(events)
  expect(textOf(events)).toBe(output[0].content[0].text)
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } })
}

/** The beginning of one answer, and that it failed. */
const expectBroken = (events: readonly Event[], id: string): void => {
  expectCounted(events)
  expect(textOf(events)).not.toBe('')
  expect(events.slice(-2)).toMatchObject([
    { type: 'error', code: 'stream_broken' },
    { type: 'response.failed', response: { id, status: 'failed', error: { code: 'stream_broken' } } },
  ])
  expect(events.filter(({ type }) => type === 'error')).toHaveLength(1)
}

describe.each([
  ['while its client waits', {}],
  ['in the background', { background: true }],
])('a worker that is killed with a response %s', (_, more) => {
  it('before the first content is replaced, and its reader sees nothing of it', async () => {
    const worker = await onlyWorker()
    rig.first.script({ stream: { tokens, firstTokenMs: 60_000 } })
    const reading = ask(more)
    await until(() => calls() === 1)
    await startWorker()
    rig.first.script({ stream: { tokens } })
    await worker.kill()
    const reader = await reading
    await expectWhole(await reader.ended, reader.jobId)
    const job = await rig.client.ended(reader.jobId)
    expect(job.attempts.map(({ verdict, reason }) => verdict ?? reason)).toEqual(['worker_lost', 'ok'])
    expect(calls()).toBe(2)
  })

  it('after it ends as failed, for each reader by the same events', async () => {
    const worker = await onlyWorker()
    rig.first.script(slow)
    const reader = await ask(more)
    await hasContent(reader)
    const { id } = reader.seen()[0]!.response!
    await startWorker()
    await worker.kill()
    const events = await reader.ended
    expectBroken(events, id)
    expect(await rig.client.ended(reader.jobId)).toMatchObject({
      ...{ status: 'failed', error: { code: 'stream_broken' } },
      attempts: [{ reason: 'worker_lost', possibly_billed: true }],
    })
    expect(calls()).toBe(1)
    if (!('background' in more)) return
    expect(jobOfResponse(id)).toBe(reader.jobId)
    for (const after of [-1, 0, 2, 5, events.length - 2, events.length - 1]) {
      const late = await follow(rig.apiUrl, id, after)
      expect(await late.ended).toEqual(events.slice(after + 1))
    }
  })
})

describe('an API that is killed with a response in the background', () => {
  it('leaves its readers to go on at another, behind the last event that they have', async () => {
    await onlyWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 40 } })
    const other = await rig.site.api()
    const reader = await ask({ background: true })
    await hasContent(reader)
    const { id } = reader.seen()[0]!.response!
    await rig.api.kill()
    const had = await reader.ended
    expect(had.at(-1)!.type).not.toBe('response.completed')
    const rest = await follow(other.url, id, had.at(-1)!.sequence_number)
    const beside = await follow(other.url, id, -1)
    const events = [...had, ...(await rest.ended)]
    expect(await beside.ended).toEqual(events)
    await rig.startApi()
    await expectWhole(events, reader.jobId)
    expect(calls()).toBe(1)
  })
})
