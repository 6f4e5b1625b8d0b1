import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMetadataIndex } from '../../src/jobs/list-entry.ts'
import { createSchedule, type Schedule } from '../../src/jobs/schedule.ts'
import { createJobStore } from '../../src/jobs/store.ts'
import type { JobStore } from '../../src/jobs/types.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createTelemetry } from '../../src/telemetry/telemetry.ts'
import { leaseMs, openStore, retentionMs, type StoreFixture } from './store-fixture.ts'

const minuteMs = 60_000

let fixture: StoreFixture
beforeEach(() => {
  fixture = openStore()
})
afterEach(() => fixture.close())

/** What a process has whose time is off, though it knows how far it is ahead of the clock of Redis. */
const processOff = (
  offMs: number,
  aheadMs = 0,
): { readonly store: JobStore; readonly schedule: Schedule } => {
  const { redis, keys } = fixture
  const run = createScriptRunner(redis)
  const clock = { now: () => Date.now() + offMs, aheadMs: () => aheadMs }
  const times = { leaseMs, retentionMs }
  return {
    store: createJobStore({
      redis,
      run,
      keys,
      index: createMetadataIndex([]),
      ...times,
      ...clock,
      telemetry: createTelemetry(),
    }),
    schedule: createSchedule(redis, run, keys, clock),
  }
}

/** A job that a worker holds whose time is off by so much. */
const heldBy = async (offMs: number, aheadMs = 0): Promise<string> => {
  const { store } = processOff(offMs, aheadMs)
  const id = await fixture.created({ expiresAtMs: Date.now() + 100 * minuteMs })
  await fixture.schedule.remove([`${id}.0.0`, `${id}.x`])
  const claim = await store.claim(id, 0, 0, 'w1')
  if (typeof claim === 'string' || !(await store.renew(claim))) throw new Error('not held')
  return id
}

const takes = async (id: string, offMs: number, aheadMs = 0): Promise<boolean> => {
  const { schedule, store } = processOff(offMs, aheadMs)
  const untilMs = Date.now() + offMs + 5_000
  const took = (await schedule.takeDue(100, untilMs)).includes(`${id}.l`)
  const record = await store.read(id)
  const recovered = await store.recover(record!, took ? untilMs : 0)
  expect(recovered).toBe(took)
  return took
}

describe('leases under wrong clocks', () => {
  it.each([
    ['of a worker whose time is behind lasts as long as others take it for', -10 * minuteMs, 0],
    ['is not taken by a sweeper whose time is ahead', 0, 10 * minuteMs],
    ['is not taken by one whose time is ahead from one that is behind', -10 * minuteMs, 10 * minuteMs],
  ])('a live lease %s', async (_, holderOffMs, sweeperOffMs) => {
    const id = await heldBy(holderOffMs)
    expect(await takes(id, sweeperOffMs)).toBe(false)
    expect(await fixture.store.read(id)).toMatchObject({ status: 'running', generation: 0 })
  })

  it('of a Redis that is behind the time of all, leases end in time', async () => {
    const aheadMs = 10 * minuteMs
    const id = await heldBy(aheadMs, aheadMs)
    expect(await takes(id, aheadMs, aheadMs)).toBe(false)
    const laterMs = aheadMs + leaseMs + 1_000
    expect(await takes(id, laterMs, laterMs)).toBe(true)
  })

  it('a lease is taken by a sweeper whose time is behind only when it is over by that, too', async () => {
    const id = await heldBy(0)
    await fixture.redis.zadd(fixture.keys.schedule(5), Date.now() - 1_000, `${id}.l`)
    expect(await takes(id, -10 * minuteMs)).toBe(false)
    expect(await takes(id, 0)).toBe(true)
  })
})
