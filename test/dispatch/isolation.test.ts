import { describe, expect, it } from 'vitest'
import { createIsolation, type Isolation, type Seat } from '../../src/dispatch/isolation.ts'

const seatAt = (isolation: Isolation): Seat => {
  const seat = isolation.enter()
  if (seat instanceof Promise) throw new Error('nobody enters now')
  return seat
}

describe('isolated jobs', () => {
  it('many run together', () => {
    const isolation = createIsolation()
    const seats = [seatAt(isolation), seatAt(isolation)]
    expect(isolation.isOpen).toBe(true)
    for (const seat of seats) seat.leave()
  })

  it('one is alone when all others have left, and nobody enters until it has left', async () => {
    const isolation = createIsolation()
    const [other, suspect] = [seatAt(isolation), seatAt(isolation)]
    let changes = 0
    isolation.onChange(() => (changes += 1))
    suspect.ask()
    expect([suspect.isAlone(), isolation.isOpen]).toEqual([false, false])
    let entered: Seat | null = null
    const entering = Promise.resolve(isolation.enter()).then(seat => {
      entered = seat
    })
    other.leave()
    expect(suspect.isAlone()).toBe(true)
    await Promise.resolve()
    expect(entered).toBeNull()
    suspect.leave()
    await entering
    expect(entered).not.toBeNull()
    expect([isolation.isOpen, changes]).toEqual([true, 1])
  })

  it('several that have to be alone are so one after the other, before all that wait', async () => {
    const isolation = createIsolation()
    const [first, second] = [seatAt(isolation), seatAt(isolation)]
    second.ask()
    first.ask()
    expect([second.isAlone(), first.isAlone()]).toEqual([true, false])
    const entering = isolation.enter()
    second.leave()
    expect([first.isAlone(), isolation.isOpen]).toEqual([true, false])
    first.leave()
    expect((await entering).isAlone()).toBe(false)
  })

  it('one that leaves before its turn holds nobody up, and leaving twice counts once', async () => {
    const isolation = createIsolation()
    const [suspect, next, other] = [seatAt(isolation), seatAt(isolation), seatAt(isolation)]
    suspect.ask()
    next.ask()
    suspect.leave()
    suspect.leave()
    expect(next.isAlone()).toBe(false)
    other.leave()
    expect(next.isAlone()).toBe(true)
  })
})
