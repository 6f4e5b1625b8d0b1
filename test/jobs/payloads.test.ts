import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { apartBytes, isApart } from '../../src/jobs/payloads.ts'
import type { Claim, JobResult } from '../../src/jobs/types.ts'
import { createMirrorStore } from '../../src/mirror/mirror-store.ts'
import { newMirrorId } from '../../src/redis/keys.ts'
import { type BatchFixture, openBatches } from '../batches/store/batch-fixture.ts'
import { startMonitor } from '../support/monitor.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { answer, failure, retentionMs } from './store-fixture.ts'

let server: OwnRedis
let f: BatchFixture
beforeAll(async () => {
  server = await ownRedis()
  f = openBatches({ url: server.url, prefix: 'long' })
})
afterAll(async () => {
  f.close()
  await server.stop()
})
beforeEach(() => f.redis.flushall())

const MB = 1024 * 1024
const long = (mark: string, bytes = MB): string =>
  JSON.stringify({ model: 'gpt-4', text: mark.repeat(bytes) })
const longAnswer = (mark: string): JobResult => answer(mark.repeat(MB))
const textOf = (final: JobResult): string => final.response!.body

/** Names of keys that hold long texts, with the ms that they have left; -1 for those that stay. */
const longKeys = async (): Promise<Record<string, number>> => {
  const names = (await f.redis.keys('long:*')).filter(name => /\}:[ap]:/.test(name))
  const left = await Promise.all(names.map(name => f.redis.pttl(name)))
  return Object.fromEntries(names.map((name, i) => [name, left[i]!]))
}
const times = async (): Promise<number[]> => Object.values(await longKeys())
const whole = async (claim: Claim): Promise<Claim> => f.store.withBody(claim)
const running = async (body: string): Promise<Claim> => whole(await f.running({ body }))

