import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createBatchWork } from '../../src/batches/work.ts'
import { createMetadataIndex } from '../../src/jobs/list-entry.ts'
import { createJobStore } from '../../src/jobs/store.ts'
import type { Announce, JobStore, NewJob } from '../../src/jobs/types.ts'
import { createAnnounce } from '../../src/queue/announce.ts'
import { type Doorbells, webhookQueue } from '../../src/queue/doorbells.ts'
import { sweep } from '../../src/queue/sweeper.ts'
import { newBatchId } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createTelemetry } from '../../src/telemetry/telemetry.ts'
import { answer, failure, leaseMs, retentionMs } from '../jobs/store-fixture.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let q: QueueFixture
let store: JobStore

/** Nobody sweeps: what rings was rung by who ended the job. */
beforeEach(() => {
  q = openQueue()
  doorbells = q.doorbells
  store = createJobStore({
    index: createMetadataIndex([]),
    ...shared(),
    leaseMs,
    aheadMs: () => 0,
    telemetry: createTelemetry(),
    announce,
  })
})
afterEach(() => q.shut())

let doorbells: Pick<Doorbells, 'ring'>
const announce: Announce = (...webhook) =>
  createAnnounce(doorbells, pino({ level: 'silent' }), () => q.clock.nowMs)(...webhook)
const shared = () => ({
  ...{ redis: q.redis, run: createScriptRunner(q.redis), keys: q.keys, retentionMs },
  now: () => q.clock.nowMs,
})
const webhook = { url: 'https://hooks.example/x' }
const job = (more: Partial<NewJob> = {}): Partial<NewJob> => ({
  ...{ webhook, expiresAtMs: q.clock.nowMs + 86_400_000, ...more },
})
/** Its doorbell waits for a worker of webhooks, and nothing is left in the schedule. */
const isRung = async (id: string): Promise<void> => {
  await until(async () => (await q.doorbells.waiting(webhookQueue)) === 1)
  await until(async () => Object.keys(await q.scheduleOf(id)).length === 0)
}

describe('a webhook rings when the end is written', () => {
  it.each([
    ['succeeds', answer('x')],
    ['fails', failure],
  ])('of a job that %s', async (_, result) => {
    const claim = await q.running(job())
    expect(await store.finalise(claim, result)).toBe(true)
    await isRung(claim.id)
  })

  it('and is not lost where a worker holds it back before the ring is over', async () => {
    const heldUntilMs = q.clock.nowMs + 2_000
    let isOver = false
    doorbells = {
      ring: async ring => {
        await q.store.takeDelivery(claim.id, 0)
        await q.store.holdDelivery(claim.id, 0, heldUntilMs)
        await q.doorbells.ring(ring)
        isOver = true
      },
    }
    const claim = await q.running(job())
    await store.finalise(claim, answer('x'))
    await until(() => isOver)
    expect(await q.scheduleOf(claim.id)).toEqual({ '.w.0': heldUntilMs })
  })

  it('of a job that is cancelled, or expires, also where its tenant has a name', async () => {
    const id = await q.created(job({ tenant: 'acme' }))
    await store.cancel(id)
    await isRung(id)
    const other = await q.created(job())
    await store.expire(other, 0)
    await until(async () => (await q.doorbells.waiting(webhookQueue)) === 2)
  })

  it('of a batch that ends', async () => {
    const [id, nowMs] = [newBatchId('openai', 7, q.clock.nowMs), q.clock.nowMs]
    await q.batches.create({
      ...{ id, tenant: 'default', endpoint: '/v1/chat/completions', inputFileId: null, input: [] },
      ...{ dialect: 'openai', completionWindow: '24h', createdAtMs: nowMs, expiresAtMs: nowMs + 86_400_000 },
      ...{ total: null, metadata: null, webhook, maxCostUsd: null, outputExpiresAfterMs: null },
      ...{ apiVersion: null, retryOf: null, fingerprint: id, replay: false },
    })
    const work = createBatchWork({ ...shared(), announce })
    await work.take({ id, token: 'mine' }, nowMs + 5_000)
    const fault = { code: 'empty_file', message: 'no lines', param: null, line: null }
    const record = (await q.batches.read(id))!
    await work.end({ id, token: 'mine' }, record, { output: null, error: null }, [fault])
    await isRung(id)
  })

  it('once, though the end is written twice', async () => {
    const claim = await q.running(job())
    await store.finalise(claim, answer('x'))
    await isRung(claim.id)
    expect(await store.finalise(claim, answer('x'))).toBe(false)
    expect(await store.cancel(claim.id)).toBe('succeeded')
    await sweep(q.parts)
    expect(await q.doorbells.waiting(webhookQueue)).toBe(1)
  })

  it('by a sweeper, a moment later, where who ended it is gone', async () => {
    const dead = createJobStore({
      index: createMetadataIndex([]),
      ...{ ...shared(), leaseMs, aheadMs: () => 0, telemetry: createTelemetry() },
      announce: () => undefined,
    })
    const claim = await q.running(job())
    await dead.finalise(claim, answer('x'))
    await sweep(q.parts)
    expect(await q.doorbells.waiting(webhookQueue)).toBe(0)
    q.clock.nowMs += 1_500
    await sweep(q.parts)
    await isRung(claim.id)
  })

  it('not where nothing is owed', async () => {
    const claim = await q.running(job({ webhook: null }))
    await store.finalise(claim, answer('x'))
    await store.cancel(await q.created(job({ webhook: null })))
    await store.finalise(await q.running(job()), answer('x'))
    await until(async () => (await q.doorbells.waiting(webhookQueue)) === 1)
  })
})
