import { describe, expect, test } from 'vitest'
import { Interrupt } from '../../../../src/domain/interrupt.ts'
import {
  type Asked,
  type CredentialSource,
  type Credentials,
  renewed,
  unsent,
} from '../../../../src/providers/credentials/renewed.ts'

const minutes = 60_000
const away = unsent('connect', new Error('away'))

/** A source over a server of tokens that the test plays: `answers` are given in their turn. */
const open = () => {
  const clock = { nowMs: 1_000_000 }
  const asked: ((answer: Asked<string>) => void)[] = []
  const source = renewed<string>(
    () => new Promise(resolve => asked.push(resolve)),
    () => clock.nowMs,
  )
  return { clock, asked, source }
}

const token = (value: string, endsAtMs: number | null): Credentials<string> => ({
  value,
  endsAtMs,
  source: 'a test',
})

const get = (source: CredentialSource<string>, refused?: Credentials<string>, signal = new Interrupt()) =>
  source.get(signal, 10_000, refused)

/** All that has been answered is known. */
const heard = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** One that holds a token with an hour to go. */
const holding = async () => {
  const opened = open()
  const { source, asked, clock } = opened
  const first = token('first', clock.nowMs + 60 * minutes)
  const waiting = get(source)
  asked[0]!(first)
  expect(await waiting).toBe(first)
  return { ...opened, first }
}

describe('credentials that are renewed', () => {
  test('all calls that wait share one question', async () => {
    const { source, asked } = open()
    const waiting = [get(source), get(source), get(source)]
    expect(asked).toHaveLength(1)
    const first = token('first', null)
    asked[0]!(first)
    expect(await Promise.all(waiting)).toEqual([first, first, first])
    expect(await get(source)).toBe(first)
    expect(asked).toHaveLength(1)
  })

  test('they are renewed before their end, and no call waits for it', async () => {
    const { source, asked, clock, first } = await holding()
    clock.nowMs += 54 * minutes
    expect(await get(source)).toBe(first)
    expect(asked).toHaveLength(1)
    clock.nowMs += 2 * minutes
    expect([await get(source), await get(source)]).toEqual([first, first])
    expect(asked).toHaveLength(2)
    const second = token('second', clock.nowMs + 60 * minutes)
    asked[1]!(second)
    await expect.poll(() => get(source)).toBe(second)
  })

  test('a renewal that fails is none of the calls’ business while what is held is good', async () => {
    const { source, asked, clock, first } = await holding()
    clock.nowMs += 56 * minutes
    await get(source)
    asked[1]!(away)
    await heard()
    expect(await get(source)).toBe(first)
    expect(asked, 'it rests').toHaveLength(2)
    clock.nowMs += 11_000
    expect(await get(source)).toBe(first)
    expect(asked).toHaveLength(3)
    asked[2]!(away)
    await heard()
    clock.nowMs += 5 * minutes
    const last = get(source)
    expect(asked).toHaveLength(4)
    asked[3]!(away)
    expect(await last).toBe(away)
  })

  test('those that were refused are asked for anew, once for all that were refused', async () => {
    const { source, asked, first } = await holding()
    const waiting = [get(source, first), get(source, first)]
    expect(asked).toHaveLength(2)
    const second = token('second', null)
    asked[1]!(second)
    expect(await Promise.all(waiting)).toEqual([second, second])
    // Whoever comes late with the first is given the second.
    expect(await get(source, first)).toBe(second)
    expect(asked).toHaveLength(2)
  })

  test('those that last less than ten minutes are renewed halfway', async () => {
    const { source, asked, clock } = open()
    const waiting = get(source)
    asked[0]!(token('short', clock.nowMs + minutes))
    await waiting
    clock.nowMs += 29_000
    await get(source)
    expect(asked).toHaveLength(1)
    clock.nowMs += 2_000
    await get(source)
    expect(asked).toHaveLength(2)
  })

  test('a call that is cancelled, or has waited long enough, leaves the question to the others', async () => {
    const { source, asked } = open()
    const cancelled = new Interrupt()
    const patient = get(source)
    const leaving = get(source, undefined, cancelled)
    const hurried = source.get(new Interrupt(), 20)
    cancelled.abort('cancelled')
    expect(await leaving).toMatchObject({ reason: 'aborted', sent: false, cause: 'cancelled' })
    expect(await hurried).toMatchObject({ reason: 'timeout', sent: false })
    const first = token('first', null)
    asked[0]!(first)
    expect(await patient).toBe(first)
    expect(asked).toHaveLength(1)
  })
})
