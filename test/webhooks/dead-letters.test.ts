import { afterAll, describe, expect, it } from 'vitest'
import type { NewJob } from '../../src/jobs/types.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createDeadLetters } from '../../src/webhooks/dead-letters.ts'
import { createDeliveries } from '../../src/webhooks/deliveries.ts'
import { openBatches } from '../batches/store/batch-fixture.ts'
import { answer, batchRetentionMs, deadLetterRetentionMs, leaseMs } from '../jobs/store-fixture.ts'

const fixture = openBatches()
const { store, redis, keys, clock, running, scheduleOf, leased, work, record } = fixture
afterAll(fixture.close)

const now = (): number => clock.nowMs
const letters = createDeadLetters({
  redis,
  keys,
  retentionMs: { jobs: deadLetterRetentionMs, batches: batchRetentionMs },
  now,
})
const ofBatches = createDeliveries({
  ...{ redis, run: createScriptRunner(redis), keys, recordOf: keys.batch, leaseMs, now },
  ...{ retentionMs: batchRetentionMs, deadLetterRetentionMs: batchRetentionMs },
})
const webhook = { url: 'https://hooks.example/x' }
const gone = { status: 'dead', reason: 'gone_410' } as const

let shard = 0
/** A job whose webhook was given up at its second attempt, each in another shard. */
const died = async (tenant: string, more: Partial<NewJob> = {}): Promise<string> => {
  const id = newJobId(shard++ % 16, clock.nowMs)
  const claim = await running({ id, tenant, webhook, expiresAtMs: clock.nowMs + 60_000, ...more })
  await store.finalise(claim, answer('x'))
  await store.recordDelivery(id, 0, { status: 'pending', reason: 'timeout', nextAtMs: clock.nowMs })
  await store.recordDelivery(id, 1, gone)
  return id
}
const batchDied = async (tenant: string): Promise<string> => {
  const lease = await leased(0, { tenant, webhook, inputFileId: null })
  const fault = { code: 'empty_file', message: 'no lines', param: null, line: null }
  await work.end(lease, await record(lease.id), { output: null, error: null }, [fault])
  await ofBatches.recordDelivery(lease.id, 0, gone)
  return lease.id
}
const idsOf = async (tenant: string, limit = 100): Promise<string[]> =>
  (await letters.list(tenant, null, limit)).map(({ id }) => id)

describe('a dead letter', () => {
  it('is listed, newest first, and kept longer than other jobs', async () => {
    const first = await died('new')
    clock.nowMs += 1
    const second = await died('new')
    expect(await letters.list('new', null, 2)).toEqual([
      { id: second, diedAtMs: clock.nowMs },
      { id: first, diedAtMs: clock.nowMs - 1 },
    ])
    expect(await scheduleOf(second)).toEqual({})
    expect(await redis.pttl(keys.record(second))).toBeGreaterThan(deadLetterRetentionMs - 60_000)
  })

  it('can be sent again, with its schedule from the start', async () => {
    const id = await died('again')
    const size = await letters.size()
    expect(await store.redeliver(id)).toBe(true)
    expect(await idsOf('again')).toEqual([])
    expect(await letters.size()).toBe(size - 1)
    expect(await scheduleOf(id)).toEqual({ '.w.2': clock.nowMs })
    expect(await redis.pttl(keys.record(id))).toBe(-1)
    expect(await store.read(id)).toMatchObject({
      delivery: { status: 'pending', attempts: 2 },
      deliveriesBefore: 2,
    })
    clock.nowMs += 1
    expect(await store.redeliver(id)).toBe(false)
  })

  it('is answered for the same when its call is sent again, whatever came of it meanwhile', async () => {
    const id = await died('same')
    expect(await store.redeliver(id)).toBe(true)
    await store.recordDelivery(id, 2, { status: 'delivered', reason: '200' })
    const after = await store.read(id)
    expect(await store.redeliver(id)).toBe(true)
    expect(await store.read(id)).toEqual(after)
    expect(await scheduleOf(id)).toEqual({})
  })

  it('is nothing that a delivered or unknown job could become', async () => {
    const claim = await running({ webhook })
    await store.finalise(claim, answer('x'))
    await store.recordDelivery(claim.id, 0, { status: 'delivered', reason: '200' })
    expect(await store.redeliver(claim.id)).toBe(false)
    expect(await store.redeliver('job_00000000000000000000000000')).toBe(false)
  })
})

