import { afterAll, describe, expect, it } from 'vitest'
import { claimOf } from '../../src/jobs/codec.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { answer, leaseMs, openStore } from './store-fixture.ts'

const { store, redis, keys, clock, newJob, created, scheduleOf, close } = openStore()
afterAll(close)

describe('the job store, creation', () => {
  describe('a new job', () => {
    it('is written with all that the client asked for', async () => {
      const asked = {
        tenant: 'acme',
        webhook: { url: 'https://hooks.example/x', secret: 'whsec_abc' },
        metadata: { order: '7' },
        priority: 'high',
        retryOf: 'job_before',
      } as const
      const job = newJob(asked)
      expect(await store.create(job)).toEqual({ kind: 'created' })
      const { body, idempotency: _, ...spec } = job
      expect(await store.read(job.id)).toMatchObject({
        ...spec,
        status: 'queued',
        hop: 0,
        generation: 0,
        attempts: [],
        delivery: { status: 'pending', attempts: 0 },
      })
      expect(await store.readBody(job.id)).toBe(body)
      expect(await redis.pttl(keys.record(job.id))).toBe(-1)
    })

    it('is owed its doorbell, and the timer of a deadline that is near', async () => {
      const id = await created()
      expect(await scheduleOf(id)).toEqual({ '.0.0': clock.nowMs + 1_500, '.x': clock.nowMs + 60_000 })
      const patient = await created({ expiresAtMs: clock.nowMs + 3_600_000 })
      expect(Object.keys(await scheduleOf(patient))).toEqual(['.0.0'])
    })

    it('is created once though the same call is sent again', async () => {
      const job = newJob()
      expect(await store.create(job)).toEqual({ kind: 'created' })
      await store.claim(job.id, 0, 0, 'w1')
      expect(await store.create(job)).toEqual({ kind: 'created' })
      expect((await store.read(job.id))!.status).toBe('running')
      const entries = (await redis.xrange(keys.index(5), '-', '+')) as [string, string[]][]
      expect(entries.filter(([, fields]) => fields[1] === job.id)).toHaveLength(1)
    })

    it('is claimed as it is made, where a run is named', async () => {
      const job = newJob()
      expect(await store.create(job, 'w1')).toEqual({ kind: 'claimed' })
      expect(await store.create(job, 'w1')).toEqual({ kind: 'claimed' })
      expect(await scheduleOf(job.id)).toEqual({ '.l': clock.nowMs + leaseMs, '.x': clock.nowMs + 60_000 })
      expect(await redis.hget(keys.record(job.id), 'holder')).toBe(`${clock.nowMs} w1`)
      expect(await store.claim(job.id, 0, 0, 'w2')).toBe('busy')
      // Nothing of it is read back.
      expect(await store.claim(job.id, 0, 0, 'w1')).toEqual(claimOf(job, 'w1'))
      expect(await store.finalise(claimOf(job, 'w1'), answer('done'))).toBe(true)
      expect(await store.create(job, 'w1')).toEqual({ kind: 'created' })
      expect(await scheduleOf(job.id)).toEqual({})
    })

    it('is put back once the lease of its first run is over', async () => {
      const job = newJob()
      await store.create(job, 'w1')
      const record = (await store.read(job.id))!
      expect(await store.recover(record)).toBe(false)
      clock.nowMs += leaseMs + 1
      expect(await store.recover(record)).toBe(true)
      expect(await store.create(job, 'w1')).toEqual({ kind: 'created' })
      const lost = { reason: 'worker_lost', possibly_billed: true }
      expect(await store.read(job.id)).toMatchObject({ status: 'queued', generation: 1, attempts: [lost] })
      expect(Object.keys(await scheduleOf(job.id))).toEqual(['.0.1', '.x'])
    })

    it('travels with others of every shard and gets its own reply', async () => {
      const many = Array.from({ length: 300 }, (_, i) =>
        newJob({ id: newJobId(i % 16, clock.nowMs), body: `"${i}"` }),
      )
      const replies = await Promise.all(many.map(job => store.create(job)))
      expect(new Set(replies.map(r => r.kind))).toEqual(new Set(['created']))
      expect(await Promise.all(many.map(job => store.readBody(job.id)))).toEqual(many.map(job => job.body))
    })
  })

  describe('an Idempotency-Key', () => {
    const keyed = (keyHash: string, fingerprint: string) =>
      newJob({ idempotency: { keyHash, fingerprint, ttlMs: 60_000 } })

    it('leads the same request to the first job, and refuses another', async () => {
      const first = keyed('k1', 'f1')
      expect(await store.create(first)).toEqual({ kind: 'created' })
      const [again, other] = [keyed('k1', 'f1'), keyed('k1', 'f2')]
      expect(await store.create(again)).toEqual({ kind: 'replayed', id: first.id })
      expect(await store.create(other)).toEqual({ kind: 'conflict' })
      expect(await store.read(again.id)).toBeNull()
      expect(await store.read(other.id)).toBeNull()
      expect(await scheduleOf(again.id)).toEqual({})
    })

    it('makes one job out of many requests at once', async () => {
      const same = Array.from({ length: 20 }, () => keyed('k2', 'f1'))
      const replies = await Promise.all(same.map(job => store.create(job)))
      const winners = same.filter((_, i) => replies[i]!.kind === 'created')
      expect(winners).toHaveLength(1)
      const losers = replies.filter(r => r.kind !== 'created')
      expect(losers).toEqual(losers.map(() => ({ kind: 'replayed', id: winners[0]!.id })))
    })

    it('answers the job itself when a created one is sent again', async () => {
      const job = keyed('k3', 'f1')
      await store.create(job)
      expect(await store.create(job)).toEqual({ kind: 'created' })
    })

    it('leads to the first job also where a run is named', async () => {
      const first = keyed('k5', 'f1')
      expect(await store.create(first, 'w1')).toEqual({ kind: 'claimed' })
      const again = keyed('k5', 'f1')
      expect(await store.create(again, 'w2')).toEqual({ kind: 'replayed', id: first.id })
      expect(await store.create(keyed('k5', 'f2'), 'w3')).toEqual({ kind: 'conflict' })
      expect(await store.read(again.id)).toBeNull()
      expect(await scheduleOf(again.id)).toEqual({})
    })

    it('is forgotten in time', async () => {
      await store.create(keyed('k4', 'f1'))
      const ttlMs = await redis.pttl(keys.idempotency(5, 'k4'))
      expect(ttlMs).toBeGreaterThan(50_000)
      expect(ttlMs).toBeLessThanOrEqual(60_000)
    })
  })
})
