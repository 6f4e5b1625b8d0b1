import { setImmediate as turn } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import type { Claim } from '../../src/jobs/types.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createStreamHub, type StreamHub } from '../../src/streams/stream-hub.ts'
import { createStreamLeavers } from '../../src/streams/stream-leavers.ts'
import { createStreamLogs, type StreamLogs } from '../../src/streams/stream-logs.ts'
import { createStreamReader, type StreamPosition } from '../../src/streams/stream-reader.ts'
import { createStreamWriter } from '../../src/streams/stream-writer.ts'
import { answer, openStore, type StoreFixture } from '../jobs/store-fixture.ts'
import { testRedis } from '../support/redis.ts'

const log = pino({ level: 'silent' })

/** One process: what it appends and what it reads. */
interface Process {
  readonly logs: StreamLogs
  readonly hub: StreamHub
}

let place: { url: string; prefix: string }
let fixture: StoreFixture
let worker: Process
let api: Process
const opened: Redis[] = []

const openProcess = async (
  instance: string,
  living?: () => Promise<ReadonlySet<string>>,
): Promise<Process> => {
  const [redis, subscriber] = [new Redis(place.url), new Redis(place.url)]
  opened.push(redis, subscriber)
  const hub = createStreamHub(subscriber, fixture.keys, instance)
  await hub.start()
  return {
    hub,
    logs: createStreamLogs({
      ...{ redis, run: createScriptRunner(redis), keys: fixture.keys, instance },
      ...(living && { living }),
    }),
  }
}

beforeAll(async () => {
  place = testRedis()
  fixture = openStore(place)
  worker = await openProcess('worker')
  api = await openProcess('api')
})

afterAll(() => {
  for (const redis of opened) redis.disconnect()
  fixture.close()
})

const running = (readers: readonly string[] = ['api']): Promise<Claim> => fixture.running({ stream: readers })

const writerOf = (claim: Claim, more: { groupMs?: number; isPrompt?: boolean; maxBytes?: number } = {}) => {
  let lost = 0
  const writer = createStreamWriter({
    ...{
      jobId: claim.id,
      token: claim.token,
      run: claim.token,
      logs: worker.logs,
      deliver: worker.hub.deliver,
      log,
    },
    ...{ groupMs: 5, isPrompt: false, maxBytes: 1_000_000, ...more },
    persist: write => write(),
    onLost: () => {
      lost += 1
    },
  })
  return { writer, lost: () => lost }
}

/** A reader whose connection takes what it gets while `flows` says so. */
const readerOf = (
  jobId: string,
  {
    from = { run: null, offset: 0 },
    flows = () => true,
    at = api,
  }: { from?: StreamPosition; flows?: () => boolean; at?: Process } = {},
) => {
  const parts: Buffer[] = []
  const reader = createStreamReader({
    ...{ jobId, from, hub: at.hub, logs: at.logs },
    write: bytes => {
      parts.push(bytes)
      return flows()
    },
  })
  onTestFinished(() => reader.close())
  return { reader, text: () => Buffer.concat(parts).toString() }
}

const event = (n: number | string): string => `data: {"n":"${n} ${'ä→😀'.repeat(Number(n) % 7)}"}\n\n`
const events = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => event(from + i)).join('')

const write = async (writer: { write(text: string): void }, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n++) {
    writer.write(event(n))
    await turn()
  }
}

const endOf = async (claim: Claim, bytes: number | undefined): Promise<void> => {
  const final = bytes === undefined ? answer('x') : { ...answer('x'), streamed: { run: claim.token, bytes } }
  expect(await fixture.store.finalise(claim, final)).toBe(true)
}
const logOf = async (id: string) => (await fixture.store.readHeads([id]))[0]!.log

