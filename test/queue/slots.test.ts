import { describe, expect, it } from 'vitest'
import { createSlots } from '../../src/queue/slots.ts'

describe('the slots of a worker', () => {
  it('are free until they are taken, and again when they are released', () => {
    const slots = createSlots({ count: 3 })
    slots.take(2)
    expect([slots.free, slots.taken]).toEqual([1, 2])
    slots.release()
    expect(slots.free).toBe(2)
  })

  it('are never more than there is room for', () => {
    let room = 5
    const slots = createSlots({ count: 50, room: () => room })
    expect(slots.free).toBe(5)
    room = 0.5
    expect(slots.free).toBe(0)
    room = Number.POSITIVE_INFINITY
    expect(slots.free).toBe(50)
  })

  it('are as many more as hang, and at most twice as many', () => {
    let idle = 2
    const slots = createSlots({ count: 3, idle: () => idle })
    slots.take(3)
    expect(slots.free).toBe(2)
    idle = 10
    expect(slots.free).toBe(3)
  })

  it('are not given any more once they are closed, and tell when all are released', async () => {
    const slots = createSlots({ count: 3 })
    slots.take(2)
    slots.close()
    expect(slots.free).toBe(0)
    let isEmpty = false
    const emptied = slots.empty().then(() => {
      isEmpty = true
    })
    slots.release()
    await Promise.resolve()
    expect(isEmpty).toBe(false)
    slots.release()
    await emptied
  })
})
