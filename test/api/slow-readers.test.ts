import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createJobStreams } from '../../src/api/job-streams.ts'
import { createJobWatcher } from '../../src/api/job-watcher.ts'
import type { JobStore } from '../../src/store/job-store.ts'
import { until } from '../support/until.ts'
import { endJob, openTestApi, submitJob, type TestApi } from './harness.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const shortBeatMs = 20

/** A stream as the API opens it; `read` in place of the store's own. */
const opened = async (read?: JobStore['read'], beatMs?: number) => {
  const { store, waiter } = api.parts
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: line => void lines.push(line) })
  let looks = 0
  const readHeads: JobStore['readHeads'] = async ids => {
    const heads = await store.readHeads(ids)
    looks += 1
    return heads
  }
  const streams = createJobStreams(
    createJobWatcher(waiter, { readHeads }, log),
    { read: read ?? store.read },
    log,
    beatMs,
  )
  const { id } = await submitJob(api)
  const stream = streams.open((await store.read(id))!, null)
  stream.setEncoding('utf8')
  return { id, stream, lines, looks: () => looks }
}

const eventsOf = (text: string): string[] => [...text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event!)

/** All that a reader gets from now on. */
const textOf = async (stream: Readable): Promise<string> => (await stream.toArray()).join('')

it('a reader that is slow gets the newest state, and what it missed is nowhere', async () => {
  const { store } = api.parts
  const { id, stream, looks } = await opened()
  await once(stream, 'readable')
  const first = stream.readableLength
  const isSeen = async () => {
    const before = looks()
    await until(() => looks() > before)
  }
  await store.claim(id, 0, 0, 'token')
  await isSeen()
  await store.cancel(id)
  await isSeen()
  expect(stream.readableLength).toBe(first)
  expect(eventsOf(await textOf(stream))).toEqual(['job.queued', 'job.cancelled'])
})

it('a stream without news says something now and then, to a reader that reads', async () => {
  const { id, stream, looks } = await opened(undefined, shortBeatMs)
  await once(stream, 'readable')
  const first = stream.readableLength
  // Long enough for many beats.
  await until(() => looks() > 0)
  expect(stream.readableLength).toBe(first)
  let text = ''
  stream.on('data', (chunk: string) => (text += chunk))
  await until(() => text.endsWith('\n\n:\n\n:\n\n'))
  await api.parts.store.cancel(id)
  await once(stream, 'end')
  expect(text).toMatch(
    /^retry: 2000\n\nid: .*\nevent: job.queued\ndata: .*\n\n(:\n\n)+id: .*\nevent: job.cancelled\ndata: .*\n\n$/,
  )
})

it('the end is told, though it could not be read at first', async () => {
  const failures = [new Error('Command timed out'), new Error('Connection is closed.')]
  const { id, stream } = await opened(async jobId => {
    const failure = failures.pop()
    if (failure) throw failure
    return api.parts.store.read(jobId)
  })
  const text = textOf(stream)
  await endJob(api, id)
  expect(eventsOf(await text)).toEqual(['job.queued', 'job.succeeded'])
  expect(failures).toEqual([])
})

it('a fault of ours cuts the stream, and the log does not tell what it is about', async () => {
  const { id, stream, lines } = await opened(async () => {
    throw new SyntaxError('Unexpected token in "a prompt"')
  })
  stream.resume()
  await endJob(api, id)
  await once(stream, 'close')
  expect(stream.readableEnded).toBe(false)
  expect(lines.map(line => JSON.parse(line))).toMatchObject([
    { level: 50, msg: 'stream of a job cut', jobId: id, name: 'SyntaxError' },
  ])
  expect(lines.join()).not.toContain('prompt')
})
