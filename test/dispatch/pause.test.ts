import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { pause } from '../../src/dispatch/pause.ts'
import { Interrupt } from '../../src/domain/interrupt.ts'

const longMs = 1_000_000

describe('a pause of a job in its slot', () => {
  it('ends by its time, sooner, or with the call that is interrupted', async () => {
    await pause(1, new Interrupt())
    await pause(longMs, new Interrupt(), Promise.resolve())
    const interrupt = new Interrupt()
    const paused = pause(longMs, interrupt)
    interrupt.abort('cancelled')
    await paused
    await pause(longMs, interrupt)
  })

  it('is over once: what would have ended it sooner leaves the next listener alone', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const interrupt = new Interrupt()
    await pause(1, interrupt, promise)
    let heard = false
    interrupt.onabort = () => {
      heard = true
    }
    resolve()
    await turn()
    interrupt.abort('cancelled')
    expect(heard).toBe(true)
  })
})
