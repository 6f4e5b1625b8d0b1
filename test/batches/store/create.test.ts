import { afterAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { shardOf } from '../../../src/redis/keys.ts'
import { openBatches } from './batch-fixture.ts'

const { redis, keys, clock, batches, work, file, newBatch, record, leased, close } = openBatches()
afterAll(close)

const refs = async (fileId: string): Promise<number> => Number(await redis.hget(keys.file(fileId), 'refs'))

describe('the batch store', () => {
  describe('a new batch', () => {
    it('reads back as it was written, and waits for a feeder', async () => {
      const inputFileId = await file()
      const batch = newBatch({
        inputFileId,
        input: [
          { key: 'g/a', bytes: 10 },
          { key: 'g/b', bytes: 20 },
        ],
        metadata: { job: 'nightly' },
        webhook: { url: 'https://hooks.example/x', secret: 'whsec_x' },
        outputExpiresAfterMs: 3_600_000,
        retryOf: 'batch_x',
        maxCostUsd: 2.5,
      })
      expect(await batches.create(batch)).toEqual({ kind: 'created' })
      const { fingerprint: _, replay: __, ...written } = batch
      expect(await record(batch.id)).toMatchObject({
        ...written,
        status: 'validating',
        counts: { succeeded: 0, errored: 0, canceled: 0, expired: 0 },
        cursor: { fed: 0, offset: 0, line: 0, lowWatermark: 0, openBytes: 0 },
        delivery: { status: 'pending', attempts: 0, reason: null },
      })
      expect(await work.due(1_000)).toContain(batch.id)
      expect(await refs(inputFileId)).toBe(1)
    })

    it('is told to the feeders', async () => {
      const ear = redis.duplicate()
      await ear.subscribe(keys.batchesChannel)
      const told: string[] = []
      ear.on('message', (_, id) => told.push(id))
      const batch = newBatch({ inputFileId: await file() })
      await batches.create(batch)
      await until(() => told.includes(batch.id))
      ear.disconnect()
    })

    it('begins in progress when its input was checked on the way in', async () => {
      const batch = newBatch({
        dialect: 'anthropic',
        endpoint: '/v1/messages',
        total: 3,
        apiVersion: '2023-06-01',
      })
      await batches.create(batch)
      expect(await record(batch.id)).toMatchObject({
        status: 'in_progress',
        total: 3,
        inProgressAtMs: clock.nowMs,
        apiVersion: '2023-06-01',
        inputFileId: null,
      })
      // The blobs of its own document are kept well beyond its deadline.
      const owned = 'file-00000000000000000000000007'
      const keptUntil = Number(await redis.zscore(keys.purge(shardOf(owned)), owned))
      expect(keptUntil).toBeGreaterThan(batch.expiresAtMs)
    })

    it.each([
      ['is not there', async () => newBatch().id.replace('batch_', 'file-')],
      ['is another tenant’s', () => file({ tenant: 'other' })],
      ['is deleted', () => file({ deleted: 1 })],
      ['has expired', () => file({ expires: clock.nowMs })],
      [
        'is still arriving',
        () => file({ created: '' }).then(async id => (await redis.hdel(keys.file(id), 'created')) && id),
      ],
    ])('is not made of a file that %s', async (_, makeFile) => {
      const inputFileId = (await makeFile()) as string
      const batch = newBatch({ inputFileId })
      expect(await batches.create(batch)).toEqual({ kind: 'no_input' })
      expect(await batches.read(batch.id)).toBeNull()
      expect(await refs(inputFileId)).toBe(0)
      expect((await batches.list('default', 'openai', { limit: 100 })) as object).not.toMatchObject({
        batches: expect.arrayContaining([expect.objectContaining({ id: batch.id })]),
      })
    })

    it('is made once though its script runs twice', async () => {
      const inputFileId = await file()
      const batch = newBatch({ inputFileId })
      await batches.create(batch)
      const before = await record(batch.id)
      expect(await batches.create(batch)).toEqual({ kind: 'created' })
      expect(await record(batch.id)).toEqual(before)
      expect(await refs(inputFileId)).toBe(1)
    })

    it('is the earlier one when the client says that it may be', async () => {
      const inputFileId = await file()
      const first = newBatch({ inputFileId, fingerprint: 'same-1' })
      await batches.create(first)
      const again = newBatch({ inputFileId, fingerprint: 'same-1', replay: true })
      expect(await batches.create(again)).toEqual({ kind: 'replayed', id: first.id })
      expect(await refs(inputFileId)).toBe(1)
      expect(await batches.create(newBatch({ inputFileId, fingerprint: 'other-1', replay: true }))).toEqual({
        kind: 'created',
      })
      // Without the hint the same request makes another batch, as it does at the providers.
      expect(await batches.create(newBatch({ inputFileId, fingerprint: 'same-1' }))).toEqual({
        kind: 'created',
      })
    })

    it('is new when the earlier one was deleted', async () => {
      const lease = await leased(1, { dialect: 'anthropic', fingerprint: 'same-2' })
      await redis.del(keys.batch(lease.id))
      const again = newBatch({ dialect: 'anthropic', fingerprint: 'same-2', replay: true })
      expect(await batches.create(again)).toEqual({ kind: 'created' })
    })
  })

  describe('a cancel', () => {
    it('is noted once, and answers what the batch was', async () => {
      const batch = newBatch({ total: 1 })
      await batches.create(batch)
      expect(await batches.cancel(batch.id)).toBe('in_progress')
      expect(await record(batch.id)).toMatchObject({ status: 'cancelling', cancellingAtMs: clock.nowMs })
      expect(await batches.cancel(batch.id)).toBe('cancelling')
      expect(await batches.cancel(newBatch().id)).toBeNull()
    })
  })

  describe('the list', () => {
    it('goes both ways, newest first, by tenant and kind of client', async () => {
      const ids: string[] = []
      for (let i = 0; i < 5; i++) {
        const batch = newBatch({ tenant: 'lister', createdAtMs: clock.nowMs + i })
        const id = batch.id.replace(/.{5}00000/, `0000${i}00000`)
        await batches.create({ ...batch, id })
        ids.unshift(id)
      }
      await batches.create(newBatch({ tenant: 'lister', dialect: 'anthropic' }))
      ids.sort().reverse()
      const page = async (more: object) => {
        const list = await batches.list('lister', 'openai', { limit: 2, ...more })
        return list === 'unknown_cursor' ? list : [list.batches.map(b => b.id), list.hasMore]
      }
      expect(await page({})).toEqual([[ids[0], ids[1]], true])
      expect(await page({ after: ids[1] })).toEqual([[ids[2], ids[3]], true])
      expect(await page({ after: ids[3] })).toEqual([[ids[4]], false])
      expect(await page({ before: ids[4] })).toEqual([[ids[2], ids[3]], true])
      expect(await page({ before: ids[2] })).toEqual([[ids[0], ids[1]], false])
      expect(await page({ before: ids[0] })).toEqual([[], false])
      expect(await page({ after: newBatch().id })).toBe('unknown_cursor')
    })

    it('forgets batches whose retention has passed', async () => {
      const batch = newBatch({ tenant: 'forgetful' })
      await batches.create(batch)
      await redis.del(keys.batch(batch.id))
      const index = keys.batches('openai', 'forgetful')
      await batches.list('forgetful', 'openai', { limit: 10 })
      // It might be on its way.
      expect(await redis.zcard(index)).toBe(1)
      clock.nowMs += 120_000
      expect(await batches.list('forgetful', 'openai', { limit: 10 })).toEqual({
        batches: [],
        hasMore: false,
      })
      expect(await redis.zcard(index)).toBe(0)
    })
  })

  describe('removing', () => {
    it('takes a batch that has ended, with its results', async () => {
      const lease = await leased(1, { dialect: 'anthropic' })
      expect(await batches.remove(lease.id)).toBe('not_ended')
      const batch = await record(lease.id)
      await work.end(lease, batch, { output: null, error: null }, [
        { code: 'x', message: 'x', param: null, line: null },
      ])
      expect(await batches.remove(lease.id)).toBe('removed')
      expect(await batches.read(lease.id)).toBeNull()
      expect(await batches.remove(lease.id)).toBe('gone')
      expect(Number(await redis.zscore(keys.purge(shardOf(lease.id)), batch.outputFileId))).toBe(clock.nowMs)
    })
  })
})
