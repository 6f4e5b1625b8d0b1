import { describe, expect, it } from 'vitest'
import { createQueueRooms } from '../../src/batches/queue-rooms.ts'

/** Rooms beside a queue that the test moves by hand. */
const openRooms = () => {
  const queue = { free: 0, waiting: 0, served: 0, ofTenants: {} as Record<string, number> }
  const clock = { nowMs: 1_000_000 }
  let looks = 0
  const rooms = createQueueRooms(
    {
      look: async (_, tenants) => {
        looks += 1
        const { ofTenants, ...rest } = queue
        return { ...rest, ofTenants: tenants.map(tenant => ofTenants[tenant] ?? 0) }
      },
    },
    () => clock.nowMs,
  )
  const look = async (afterMs = 250, tenant = 't'): Promise<void> => {
    clock.nowMs += afterMs
    await rooms.look(['q'], tenant)
  }
  const asker = (batchId: string, dueMs: number, tenant = 't') => ({ batchId, tenant, dueMs })
  return { queue, clock, rooms, look, asker, looks: () => looks }
}

describe('the rooms of queues', () => {
  it('count what was fed until a look sees it', async () => {
    const { queue, rooms, look, asker } = openRooms()
    queue.free = 300
    await look()
    expect(rooms.left('q', asker('a', 1))).toBe(400)
    const waits = rooms.add('q', 't', 150)
    expect(rooms.left('q', asker('b', 1))).toBe(250)
    // Not pushed yet: no look can have seen it.
    await look()
    expect(rooms.left('q', asker('b', 1))).toBe(250)
    waits()
    Object.assign(queue, { waiting: 150, ofTenants: { t: 150 } })
    expect(rooms.left('q', asker('b', 1))).toBe(250)
    await look()
    expect(rooms.left('q', asker('b', 1))).toBe(250)
  })

  it('are looked at once for all who ask, and seldom while nothing moves', async () => {
    const { rooms, look, looks, queue, clock } = openRooms()
    await look()
    expect(looks()).toBe(1)
    await Promise.all([look(30), rooms.look(['q'], 't'), rooms.look(['q'], 't')])
    expect(looks()).toBe(2)
    for (let i = 0; i < 200; i++) await look(20)
    expect(looks()).toBeLessThan(40)
    queue.served = 5
    await look(200)
    const before = looks()
    for (let i = 0; i < 5; i++) {
      queue.served += 1
      clock.nowMs += 20
      await rooms.look(['q'], 't')
    }
    expect(looks()).toBe(before + 5)
  })

  it('go to the batch whose next line is due first, within a tenant', async () => {
    const { rooms, look, asker, clock } = openRooms()
    await look()
    await look(250, 'other')
    rooms.want('q', asker('early', 10))
    expect(rooms.left('q', asker('late', 20))).toBe(0)
    expect(rooms.left('q', asker('earlier', 5))).toBe(100)
    expect(rooms.left('q', asker('elsewhere', 20, 'other'))).toBe(100)
    // Its wish is over when it asks again, or no more.
    expect(rooms.left('q', asker('early', 10))).toBe(100)
    expect(rooms.left('q', asker('late', 20))).toBe(100)
    rooms.want('q', asker('early', 10))
    clock.nowMs += 1_000
    expect(rooms.left('q', asker('late', 20))).toBe(100)
  })

  it('follow the speed of the workers, not how fast free slots are filled', async () => {
    const { queue, rooms, look, asker } = openRooms()
    queue.free = 1_000
    await look()
    Object.assign(queue, { free: 0, served: 1_000 })
    await look(500)
    expect(rooms.left('q', asker('a', 1))).toBe(100)
    queue.served = 1_400
    await look(500)
    expect(rooms.left('q', asker('a', 1))).toBe(800)
  })
})
