import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { createLifecycle, StopRequested } from '../../src/lifecycle/lifecycle.ts'

const log = pino({ level: 'silent' })

const recording = (graceMs = 1_000) => {
  const life = createLifecycle(graceMs, log)
  const closed: string[] = []
  const open = (name: string) =>
    life.open(
      name,
      () => name,
      value => {
        closed.push(value)
      },
    )
  return { life, closed, open }
}

describe('a lifecycle', () => {
  it('closes in reverse order, each once the one before is closed', async () => {
    const { life, closed, open } = recording()
    await open('first')
    await life.open(
      'slow',
      () => undefined,
      async () => {
        await new Promise(setImmediate)
        closed.push('slow')
      },
    )
    await open('last')
    expect(life.stopping).toBe(false)
    await life.stop()
    expect(life.stopping).toBe(true)
    expect(closed).toEqual(['last', 'slow', 'first'])
  })

  it('tells which part holds up the stop, and what waits for it', async () => {
    const { life, open } = recording()
    await open('first')
    await open('second')
    const { promise, resolve } = Promise.withResolvers<void>()
    await life.open(
      'slow',
      () => undefined,
      () => promise,
    )
    expect(life.holdup).toBeNull()
    const stopped = life.stop()
    await new Promise(setImmediate)
    expect(life.holdup).toEqual({
      part: 'slow',
      is: 'closing',
      forMs: expect.any(Number),
      left: ['second', 'first'],
    })
    resolve()
    await stopped
    expect(life.holdup).toBeNull()
  })

  it('tells of a part that does not open when it is to stop', async () => {
    const { life, open } = recording()
    await open('first')
    const { promise, resolve } = Promise.withResolvers<void>()
    const opening = life.open(
      'slow',
      () => promise,
      () => undefined,
    )
    const refused = expect(opening).rejects.toThrow(StopRequested)
    const stopped = life.stop()
    expect(life.holdup).toMatchObject({ part: 'slow', is: 'opening', left: ['first'] })
    resolve()
    await Promise.all([refused, stopped])
  })

  it('answers what was opened', async () => {
    expect(await recording().open('a')).toBe('a')
  })

  it('may be stopped twice: both wait for the same end', async () => {
    const { life, closed, open } = recording()
    await open('a')
    const [first, second] = [life.stop(), life.stop()]
    expect(second).toBe(first)
    await second
    expect(closed).toEqual(['a'])
    await life.stop()
    expect(closed).toEqual(['a'])
  })

  it('stopped during a slow open closes that, too, and opens nothing more', async () => {
    const { life, closed, open } = recording()
    await open('first')
    const { promise, resolve } = Promise.withResolvers<string>()
    const slow = life.open(
      'slow',
      () => promise,
      value => {
        closed.push(value)
      },
    )
    const refused = expect(slow).rejects.toThrow(StopRequested)
    const stopped = life.stop()
    expect(closed).toEqual([])
    resolve('slow')
    await refused
    await stopped
    expect(closed).toEqual(['slow', 'first'])
    await expect(open('late')).rejects.toThrow(StopRequested)
    expect(closed).toEqual(['slow', 'first'])
  })

  it('closes what is open when something fails to open', async () => {
    const { life, closed, open } = recording()
    await open('first')
    const failing = life.open(
      'failing',
      () => Promise.reject(new Error('no')),
      () => closed.push('failing'),
    )
    await expect(failing).rejects.toThrow('no')
    await life.stop()
    expect(closed).toEqual(['first'])
  })

  it('is not kept open by a part that does not close', async () => {
    const { life, closed, open } = recording()
    await open('first')
    for (const close of [() => Promise.reject(new Error('no')), () => assertClosed()]) {
      await life.open('bad', () => undefined, close)
    }
    await open('last')
    await life.stop()
    expect(closed).toEqual(['last', 'first'])
  })

  it('tells each part what is left of the grace', async () => {
    const { life } = recording(60_000)
    const left: number[] = []
    const note = (_: unknown, leftMs: () => number): void => {
      left.push(leftMs())
    }
    await life.open('a', () => undefined, note)
    await life.open('b', () => undefined, note)
    await life.stop()
    expect(left).toHaveLength(2)
    expect(left[0]!).toBeLessThanOrEqual(60_000)
    expect(left[1]!).toBeLessThanOrEqual(left[0]!)
    expect(left[1]!).toBeGreaterThan(50_000)
  })
})

const assertClosed = (): never => {
  throw new Error('not closed')
}
