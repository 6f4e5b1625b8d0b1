import { afterAll, describe, expect, it } from 'vitest'
import { formatSkipped } from '../../../src/batches/finished-line.ts'
import { batchIdOf, batchJobId, lineNumberOf, newBatchId, shardOf, ulidOf } from '../../../src/redis/keys.ts'
import { answer, failure } from '../../jobs/store-fixture.ts'
import { openBatches } from './batch-fixture.ts'

const fixture = openBatches()
const { redis, keys, clock, store, work, batches, leased, record, feedOf, batchJob, collection, claimed } =
  fixture
afterAll(fixture.close)

const other = (id: string) => ({ id, token: 'theirs' })
const doneOf = (id: string) => redis.lrange(keys.finishedLines(id), 0, -1)

describe('the work of a batch', () => {
  describe('ids', () => {
    it.each([1, 31, 32, 99_999, 2 ** 25 - 1])('of job %i and batch derive from each other', number => {
      const batchId = newBatchId('openai', 11, clock.nowMs)
      const jobId = batchJobId(batchId, number)
      expect(lineNumberOf(jobId)).toBe(number)
      expect(batchIdOf(jobId, 'openai')).toBe(batchId)
      expect(batchIdOf(jobId, 'anthropic')).toBe(batchId.replace('batch_', 'msgbatch_'))
      expect(shardOf(jobId)).toBe(shardOf(batchId))
      expect(jobId).toMatch(/^job_[0-9a-hjkmnp-tv-z]{26}$/)
      expect(jobId).not.toContain(ulidOf(batchId))
    })
  })

  describe('the lease', () => {
    it('is one feeder’s until it runs out', async () => {
      const lease = await leased()
      expect(await work.due(1_000)).not.toContain(lease.id)
      expect(await work.take(other(lease.id), clock.nowMs + 5_000)).toBe(false)
      expect(await work.renew(other(lease.id), clock.nowMs + 5_000)).toBeNull()
      expect(await work.renew(lease, clock.nowMs + 6_000)).toBe('in_progress')
      clock.nowMs += 6_000
      expect(await work.due(1_000)).toContain(lease.id)
      expect(await work.take(other(lease.id), clock.nowMs + 5_000)).toBe(true)
      expect(await work.renew(lease, clock.nowMs + 5_000)).toBeNull()
    })

    it('is given back for others to take', async () => {
      const lease = await leased()
      await work.release(other(lease.id), clock.nowMs)
      expect(await work.due(1_000)).not.toContain(lease.id)
      await work.release(lease, clock.nowMs + 1_000)
      expect(await work.due(1_000)).not.toContain(lease.id)
      clock.nowMs += 1_000
      expect(await work.due(1_000)).toContain(lease.id)
      expect(await work.take(other(lease.id), clock.nowMs + 5_000)).toBe(true)
    })

    it('tells of a cancel', async () => {
      const lease = await leased()
      await batches.cancel(lease.id)
      expect(await work.renew(lease, clock.nowMs + 5_000)).toBe('cancelling')
    })
  })

  describe('feeding', () => {
    it('makes jobs that workers can claim, owes their doorbells, and moves the cursor', async () => {
      const lease = await leased()
      const { id } = lease
      const long = `{"model":"m","x":"${'x'.repeat(2_000)}"}`
      const jobs = [batchJob(id, 1), batchJob(id, 2, { body: long })]
      const skipped = [formatSkipped(3, 'row-3', 'rejected', { code: 'c', message: 'm', param: null })]
      expect(await work.feed(lease, { from: 0, to: 3, offset: 300, line: 4, jobs, skipped })).toBe(
        'in_progress',
      )

      expect((await record(id)).cursor).toEqual({
        fed: 3,
        offset: 300,
        line: 4,
        lowWatermark: 0,
        openBytes: 200,
      })
      expect(await doneOf(id)).toEqual(skipped)
      const job = await store.read(batchJobId(id, 1))
      expect(job).toMatchObject({ status: 'queued', customId: 'row-1', tenant: 'default' })
      expect(await fixture.scheduleOf(batchJobId(id, 1))).toEqual({ '.0.0': clock.nowMs + 1_500 })
      expect((await claimed(batchJobId(id, 2))).body).toBe(long)
      expect(await redis.xlen(keys.index(shardOf(id)))).toBe(0)
      expect(await work.openJobs(id, [1, 2, 3, 4])).toEqual([1, 2])
    })

    it('happens once though its script runs twice', async () => {
      const lease = await leased()
      const feed = feedOf(lease.id, 0, 2)
      await work.feed(lease, feed)
      const claim = await claimed(batchJobId(lease.id, 1))
      await store.finalise(claim, answer('x'))
      const before = await record(lease.id)
      expect(await work.feed(lease, feed)).toBe('in_progress')
      expect(await record(lease.id)).toEqual(before)
      expect((await store.read(claim.id))!.status).toBe('succeeded')
      expect(await doneOf(lease.id)).toEqual([claim.id])
    })

    it('changes nothing for a feeder that lost the lease, or does not know where the cursor is', async () => {
      const lease = await leased()
      expect(await work.feed(other(lease.id), feedOf(lease.id, 0, 2))).toBe('lost')
      expect(await work.feed(lease, feedOf(lease.id, 1, 2))).toBe('changed')
      expect((await record(lease.id)).cursor.fed).toBe(0)
      expect(await work.openJobs(lease.id, [1, 2])).toEqual([])
    })
  })

  describe('a job of a batch that ends', () => {
    const running = async () => {
      const lease = await leased()
      await work.feed(lease, feedOf(lease.id, 0, 1))
      return { lease, claim: await claimed(batchJobId(lease.id, 1)) }
    }

    it.each([
      ['succeeds', async claim => void (await store.finalise(claim, answer('x')))],
      ['fails', async claim => void (await store.finalise(claim, failure))],
      ['is cancelled', async claim => void (await store.cancel(claim.id))],
      ['expires', async claim => void (await store.expire(claim.id, 0))],
    ] as [string, (claim: Awaited<ReturnType<typeof claimed>>) => Promise<void>][])(
      'because it %s is handed to the collector, and stays until that has it',
      async (_, end) => {
        const { lease, claim } = await running()
        await end(claim)
        await end(claim)
        expect(await doneOf(lease.id)).toEqual([claim.id])
        expect(await redis.pttl(keys.record(claim.id))).toBe(-1)
        expect(await fixture.scheduleOf(claim.id)).toEqual({})
      },
    )

    it('is peeked at with all that its line needs', async () => {
      const { lease, claim } = await running()
      const attempt = {
        hop: 0,
        provider: 'second',
        adjusted: [{ field: 'seed', action: 'left_out' }] as const,
        model: 'm',
        started_at: (clock.nowMs + 30) / 1_000,
        duration_ms: 1,
        status_code: 200,
        verdict: 'ok' as const,
        reason: 'ok',
        possibly_billed: false,
      }
      await store.finalise(claim, { ...answer('x'), attempts: [attempt] })
      const [line] = await work.peek(lease.id, 0, 10, 1_000)
      expect(line).toEqual({
        kind: 'job',
        entry: claim.id,
        number: 1,
        customId: 'row-1',
        status: 'succeeded',
        response: { statusCode: 200, body: '{"text":"x"}' },
        error: null,
        usage: { input_tokens: 2, output_tokens: 1 },
        costUsd: 0.5,
        provider: 'second',
        adjusted: [{ field: 'seed', action: 'left_out', target: 'second/m' }],
        bytes: 100,
      })
    })

    it('is not peeked at together with more answers than asked for', async () => {
      const lease = await leased()
      await work.feed(lease, feedOf(lease.id, 0, 4))
      for (let number = 1; number <= 4; number++) {
        await store.finalise(await claimed(batchJobId(lease.id, number)), answer('x'.repeat(1_000)))
      }
      expect(await work.peek(lease.id, 0, 10, 1_500)).toHaveLength(2)
      expect(await work.peek(lease.id, 0, 3, 1e6)).toHaveLength(3)
      expect((await work.peek(lease.id, 3, 10, 1)).map(line => line.number)).toEqual([4])
    })
  })

  describe('collecting', () => {
    const done = async (count = 3) => {
      const lease = await leased(count)
      await work.feed(lease, feedOf(lease.id, 0, count))
      for (let number = 1; number <= count; number++) {
        await store.finalise(await claimed(batchJobId(lease.id, number)), answer('x'))
      }
      return { lease, batch: await record(lease.id), entries: await doneOf(lease.id) }
    }

    it('counts, makes the segment part of the file, and lets go of the jobs, in one step', async () => {
      const { lease, batch, entries } = await done()
      const two = entries.slice(0, 2)
      const reply = await work.collect(
        lease,
        batch,
        collection(two, {
          lowWatermark: 2,
          bytes: 200,
          counts: { succeeded: 1, errored: 1, canceled: 0, expired: 0 },
          error: { key: 'g/err', bytes: 7 },
          inputTokens: 5,
          outputTokens: 6,
          cachedTokens: 4,
          cost: 123,
          providers: new Map([['first', 2]]),
        }),
      )
      expect(reply).toBe('in_progress')
      const after = await record(lease.id)
      expect(after).toMatchObject({
        counts: { succeeded: 1, errored: 1 },
        collected: 2,
        usage: { input_tokens: 5, output_tokens: 6, cache_read_tokens: 4 },
        costUsd: 123e-8,
        providers: { first: 2 },
        outputBytes: 50,
        errorBytes: 7,
        cursor: { lowWatermark: 2, openBytes: 100 },
      })
      expect(await redis.lrange(keys.segments(batch.outputFileId), 0, -1)).toEqual(['g/out 50'])
      expect(await redis.lrange(keys.segments(batch.errorFileId), 0, -1)).toEqual(['g/err 7'])
      expect(await doneOf(lease.id)).toEqual(entries.slice(2))
      expect(await work.openJobs(lease.id, [1, 2, 3])).toEqual([3])
    })

    it('happens once though its script runs twice', async () => {
      const { lease, batch, entries } = await done()
      const one = collection(entries.slice(0, 1))
      await work.collect(lease, batch, one)
      const before = await record(lease.id)
      expect(await work.collect(lease, batch, one)).toBe('in_progress')
      expect(await record(lease.id)).toEqual(before)
      expect(await redis.llen(keys.segments(batch.outputFileId))).toBe(1)
      expect(await work.finishedCount(lease.id)).toBe(2)
    })

    it('changes nothing for a feeder that lost the lease, or that read other lines', async () => {
      const { lease, batch, entries } = await done()
      const before = await record(lease.id)
      expect(await work.collect(other(lease.id), batch, collection(entries))).toBe('lost')
      expect(await work.collect(lease, batch, collection([entries[1]!]))).toBe('changed')
      expect(await work.collect(lease, batch, collection([...entries, entries[0]!]))).toBe('changed')
      expect(await record(lease.id)).toEqual(before)
      expect(await work.finishedCount(lease.id)).toBe(3)
    })
  })

  describe('the end', () => {
    const collected = async (counts: object, more = {}) => {
      const lease = await leased(2, more)
      await work.feed(lease, feedOf(lease.id, 0, 2))
      for (const number of [1, 2]) await store.cancel(batchJobId(lease.id, number))
      const entries = await doneOf(lease.id)
      const zero = { succeeded: 0, errored: 0, canceled: 0, expired: 0 }
      await work.collect(
        lease,
        await record(lease.id),
        collection(entries, { counts: { ...zero, ...counts } }),
      )
      return lease
    }
    const fileOf = (id: string, bytes: number) => ({
      id,
      tenant: 'default',
      purpose: 'batch_output',
      filename: 'x.jsonl',
      bytes,
      createdAtMs: clock.nowMs,
      expiresAtMs: clock.nowMs + 1_000,
    })

    it('waits for every line', async () => {
      const lease = await leased(2)
      const files = { output: null, error: null }
      expect(await work.end(lease, await record(lease.id), files, [])).toBe('changed')
      await work.feed(lease, feedOf(lease.id, 0, 2))
      expect(await work.end(lease, await record(lease.id), files, [])).toBe('changed')
      expect((await record(lease.id)).status).toBe('in_progress')
    })

    it('makes files of the output, lets the input go, and starts the retention', async () => {
      const lease = await collected({ succeeded: 2 })
      const batch = await record(lease.id)
      const files = { output: fileOf(batch.outputFileId, 50), error: null }
      expect(await work.end(other(lease.id), batch, files, [])).toBe('lost')
      expect(await work.end(lease, batch, files, [])).toBe('completed')

      expect(await record(lease.id)).toMatchObject({ status: 'completed', endedAtMs: clock.nowMs })
      expect(await redis.hgetall(keys.file(batch.outputFileId))).toMatchObject({
        tenant: 'default',
        bytes: '50',
      })
      expect(await redis.exists(keys.file(batch.errorFileId))).toBe(0)
      expect(await redis.zscore(keys.files('default'), batch.outputFileId)).not.toBeNull()
      const purge = keys.purge(shardOf(lease.id))
      expect(Number(await redis.zscore(purge, batch.outputFileId))).toBe(clock.nowMs + 1_000)
      expect(Number(await redis.zscore(purge, batch.errorFileId))).toBeGreaterThan(clock.nowMs)
      expect(await redis.hget(keys.file(batch.inputFileId!), 'refs')).toBe('0')
      expect(await redis.pttl(keys.batch(lease.id))).toBeGreaterThan(0)
      clock.nowMs += 60_000
      expect(await work.due(1_000)).not.toContain(lease.id)
      expect(await work.take(lease, clock.nowMs + 5_000)).toBe(false)
      expect(await work.end(lease, batch, files, [])).toBe('lost')
      expect(await redis.hget(keys.file(batch.inputFileId!), 'refs')).toBe('0')
    })

    it('is expired when a line is', async () => {
      const lease = await collected({ succeeded: 1, expired: 1 })
      expect(await work.end(lease, await record(lease.id), { output: null, error: null }, [])).toBe('expired')
    })

    it('is cancelled when that was asked for, whatever became of the lines', async () => {
      const lease = await collected({ succeeded: 1, expired: 1 })
      await batches.cancel(lease.id)
      expect(await work.finalizing(lease)).toBe('cancelling')
      expect(await work.end(lease, await record(lease.id), { output: null, error: null }, [])).toBe(
        'cancelled',
      )
    })

    it('is failed, with what is wrong, when the input is', async () => {
      const lease = await leased(1, { total: null })
      const faults = [{ code: 'empty_file', message: 'x', param: null, line: null }]
      expect(await work.end(lease, await record(lease.id), { output: null, error: null }, faults)).toBe(
        'failed',
      )
      expect(await record(lease.id)).toMatchObject({ status: 'failed', faults, total: null })
    })

    it('owes the webhook, and keeps the record until it is delivered', async () => {
      const lease = await collected({ succeeded: 2 }, { webhook: { url: 'https://hooks.example/x' } })
      await work.end(lease, await record(lease.id), { output: null, error: null }, [])
      expect(await record(lease.id)).toMatchObject({ delivery: { status: 'pending', attempts: 0 } })
      expect(await fixture.scheduleOf(lease.id)).toEqual({ '.w.0': clock.nowMs })
      expect(await redis.pttl(keys.batch(lease.id))).toBe(-1)
    })

    it('removes the blobs of a batch’s own document', async () => {
      const lease = await collected({ succeeded: 2 }, { inputFileId: null })
      await work.end(lease, await record(lease.id), { output: null, error: null }, [])
      const owned = 'file-00000000000000000000000007'
      expect(Number(await redis.zscore(keys.purge(shardOf(owned)), owned))).toBe(clock.nowMs)
    })

    it('keeps them as long as the results where requests have failed, or until the batch is deleted', async () => {
      const owned = 'file-00000000000000000000000007'
      const purgedAt = async () => Number(await redis.zscore(keys.purge(shardOf(owned)), owned))
      const lease = await collected({ succeeded: 1, errored: 1 }, { inputFileId: null, dialect: 'anthropic' })
      const batch = await record(lease.id)
      await work.end(lease, batch, { output: fileOf(batch.outputFileId, 50), error: null }, [])
      expect(await purgedAt()).toBe(clock.nowMs + 1_000)
      await batches.remove(lease.id)
      expect(await purgedAt()).toBe(clock.nowMs)
    })
  })

  describe('a step', () => {
    it('is fenced, and leaves a cancelled batch cancelled', async () => {
      const lease = await leased(1, { total: null })
      expect(await work.validated(other(lease.id), 5, 'm')).toBe('lost')
      expect(await work.validated(lease, 5, 'm')).toBe('in_progress')
      expect(await work.validated(lease, 5, 'm')).toBe('in_progress')
      expect(await record(lease.id)).toMatchObject({ total: 5, model: 'm', inProgressAtMs: clock.nowMs })
      const cancelled = await leased(1, { total: null })
      await batches.cancel(cancelled.id)
      expect(await work.validated(cancelled, 5, null)).toBe('cancelling')
      expect(await record(cancelled.id)).toMatchObject({
        total: 5,
        status: 'cancelling',
        inProgressAtMs: null,
      })
    })
  })
})
