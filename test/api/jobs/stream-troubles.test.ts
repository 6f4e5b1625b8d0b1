import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createJobStreams } from '../../../src/api/jobs/job-streams.ts'
import { createJobWatcher } from '../../../src/api/jobs/job-watcher.ts'
import type { JobStore } from '../../../src/jobs/types.ts'
import { endJob, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

interface Opening {
  readonly read?: JobStore['read']
  readonly betweenBeatsMs?: number
  /** What the first rounds of reading meet. */
  readonly failures?: Error[]
}

/** A stream as the API opens it; `read` in place of the store's own. */
const opened = async ({ read, betweenBeatsMs, failures = [] }: Opening = {}) => {
  const { store, waiter } = api.parts
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: line => void lines.push(line) })
  let looks = 0
  const readHeads: JobStore['readHeads'] = async ids => {
    const failure = failures.pop()
    if (failure) throw failure
    const heads = await store.readHeads(ids)
    looks += 1
    return heads
  }
  const streams = createJobStreams(
    createJobWatcher(waiter, { readHeads }, log),
    { read: read ?? store.read },
    log,
    betweenBeatsMs,
  )
  const { id } = await submitJob(api)
  const stream = streams.open((await store.read(id))!, null)
  stream.setEncoding('utf8')
  return { id, stream, lines, looks: () => looks }
}

const eventsOf = (text: string): string[] => [...text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event!)

/** All that a reader gets from now on. */
const textOf = async (stream: Readable): Promise<string> => (await stream.toArray()).join('')

describe('troubles of a stream of events', () => {
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
    const { id, stream, looks } = await opened({ betweenBeatsMs: 20 })
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
    const read: JobStore['read'] = async id => {
      const failure = failures.pop()
      if (failure) throw failure
      return api.parts.store.read(id)
    }
    const { id, stream } = await opened({ read })
    const text = textOf(stream)
    await endJob(api, id)
    expect(eventsOf(await text)).toEqual(['job.queued', 'job.succeeded'])
    expect(failures).toEqual([])
  })

  it('a stream goes on after reads that failed, and the log has only the fault that is ours', async () => {
    const failures = [new Error('Connection is closed.'), new TypeError('a prompt')]
    const { id, stream, lines } = await opened({ failures })
    let text = ''
    stream.on('data', (chunk: string) => (text += chunk))
    await until(() => failures.length === 0)
    await api.parts.store.claim(id, 0, 0, 'token')
    // Not an end, so that only a round can find it.
    await until(() => eventsOf(text).includes('job.running'), 5_000)
    stream.destroy()
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { level: 50, msg: 'watched jobs not read', name: 'TypeError' },
    ])
    expect(lines.join()).not.toContain('prompt')
  })

  it('a fault of ours cuts the stream, and the log does not tell what it is about', async () => {
    const read = () => Promise.reject(new SyntaxError('Unexpected token in "a prompt"'))
    const { id, stream, lines } = await opened({ read })
    stream.resume()
    await endJob(api, id)
    await once(stream, 'close')
    expect(stream.readableEnded).toBe(false)
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { level: 50, msg: 'stream of a job cut', jobId: id, name: 'SyntaxError' },
    ])
    expect(lines.join()).not.toContain('prompt')
  })

  it('jobs that are too many for one round are read in turn', async () => {
    const rounds: string[][] = []
    const readHeads: JobStore['readHeads'] = async ids => {
      rounds.push([...ids])
      return ids.map(() => null)
    }
    const watcher = createJobWatcher(api.parts.waiter, { readHeads }, api.parts.log)
    const ids = Array.from({ length: 750 }, (_, i) => `job-${i}`)
    const shown = new Set<string>()
    const leave = ids.map(id => watcher.watch(id, () => shown.add(id)))
    await until(() => rounds.length === 2)
    for (const each of leave) each()
    expect(rounds).toEqual([ids.slice(0, 500), [...ids.slice(500), ...ids.slice(0, 250)]])
    expect(shown).toEqual(new Set(ids))
  })
})
