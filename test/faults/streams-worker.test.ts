import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import type { JobView } from '../../src/jobs/view.ts'
import { openRig, type Rig } from './rig.ts'
import {
  expectBroken,
  expectWhole,
  follow,
  plainText,
  readChat,
  stream,
  wholeEvents,
} from './stream-client.ts'

const tokens = 50
const atOnce = 3

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
  // With room for more a frozen worker would hear the next doorbell, and sleep on it for BullMQ's 5 s.
  rig = await openRig({ provider: { concurrency: atOnce } })
})
beforeEach(() => {
  const before = rig.first.calls.calls
  calls = () => rig.first.calls.calls - before
})
afterAll(() => rig.close())

const reasonsOf = (job: JobView) => job.attempts.map(({ verdict, reason }) => verdict ?? reason)
/** Each reader is told an error with the id of its own request. */
const withoutRequestIds = (text: string): string => plainText(text).replaceAll(/req_\w+/g, '')

const finished = (worker: Child, jobId: string) =>
  until(() => worker.lines.find(line => line.jobId === jobId && line.msg === 'job finished'))

describe('a worker that is killed', () => {
  it('before the first content is replaced, and its readers see nothing of it', async () => {
    const worker = await onlyWorker()
    rig.first.script({ stream: { tokens, firstTokenMs: 60_000 } })
    const reading = stream(rig.apiUrl)
    await until(() => calls() === 1)
    await startWorker()
    rig.first.script({ stream: { tokens } })
    await worker.kill()
    const reader = await reading
    await reader.ended
    const job = await rig.client.ended(reader.jobId)
    expectWhole(reader.text(), job)
    expect(reasonsOf(job)).toEqual(['worker_lost', 'ok'])
    expect(calls()).toBe(2)
  })

  it('after it ends its streams with one error, in the format of each client', async () => {
    const worker = await onlyWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 500 } })
    const openai = new OpenAI({ baseURL: `${rig.apiUrl}/v1`, apiKey: 'k', maxRetries: 0 })
    const anthropic = new Anthropic({ baseURL: rig.apiUrl, apiKey: 'k', maxRetries: 0 })
    const messages = [{ role: 'user' as const, content: 'hello' }]
    const texts = { openai: '', anthropic: '' }
    const chat = async () => {
      const chunks = await openai.chat.completions.create({ model: 'plain', messages, stream: true })
      for await (const chunk of chunks) texts.openai += chunk.choices[0]?.delta.content ?? ''
    }
    const message = anthropic.messages.stream({ model: 'plain', max_tokens: 1_000, messages })
    message.on('text', piece => {
      texts.anthropic += piece
    })
    const broken = Promise.all([
      expect(chat()).rejects.toMatchObject({ code: 'stream_broken' }),
      expect(message.finalMessage()).rejects.toThrow(/broke off/),
    ])
    const raw = await stream(rig.apiUrl)
    await until(() => texts.openai && texts.anthropic && readChat(raw.text()).content)
    await startWorker()
    await worker.kill()
    await broken
    expectBroken(await raw.ended)
    expect(await rig.client.read(raw.jobId)).toMatchObject({
      ...{ status: 'failed', error: { code: 'stream_broken' } },
      attempts: [{ reason: 'worker_lost', possibly_billed: true }],
    })
    const again = await follow(rig.apiUrl, raw.jobId)
    expect(withoutRequestIds(await again.ended)).toBe(withoutRequestIds(raw.text()))
    expect(calls()).toBe(3)
  })
})

describe('a worker that is killed in a stream that may begin anew', () => {
  it('is replaced, and each reader is told once that what it has is void', async () => {
    const worker = await onlyWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 500 } })
    const reader = await stream(rig.apiUrl, { headers: { 'x-baton-on-stream-failure': 'restart' } })
    const follower = await follow(rig.apiUrl, reader.jobId)
    await until(() => readChat(reader.text()).content && readChat(follower.text()).content)
    const { lastId } = wholeEvents(follower.text())
    rig.first.script({ stream: { tokens } })
    await startWorker()
    await worker.kill()
    const job = await rig.client.ended(reader.jobId)
    const late = await follow(rig.apiUrl, reader.jobId, lastId)
    for (const { ended } of [reader, follower, late]) {
      const parts = (await ended).split('event: baton.restart\n')
      expect(parts).toHaveLength(2)
      expectWhole(parts[1]!.slice(parts[1]!.indexOf('\n\n') + 2), job)
    }
    expect(reasonsOf(job)).toEqual(['worker_lost', 'ok'])
    expect(calls()).toBe(2)
  })

  it('adds nothing to the new answer when it was frozen only, and wakes', async () => {
    const frozen = await onlyWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 20 } })
    const reader = await stream(rig.apiUrl, { headers: { 'x-baton-on-stream-failure': 'restart' } })
    await reader.has(1_000)
    frozen.freeze()
    rig.first.script({ stream: { tokens, tokenGapMs: 60 } })
    await startWorker()
    await until(() => reader.text().includes('baton.restart'))
    frozen.thaw()
    expect(await finished(frozen, reader.jobId)).toMatchObject({ written: false })
    const job = await rig.client.ended(reader.jobId)
    const parts = (await reader.ended).split('event: baton.restart\n')
    expect(parts).toHaveLength(2)
    expectWhole(parts[1]!.slice(parts[1]!.indexOf('\n\n') + 2), job)
    expect(calls()).toBe(2)
  })
})

describe('a worker that is frozen for longer than its lease', () => {
  it('before the first content adds nothing to the answer of another when it wakes', async () => {
    const frozen = await onlyWorker()
    rig.first.script({ stream: { tokens, firstTokenMs: 500 } })
    const reading = Promise.all(Array.from({ length: atOnce }, () => stream(rig.apiUrl)))
    await until(() => calls() === atOnce)
    frozen.freeze()
    await startWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 60 } })
    const readers = await reading
    frozen.thaw()
    for (const { jobId } of readers) expect(await finished(frozen, jobId)).toMatchObject({ written: false })
    for (const reader of readers) {
      const job = await rig.client.ended(reader.jobId)
      expectWhole(await reader.ended, job)
      expect(readChat(reader.text()).answers).toEqual([(job.response!.body as { id: string }).id])
    }
    expect(calls()).toBe(2 * atOnce)
  })

  it('after it adds nothing to a stream that has ended with an error', async () => {
    const frozen = await onlyWorker()
    rig.first.script({ stream: { tokens, tokenGapMs: 20 } })
    const reader = await stream(rig.apiUrl)
    await reader.has(1_000)
    frozen.freeze()
    await startWorker()
    expectBroken(await reader.ended)
    frozen.thaw()
    await finished(frozen, reader.jobId)
    const again = await follow(rig.apiUrl, reader.jobId)
    expect(withoutRequestIds(await again.ended)).toBe(withoutRequestIds(reader.text()))
    expect(await rig.client.read(reader.jobId)).toMatchObject({ status: 'failed' })
    expect(calls()).toBe(1)
  })
})