describe('the log of a stream', () => {
  it('brings every byte to a reader in another process, and is whole at the end', async () => {
    const claim = await running()
    const { reader, text } = readerOf(claim.id)
    const { writer } = writerOf(claim)
    await write(writer, 0, 200)
    expect(await writer.settled()).toBe(true)
    await endOf(claim, writer.bytes)
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
    expect(text()).toBe(events(0, 200))
  })

  it('names its run once the first bytes are there, and expires after the end', async () => {
    const claim = await running()
    expect(await logOf(claim.id)).toBeNull()
    const { writer } = writerOf(claim)
    writer.write(event(1))
    await writer.settled()
    expect(await logOf(claim.id)).toEqual({ run: claim.token, bytes: null })
    await endOf(claim, writer.bytes)
    const left = await fixture.redis.pttl(fixture.keys.log(claim.id, claim.token))
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(600_000)
  })

  it('takes nothing of a run that has lost its job, and tells it so once', async () => {
    const claim = await running()
    const { writer, lost } = writerOf(claim)
    await fixture.store.cancel(claim.id)
    writer.write(event(1))
    expect(await writer.settled()).toBe(false)
    writer.write(event(2))
    expect(lost()).toBe(1)
    expect(await fixture.redis.exists(fixture.keys.log(claim.id, claim.token))).toBe(0)
  })

  it('is sent again what Redis lost of it', async () => {
    const claim = await running()
    const { writer } = writerOf(claim, { groupMs: 0 })
    const { reader, text } = readerOf(claim.id)
    const key = fixture.keys.log(claim.id, claim.token)
    await write(writer, 0, 20)
    await until(async () => (await fixture.redis.strlen(key)) === Buffer.byteLength(events(0, 20)))
    // The tail of the append-only file is gone: the log ends as after an earlier append.
    await fixture.redis.set(key, event(0))
    await write(writer, 20, 30)
    expect(await writer.settled()).toBe(true)
    expect(await fixture.redis.get(key)).toBe(events(0, 30))
    await endOf(claim, writer.bytes)
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
    expect(text()).toBe(events(0, 30))
  })

  it('takes each event as it comes while Redis answers quickly, and what comes meanwhile together', async () => {
    const claim = await running()
    const { reader, text } = readerOf(claim.id)
    const { writer } = writerOf(claim, { groupMs: 3_600_000, isPrompt: true })
    for (let n = 0; n < 20; n++) {
      writer.write(event(n))
      await until(() => text() === events(0, n + 1))
    }
    await write(writer, 20, 200)
    await until(() => text() === events(0, 200))
    expect(await writer.settled()).toBe(true)
    await endOf(claim, writer.bytes)
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
  })

  it('keeps no more than its most bytes, and readers that keep up get all the same', async () => {
    const claim = await running()
    const { reader, text } = readerOf(claim.id)
    const late = readerOf(claim.id, { flows: () => false })
    const { writer } = writerOf(claim, { groupMs: 0, maxBytes: 300 })
    await write(writer, 0, 60)
    await writer.settled()
    expect(await fixture.redis.strlen(fixture.keys.log(claim.id, claim.token))).toBeLessThanOrEqual(300)
    await until(() => text() === events(0, 60))
    await endOf(claim, writer.bytes)
    const end = late.reader.finish(await logOf(claim.id))
    late.reader.resume()
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
    expect(text().startsWith(late.text())).toBe(true)
    late.reader.close()
    await end
  })
})

describe('a reader', () => {
  it('that is cut off again and again loses and doubles nothing', async () => {
    const claim = await running()
    const { writer } = writerOf(claim)
    let position: StreamPosition = { run: null, offset: 0 }
    let got = ''
    const writing = write(writer, 0, 400)
    for (let cut = 0; cut < 20; cut++) {
      const { reader, text } = readerOf(claim.id, { from: position })
      if (cut > 0) reader.catchUp()
      await until(() => text() !== '' || writer.bytes === Buffer.byteLength(events(0, 400)))
      reader.close()
      got += text()
      position = reader.position
    }
    await writing
    await writer.settled()
    await endOf(claim, writer.bytes)
    const { reader, text } = readerOf(claim.id, { from: position })
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
    expect(got + text()).toBe(events(0, 400))
  })

  it('that is slow holds nothing, and gets the rest from the log', async () => {
    const claim = await running()
    let flows = false
    const { reader, text } = readerOf(claim.id, { flows: () => flows })
    const { writer } = writerOf(claim)
    await write(writer, 0, 100)
    await writer.settled()
    expect(text().length).toBeLessThan(events(0, 100).length)
    await endOf(claim, writer.bytes)
    const end = reader.finish(await logOf(claim.id))
    flows = true
    reader.resume()
    expect(await end).toBe('whole')
    expect(text()).toBe(events(0, 100))
  })

  it('in the process of the worker needs no message', async () => {
    const claim = await running(['worker'])
    const { reader, text } = readerOf(claim.id, { at: worker })
    const { writer } = writerOf(claim, { groupMs: 10_000 })
    await write(writer, 0, 50)
    expect(text()).toBe(events(0, 50))
    await writer.settled()
    await endOf(claim, writer.bytes)
    expect(await reader.finish(await logOf(claim.id))).toBe('whole')
  })

  it('that joins late reads from the beginning, and hears what comes then', async () => {
    const claim = await running([])
    const { writer } = writerOf(claim)
    await write(writer, 0, 30)
    await until(async () => (await logOf(claim.id)) !== null)
    expect(await api.logs.join(claim.id)).toBe(true)
    const { reader, text } = readerOf(claim.id, { from: { run: claim.token, offset: 0 } })
    reader.catchUp()
    await write(writer, 30, 60)
    await writer.settled()
    await until(() => text() === events(0, 60))
    expect(await api.logs.leave(claim.id)).toBe(false)
  })

  it('of a run that did not answer is not given the other answer', async () => {
    const claim = await running()
    const { reader } = readerOf(claim.id, { from: { run: 'another', offset: 10 } })
    const { writer } = writerOf(claim)
    writer.write(event(1))
    await writer.settled()
    await endOf(claim, writer.bytes)
    expect(await reader.finish(await logOf(claim.id))).toBe('replaced')
  })

  it('finds that the log is gone', async () => {
    const claim = await running()
    const { writer } = writerOf(claim)
    writer.write(event(1))
    await writer.settled()
    await endOf(claim, writer.bytes)
    await fixture.redis.del(fixture.keys.log(claim.id, claim.token))
    const { reader } = readerOf(claim.id)
    expect(await reader.finish(await logOf(claim.id))).toBe('short')
  })
})