describe('the list of dead letters', () => {
  it('is one of each tenant: a few stand behind nothing of another’s many', async () => {
    const mine = await died('few')
    for (let i = 0; i < 150; i++) {
      clock.nowMs += 1
      await died('many')
    }
    expect(await idsOf('few', 1)).toEqual([mine])
    expect(await idsOf('many', 1_000)).toHaveLength(150)
  })

  it('keeps each kind for as long as that is kept, whatever the other kind does', async () => {
    const batch = await batchDied('kinds')
    const job = await died('kinds')
    clock.nowMs += deadLetterRetentionMs + 1
    const later = await died('kinds')
    expect(await idsOf('kinds')).toEqual([later, batch])
    clock.nowMs += batchRetentionMs - deadLetterRetentionMs
    const last = await batchDied('kinds')
    expect(await idsOf('kinds')).toEqual([last, later])
    expect(await idsOf('kinds')).not.toContain(job)
  })

  it('loses letters past their retention, a few with each that comes, and shows none of them', async () => {
    const key = keys.deadLetters(shard % 16, 'jobs', 'old')
    const diedAt = (i: number): string =>
      String(clock.nowMs - deadLetterRetentionMs - 1 - i).padStart(13, '0')
    const names = Array.from({ length: 50 }, (_, i) => `${diedAt(i)}:${newJobId(shard % 16, clock.nowMs)}`)
    await redis.zadd(key, ...names.flatMap(name => [0, name]))
    const left: number[] = []
    for (let i = 0; i < 4; i++) {
      await died('old')
      shard += 15
      expect(await idsOf('old')).toHaveLength(i + 1)
      left.push((await redis.zcard(key)) - i - 1)
    }
    expect(left).toEqual([30, 10, 0, 0])
  })

  it('is walked page by page, through letters that died in one moment, whatever is sent again meanwhile', async () => {
    const all = new Set<string>()
    for (let i = 0; i < 25; i++) all.add(await died('pages', i % 3 === 0 ? {} : { priority: 'low' }))
    all.add(await batchDied('pages'))
    const seen: string[] = []
    for (let after = null as Awaited<ReturnType<typeof letters.find>>; ; ) {
      const page = await letters.list('pages', after, 4)
      seen.push(...page.map(({ id }) => id))
      if (page.length < 4) break
      after = page.at(-1)!
      await store.redeliver(after.id)
    }
    expect(seen).toHaveLength(26)
    expect(new Set(seen)).toEqual(all)
  })

  it('tells where a letter of the tenant stands, and nobody else', async () => {
    const id = await died('mine')
    const batch = await batchDied('mine')
    for (const letter of [id, batch])
      expect(await letters.find('mine', letter)).toEqual({ id: letter, diedAtMs: clock.nowMs })
    expect(await letters.find('yours', id)).toBe(null)
    expect(await letters.find('mine', 'job_00000000000000000000000000')).toBe(null)
    expect(await letters.find('mine', 'nonsense')).toBe(null)
  })

  it('is gone some time after its last letter', async () => {
    await died('short')
    for (const [kind, tenant] of [
      ['jobs', undefined],
      ['jobs', 'short'],
    ] as const) {
      const left = await redis.pttl(keys.deadLetters((shard - 1) % 16, kind, tenant))
      expect(left).toBeGreaterThan(deadLetterRetentionMs - 60_000)
      expect(left).toBeLessThanOrEqual(deadLetterRetentionMs)
    }
  })
})
