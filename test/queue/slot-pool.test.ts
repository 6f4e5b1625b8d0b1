import { describe, expect, it } from 'vitest'
import { createSlotPool, type SlotPool } from '../../src/queue/slot-pool.ts'

/** Whether a promise has resolved by the next turn. */
const isResolved = async (promise: Promise<void>): Promise<boolean> => {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await new Promise(setImmediate)
  return resolved
}

/** A loop fetches a ring, and has seen to it. */
const fetchRing = (places: SlotPool, doorbells: number): Promise<void> => {
  places.acquire(doorbells)
  return places.whenFree()
}

describe('the slot pool', () => {
  describe('a loop that has seen to its ring', () => {
    it('may fetch while the places outnumber what the loops that fetch may bring', async () => {
      const places = createSlotPool({ count: 18, loops: 2, bundleSize: 16 })
      expect(await isResolved(fetchRing(places, 1))).toBe(true)
      expect(await isResolved(fetchRing(places, 1))).toBe(false)
    })

    it('is held when no place is free, and goes with the first that is left', async () => {
      const places = createSlotPool({ count: 3, loops: 1, bundleSize: 16 })
      expect(places.acquire(5)).toBe(3)
      const asked = places.whenFree()
      expect(await isResolved(asked)).toBe(false)
      places.release()
      expect(await isResolved(asked)).toBe(true)
      expect(places.acquire(5)).toBe(1)
    })

    it('goes alone when others are held: one ring for one place', async () => {
      const places = createSlotPool({ count: 48, loops: 3, bundleSize: 16 })
      const held = [fetchRing(places, 16), fetchRing(places, 16), fetchRing(places, 16)]
      expect(await Promise.all(held.map(isResolved))).toEqual([false, false, false])
      const resolvedAfter = async (left: number): Promise<boolean[]> => {
        for (let i = 0; i < left; i++) places.release()
        return Promise.all(held.map(isResolved))
      }
      expect(await resolvedAfter(1)).toEqual([true, false, false])
      expect(await resolvedAfter(15)).toEqual([true, false, false])
      expect(await resolvedAfter(1)).toEqual([true, true, false])
      expect(await resolvedAfter(31)).toEqual([true, true, true])
    })

    it('does not wait for a loop that still sees to its own', async () => {
      const places = createSlotPool({ count: 2, loops: 2, bundleSize: 1 })
      places.acquire(1)
      const other = fetchRing(places, 1)
      expect(await isResolved(other)).toBe(false)
      places.release()
      expect(await isResolved(other)).toBe(true)
    })

    it.each([
      [1, 16],
      [16, 16],
      [17, 16],
      [50, 16],
      [100, 16],
      [20, 1],
    ])('is not held when all places are free: %s places, rings of %s', async (count, ringSize) => {
      const loops = Math.ceil(count / ringSize)
      const places = createSlotPool({ count, loops, bundleSize: ringSize })
      const asked = Array.from({ length: loops }, () => fetchRing(places, 0))
      expect(await Promise.all(asked.map(isResolved))).toEqual(asked.map(() => true))
    })
  })

  describe('a worker with little to do for now', () => {
    it('takes as many as there is something to do for, and fetches when there is more', async () => {
      let room = 2
      const places = createSlotPool({ count: 50, loops: 1, bundleSize: 16, room: () => room })
      expect(places.acquire(16)).toBe(2)
      room = 0
      const asked = places.whenFree()
      places.release()
      expect(await isResolved(asked)).toBe(false)
      room = 1
      places.changed()
      expect(await isResolved(asked)).toBe(true)
      expect(places.acquire(16)).toBe(1)
    })
  })

  describe('a worker that stops', () => {
    it('gives no place, and none that is left, and holds no loop', async () => {
      const places = createSlotPool({ count: 17, loops: 2, bundleSize: 16 })
      const held = [fetchRing(places, 16), fetchRing(places, 16)]
      expect(await Promise.all(held.map(isResolved))).toEqual([false, false])
      places.close()
      expect(await Promise.all(held.map(isResolved))).toEqual([true, true])
      places.release()
      expect(places.acquire(1)).toBe(0)
    })

    it('is empty when every place is left', async () => {
      const places = createSlotPool({ count: 2, loops: 1, bundleSize: 16 })
      expect(await isResolved(places.empty())).toBe(true)
      places.acquire(2)
      const empty = places.empty()
      places.release()
      expect(await isResolved(empty)).toBe(false)
      places.release()
      expect(await isResolved(empty)).toBe(true)
    })
  })

  it('gives as many more places as there are of no use, up to twice as many', () => {
    let idle = 0
    const places = createSlotPool({ count: 3, loops: 1, bundleSize: 16, idle: () => idle })
    expect(places.acquire(5)).toBe(3)
    idle = 2
    expect(places.acquire(5)).toBe(2)
    idle = 3
    expect(places.acquire(5)).toBe(1)
    idle = 9
    expect(places.acquire(5)).toBe(0)
    idle = 0
    for (let i = 0; i < 4; i++) places.release()
    expect(places.acquire(5)).toBe(1)
  })
})