describe('a streamed job', () => {
  it('whose last reader leaves may be dropped where nobody can come back for it', async () => {
    const interactive = await fixture.created({ stream: ['api', 'other'], class: 'interactive' })
    expect(await api.logs.leave(interactive)).toBe(false)
    const lonely = await fixture.created({ stream: ['api'], class: 'interactive' })
    expect(await api.logs.leave(lonely)).toBe(true)
    const plain = await fixture.created({ stream: ['api'] })
    expect(await api.logs.leave(plain)).toBe(false)
    expect(await api.logs.join(await fixture.created())).toBe(false)
  })

  it('is dropped when its last living reader leaves, also where another was killed just before', async () => {
    const living = new Set(['last', 'other', 'killed'])
    const last = await openProcess('last', async () => living)
    const leavers = createStreamLeavers({
      ...{ hub: last.hub, logs: last.logs, store: fixture.store, log },
      ...{ graceMs: 1, silentAfterMs: 50 },
    })
    onTestFinished(() => leavers.stop())
    const read = await fixture.created({ stream: ['last', 'other', 'killed'], class: 'interactive' })
    const forsaken = await fixture.created({ stream: ['last', 'killed'], class: 'interactive' })
    leavers.left(read)
    leavers.left(forsaken)
    const readersOf = (id: string) => fixture.redis.hget(fixture.keys.record(id), 'stream')
    await until(
      async () => (await readersOf(forsaken)) === 'killed' && (await readersOf(read)) === 'other killed',
    )
    living.delete('killed')
    await until(async () => (await fixture.store.read(forsaken))?.status === 'cancelled')
    await until(async () => (await readersOf(read)) === 'other')
    expect(await fixture.store.read(read)).toMatchObject({ status: 'queued' })
  })

  it('goes back to its queue when its worker is lost before the first byte', async () => {
    const claim = await running()
    fixture.clock.nowMs += 60_000
    const record = (await fixture.store.read(claim.id))!
    expect(await fixture.store.recover(record)).toBe(true)
    expect(await fixture.store.read(claim.id)).toMatchObject({ status: 'queued', generation: 1 })
  })

  it('fails when its worker is lost after it, and the answer of the lost one comes too late', async () => {
    const claim = await running()
    const { writer } = writerOf(claim)
    writer.write(event(1))
    await writer.settled()
    fixture.clock.nowMs += 60_000
    const record = (await fixture.store.read(claim.id))!
    expect(await fixture.store.recover(record)).toBe(true)
    expect(await fixture.store.read(claim.id)).toMatchObject({
      status: 'failed',
      error: { code: 'stream_broken' },
      attempts: [{ reason: 'worker_lost', possibly_billed: true }],
    })
    expect(await fixture.scheduleOf(claim.id)).toEqual({})
    expect(await fixture.store.finalise(claim, { ...answer('x'), streamed: writer })).toBe(false)
    writer.write(event(2))
    expect(await writer.settled()).toBe(false)
  })

  it('has a lease of five seconds', async () => {
    const claim = await running()
    const entries = await fixture.scheduleOf(claim.id)
    expect(entries['.l']! - fixture.clock.nowMs).toBe(5_000)
    expect(await fixture.store.renew(claim)).toBe(true)
    expect((await fixture.scheduleOf(claim.id))['.l']! - fixture.clock.nowMs).toBe(5_000)
  })
})
