import { describe, expect, it } from 'vitest'
import { createBytesInFlight, smallBytes } from '../../src/rate-limits/bytes-in-flight.ts'

const MB = 1024 * 1024
const never = new AbortController().signal

const open = (maxBytes = 8 * MB, maxTenantBytes = 4 * MB) => createBytesInFlight({ maxBytes, maxTenantBytes })

describe('bytes in flight', () => {
  it('have a bound, with a part of it for small ones', () => {
    const bytes = open(8 * MB, 8 * MB)
    const big = bytes.hold('a')
    expect(big.grow(7 * MB)).toBe('taken')
    const other = bytes.hold('a')
    expect(other.grow(MB)).toBe('all')
    expect(bytes.held).toBe(7 * MB)
    const small = Array.from({ length: (MB + smallBytes) / smallBytes }, () =>
      bytes.hold('a').grow(smallBytes),
    )
    expect(small.filter(taken => taken === 'taken')).toHaveLength(MB / smallBytes)
    big.release()
    big.release()
    expect(other.grow(MB)).toBe('taken')
    expect(bytes.held).toBe(2 * MB)
  })

  it('leave other tenants room beside one', () => {
    const bytes = open()
    expect(bytes.hold('a').grow(3 * MB)).toBe('taken')
    expect(bytes.hold('a').grow(MB)).toBe('tenant')
    expect(bytes.hold('b').grow(3 * MB)).toBe('taken')
    expect(bytes.hold('c').grow(3 * MB)).toBe('all')
    expect(bytes.hold('a').grow(1_000)).toBe('taken')
  })

  it('let in one that is larger than all there is, when no other large one is there', () => {
    const bytes = open()
    const small = bytes.hold('b')
    small.grow(1_000)
    const huge = bytes.hold('a')
    expect(huge.grow(20 * MB)).toBe('taken')
    // Also what grows as it comes, and others do not join it.
    expect(huge.grow(20 * MB)).toBe('taken')
    expect(bytes.hold('b').grow(MB)).toBe('all')
    // What answers bring is there in any case, and leaves small ones their part.
    bytes.hold('a').add(90 * MB)
    expect(small.grow(1_000)).toBe('taken')
  })

  it('are waited for in turn, each tenant by itself, and by nobody who left', async () => {
    const bytes = open()
    const first = bytes.hold('a')
    const order: string[] = []
    first.grow(3 * MB)
    const leaving = new AbortController()
    const left = bytes.wait(bytes.hold('a'), 3 * MB, leaving.signal)
    const wait = async (name: string, tenant: string, size: number) => {
      const holding = bytes.hold(tenant)
      await bytes.wait(holding, size, never)
      order.push(name)
      return holding
    }
    const second = wait('second', 'a', 3 * MB)
    const third = wait('third', 'a', 2 * MB)
    const other = await wait('other', 'b', 2 * MB)
    leaving.abort()
    expect(await left).toBe(false)
    expect(await bytes.wait(bytes.hold('a'), 1, AbortSignal.abort())).toBe(false)
    first.release()
    ;(await second).release()
    ;(await third).release()
    other.release()
    expect(order).toEqual(['other', 'second', 'third'])
    expect(bytes.held).toBe(0)
  })
})
