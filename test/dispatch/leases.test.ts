import { pino } from 'pino'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { createLeases } from '../../src/dispatch/leases.ts'
import { leaseMs, openStore } from '../jobs/store-fixture.ts'

const { store, clock, claimed, created, running, close } = openStore()
afterAll(close)

describe('leases of running jobs', () => {
  it('a job is known not to be ours any more once another worker has it, and others stay', async () => {
    const lost = await running()
    const kept = await claimed(await created(), 'w3')
    clock.nowMs += leaseMs
    expect(await store.recover((await store.read(lost.id))!)).toBe(true)
    await claimed(lost.id, 'w2')

    const leases = createLeases(store, 30, pino({ level: 'silent' }))
    onTestFinished(() => leases.stop())
    leases.hold(lost)
    leases.hold(kept)
    expect([leases.isOurs(lost), leases.isOurs(kept)]).toEqual([true, true])
    leases.start()
    await until(() => !leases.isOurs(lost))
    expect(leases.isOurs(kept)).toBe(true)
    leases.release(lost)
    leases.release(kept)
  })
})