describe('payloads outside the record', () => {
  it.each([
    ['a'.repeat(apartBytes), false],
    ['a'.repeat(apartBytes + 1), true],
    // Three bytes each.
    ['€'.repeat(apartBytes / 3), false],
    ['€'.repeat(apartBytes / 3 + 1), true],
  ])('case %#: a text is long by its bytes', (text, expected) => {
    expect(isApart(text)).toBe(expected)
  })

  describe('a long body', () => {
    it('is read apart also where many that are not as long are claimed together', async () => {
      const body = 'm'.repeat(50_000)
      const ids: string[] = []
      for (let i = 0; i < 9; i++) ids.push(await f.created({ body }))
      const claims = await Promise.all(ids.map(id => f.store.claim(id, 0, 0, 'w1')))
      const carried = claims.map(claim => (typeof claim === 'string' ? claim : claim.body.length))
      expect(carried).toEqual([50_000, 50_000, 50_000, 50_000, 50_000, 0, 0, 0, 0])
      for (const claim of claims as Claim[]) expect((await whole(claim)).body).toBe(body)
    })

    it('goes through a job, a batch and a sample, and so does the answer, past every script', async () => {
      const monitor = await startMonitor(server.url)
      const claim = await f.running({ body: long('a') })
      expect(claim).toMatchObject({ body: '', unread: long('a').length })
      expect((await whole(claim)).body).toBe(long('a'))
      await f.store.finalise(await whole(claim), longAnswer('b'))
      expect((await f.store.read(claim.id))!.response!.body).toBe(textOf(longAnswer('b')))

      const lease = await f.leased(1)
      const job = f.batchJob(lease.id, 1, { body: long('c') })
      await f.work.feed(lease, f.feedOf(lease.id, 0, 1, { jobs: [job] }))
      await f.store.finalise(await whole(await f.claimed(job.id)), longAnswer('d'))
      const [line] = await f.work.peek(lease.id, 0, 10, 10 * MB)
      expect(line).toMatchObject({ status: 'succeeded', response: { body: textOf(longAnswer('d')) } })
      await f.work.collect(lease, await f.record(lease.id), f.collection([job.id]))

      const id = newMirrorId(3, f.clock.nowMs)
      const mirrors = createMirrorStore(f.redis, f.keys, () => f.clock.nowMs)
      await mirrors.create(f.newJob({ id, body: long('e') }), null)
      const sample = await whole((await f.store.claim(id, 0, 0, 'w1')) as Claim)
      expect(sample.body).toBe(long('e'))
      await f.store.finalise(sample, longAnswer('f'))
      await mirrors.retire(id, 1_000)
      for (const left of await times()) expect(left).toBeGreaterThan(0)

      const scripts = monitor.commands.filter(command => /^(?:evalsha|eval) /i.test(command))
      await monitor.stop()
      expect(scripts.length).toBeGreaterThan(10)
      // Texts of scripts are given once.
      const words = scripts.filter(command => !/^eval /i.test(command))
      expect(Math.max(...words.map(command => command.length))).toBeLessThan(apartBytes)
      // What is left is the job's answer, and what the sample had, for a moment.
      expect(Object.keys(await longKeys()).filter(name => name.includes(claim.id))).toHaveLength(1)
      expect(Object.keys(await longKeys()).filter(name => name.includes(job.id))).toEqual([])
    })

    it('has an end until its job is made, and none from then on', async () => {
      const job = f.newJob({ body: long('a') })
      // As if the process had died in between.
      await f.redis.set(f.keys.payload(job.id), job.body, 'PX', 5_000)
      expect(await f.store.create(job)).toEqual({ kind: 'created' })
      expect(await times()).toEqual([-1])
      // A feeder that was taken for dead writes it once more.
      const lease = await f.leased(1)
      const line = f.batchJob(lease.id, 1, { body: long('b') })
      const feed = f.feedOf(lease.id, 0, 1, { jobs: [line] })
      await f.work.feed(lease, feed)
      expect(await f.work.feed({ ...lease, token: 'zombie' }, feed)).toBe('lost')
      expect(await times()).toEqual([-1, -1])
      await f.store.cancel(job.id)
      expect((await times()).filter(left => left > 0 && left <= retentionMs)).toHaveLength(1)
    })

    it('is dropped with a job that was there before, or is no other', async () => {
      const idempotency = { keyHash: 'key', fingerprint: 'print', ttlMs: 60_000 }
      const first = f.newJob({ body: long('a'), idempotency })
      await f.store.create(first)
      const again = f.newJob({ body: long('a'), idempotency })
      expect(await f.store.create(again)).toEqual({ kind: 'replayed', id: first.id })
      const other = f.newJob({ body: long('b'), idempotency: { ...idempotency, fingerprint: 'other' } })
      expect(await f.store.create(other)).toEqual({ kind: 'conflict' })
      expect(Object.keys(await longKeys())).toEqual([f.keys.payload(first.id)])
      // Nobody who lost the answer to its creation makes it lose its body.
      expect(await f.store.create(first)).toEqual({ kind: 'created' })
      expect(await times()).toEqual([-1])
    })

    it('stays for a retry when its job has failed', async () => {
      const claim = await running(long('a'))
      await f.store.finalise(claim, failure)
      expect(await f.store.readBody(claim.id)).toBe(long('a'))
      const [left] = await times()
      expect(left).toBeGreaterThan(0)
    })
  })

  describe('a long answer', () => {
    it('of a worker that was too late never shows', async () => {
      const late = await running('{}')
      await f.store.finalise({ ...late, token: 'w2' }, longAnswer('b'))
      expect(await f.store.finalise(late, longAnswer('a'))).toBe(false)
      expect((await f.store.read(late.id))!.response!.body).toBe(textOf(longAnswer('b')))
      // It goes by itself.
      const left = await longKeys()
      expect(left[f.keys.answer(late.id, late.token)]).toBeLessThan(retentionMs / 2)
      expect(left[f.keys.answer(late.id, 'w2')]).toBeGreaterThan(retentionMs / 2)
    })

    it('waits for its webhook as the record does', async () => {
      const claim = await f.running({ webhook: { url: 'https://hooks.example/x' } })
      await f.store.finalise(claim, longAnswer('a'))
      expect(await times()).toEqual([-1])
      const taken = await f.store.takeDelivery(claim.id, 0)
      expect(taken!.body).toBe(textOf(longAnswer('a')))
      await f.store.recordDelivery(claim.id, 0, { status: 'dead', reason: 'gone_410' })
      expect((await times())[0]).toBeGreaterThan(0)
      await f.store.redeliver(claim.id)
      expect(await times()).toEqual([-1])
      await f.store.recordDelivery(claim.id, 1, { status: 'delivered', reason: '200' })
      expect((await times())[0]).toBeGreaterThan(0)
    })

    it('is asked for with its length before it is read, and not read at all for a list', async () => {
      const claim = await running('{}')
      await f.store.finalise(claim, longAnswer('a'))
      const asked: number[] = []
      const record = await f.store.readWhen(claim.id, async bytes => asked.push(bytes))
      expect(asked).toEqual([record!.response!.body.length])
      const [head] = await f.store.readHeads([claim.id])
      expect(head).toMatchObject({ status: 'succeeded', response: null })
    })

    it('is written anew when it went before its record came', async () => {
      const claim = await running('{}')
      const { redis, keys } = f
      const name = keys.answer(claim.id, claim.token)
      const writing = f.store.finalise(claim, longAnswer('a'))
      // Between the two writes, as a long outage would.
      await redis.unlink(name)
      expect(await writing).toBe(true)
      expect((await f.store.read(claim.id))!.response!.body).toBe(textOf(longAnswer('a')))
    })
  })

  describe('while Redis is full', () => {
    const setMemory = (bytes: number) => f.redis.config('SET', 'maxmemory', bytes)

    it('long answers are taken, long bodies are not, and a key still tells of its job', async () => {
      const idempotency = { keyHash: 'key', fingerprint: 'print', ttlMs: 60_000 }
      const first = f.newJob({ body: long('a'), idempotency })
      await f.store.create(first)
      const claim = await whole(await f.claimed(first.id))
      await setMemory(1)
      try {
        await expect(f.store.create(f.newJob({ body: long('b') }))).rejects.toThrow(/OOM/)
        const again = f.newJob({ body: long('a'), idempotency })
        expect(await f.store.create(again)).toEqual({ kind: 'replayed', id: first.id })
        expect(await f.store.finalise(claim, longAnswer('€'))).toBe(true)
      } finally {
        await setMemory(0)
      }
      expect((await f.store.read(first.id))!.response!.body).toBe(textOf(longAnswer('€')))
    })
  })
})
